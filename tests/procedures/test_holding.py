"""A run that is held, and one that is continued: what the laser does meanwhile, and what the answers are."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from procedures import Shot, Waveform, open_bench, open_run, run
from procedures.machinery.apparatus.arming import Arming
from procedures.machinery.hold import Hold
from procedures.machinery.records import events
from procedures.machinery.records.failures import BenchFailure
from procedures.machinery.replay import replay
from procedures.machinery.storage import provenance
from procedures.machinery.storage.run_folder import RunFolder, moment
from procedures.machinery.storage.run_notes import Remarks
from procedures.machinery.storage.store_block import Channel, Layout

COMMON = {"shots": 5, "pump_energy_start": "0.5mJ", "repetition_rate": 20}
MIXED = COMMON | {"order": "random", "repetition_rate": 5}


class Person:
    """Holds a run after `after` shots, looks at the bench, and lets it go on after a while."""

    def __init__(self, console, after):
        self.hold, self._console, self._after = Hold(), console, after
        self.told, self.seen = [], []

    def __call__(self, event):
        self.told.append(event)
        if isinstance(event, events.ShotStored) and event.shot.number == self._after - 1:
            self.hold.hold()
        if isinstance(event, events.Paused):
            threading.Thread(target=self._look, daemon=True).start()

    def _look(self):
        for _ in range(3):
            time.sleep(0.1)
            self.seen.append(self._console.ask("state"))
        self.hold.go_on()


@pytest.fixture(scope="module")
def held(served, tmp_path_factory):
    """(person, run that was held after two shots, the same run undisturbed)."""
    path, console = served
    folder, person = tmp_path_factory.mktemp("held"), Person(console, after=2)
    with open_bench(path) as bench:
        undisturbed = run("pump_threshold", bench, folder, seed=21, **COMMON)
        done = run("pump_threshold", bench, folder, seed=21, publish=person, hold=person.hold, **COMMON)
    return person, done, undisturbed


def test_while_a_run_is_held_the_bench_is_safe_and_nothing_is_fired(held):
    person = held[0]
    states = [json.loads(seen) if isinstance(seen, str) else seen for seen in person.seen]
    assert len(states) == 3
    assert {(s["laser"], s["shutter"], s["rf"]) for s in states} == {("off", "closed", "off")}
    assert states[0]["shots"] == states[-1]["shots"]


def test_a_held_run_takes_what_it_would_have_taken(held):
    _, done, undisturbed = held
    assert done.state == "finished" and len(done.shots) == 5
    for one, other in zip(done.shots, undisturbed.shots, strict=True):
        assert np.array_equal(one.waveform.codes, other.waveform.codes)
    assert done.result["threshold_energy"] == undisturbed.result["threshold_energy"]


def test_going_on_is_written_down_as_leave_to_arm(held):
    _, done, undisturbed = held
    kinds = [e["event"] for e in done.events if e["event"] in ("Armed", "Paused", "SafeState", "ShotStored")]
    # Armed, two shots, held (safe state, Paused), Armed again, the rest, safe state.
    assert kinds[:6] == ["Armed", "ShotStored", "ShotStored", "SafeState", "Paused", "Armed"]
    assert [e["event"] for e in undisturbed.events].count("Armed") == 1


def test_a_source_is_on_again_after_a_run_was_held(served, tmp_path):
    path, console = served
    person = Person(console, after=1)
    with open_bench(path) as bench:
        common = {"shots": 3, "repetition_rate": 20, "power_start": -62.0}
        plain = run("seeded_delay", bench, tmp_path, seed=3, **common)
        done = run("seeded_delay", bench, tmp_path, seed=3, publish=person, hold=person.hold, **common)
    for one, other in zip(done.shots, plain.shots, strict=True):
        assert np.array_equal(one.waveform.codes, other.waveform.codes)


def test_a_held_run_can_be_ended(served, tmp_path):
    told = []
    hold = Hold()
    hold.hold()
    with open_bench(served[0]) as bench:
        done = run("single_shot", bench, tmp_path, publish=told.append, hold=hold, repetition_rate=20,
                   should_stop=lambda: any(isinstance(e, events.Paused) for e in told))
    assert done.state == "aborted" and len(done.shots) == 0


def test_arming_needs_new_leave_after_it_was_held(bench):
    arming = Arming(bench.roles, lambda event: None)
    arming.start_from_safe()
    arming.ask("test", {"repetition_rate": 10.0}, {})
    arming.hold()
    with pytest.raises(BenchFailure, match="no leave was given"):
        arming.arm()


@pytest.fixture(scope="module")
def continued(served, tmp_path_factory):
    """(run that ended after two shots, run that took the rest)."""
    folder, seen = tmp_path_factory.mktemp("continued"), []
    with open_bench(served[0]) as bench:
        first = run("pump_threshold", bench, folder, seed=31, should_stop=lambda: len(seen) >= 2,
                    publish=lambda e: seen.append(e) if isinstance(e, events.ShotStored) else None,
                    sample="PTP-7", operator="Ada", note="before lunch", **MIXED)
        second = run("pump_threshold", bench, folder, seed=32, continues=first.path, **MIXED)
    return first, second


def test_what_was_missing_is_taken_and_nothing_twice(continued):
    first, second = continued
    assert first.state == "aborted" and 2 <= len(first.shots) < 5 and second.state == "finished"
    points = [[int(s.settings["point.number"]) for s in r.shots] for r in continued]
    assert sorted(points[0] + points[1]) == [0, 1, 2, 3, 4]
    started = next(e for e in second.events if e["event"] == "RunStarted")
    assert started["shots"] == len(second.shots)


def test_what_goes_on_is_on_the_same_sample_unless_another_is_named(continued):
    second = continued[1].manifest
    assert (second["sample"], second["operator"]) == ("PTP-7", "Ada") and "note" not in second
    assert Remarks(sample="PTP-8").going_on(second) == Remarks("Ada", "PTP-8")


def test_the_answer_comes_from_both_and_is_the_same_from_disk(continued):
    first, second = continued
    assert second.manifest["continues"] == f"../{first.path.name}"
    assert sum(second.result["verdicts"].values()) == 5
    with open_run(second.path) as stored:
        assert stored.former.path == first.path
        assert list(replay(stored))[-1].result == stored.result


def test_a_run_is_found_where_both_folders_have_moved_to(continued, tmp_path):
    for done in continued:
        shutil.copytree(done.path, tmp_path / done.path.name)
    with open_run(tmp_path / continued[1].path.name) as moved:
        assert moved.former.path.parent == tmp_path


@pytest.mark.parametrize(("change", "said"), [
    ({"shots": 6}, "shots = 6, but .* was taken with 5"), ({"finished": True}, "has all its points"),
    ({"name": "single_shot"}, "is a pump_threshold and no single_shot"),
    ({"name": "cavity_sweep"}, "takes one trace and no points")])
def test_what_cannot_be_continued_is_refused_at_once(bench, continued, tmp_path, change, said):
    former = continued[1 if change.pop("finished", False) else 0].path
    name = change.pop("name", "pump_threshold")
    given = {} if name != "pump_threshold" else MIXED | change
    with pytest.raises(ValueError, match=said):
        run(name, bench, tmp_path, continues=former, **given)
    assert not list(tmp_path.iterdir())


def test_the_former_run_s_seed_would_draw_its_noise_twice(bench, continued, tmp_path):
    with pytest.raises(ValueError, match="seed = 31 is that of"):
        run("pump_threshold", bench, tmp_path, seed=31, continues=continued[0].path, **MIXED)


def test_a_run_of_an_earlier_version_which_does_not_tell_its_points_is_refused(bench, tmp_path):
    folder, d = RunFolder(tmp_path, "single_shot"), bench.description
    folder.write_manifest(provenance.manifest(folder.path.name, "single_shot", moment(), 1, bench.origin,
                                              {"shots": 2}, d.name, d.text, {}))
    folder.start_store(Layout({"burst": Channel(100, "CHAN1", 10)}, {}, ()), {})
    record = Waveform(np.zeros(100, np.int16), 1e-3, 0.0, 0.0, 4e-9, "CHAN1", 10)
    folder.append(Shot(0, moment(), {}, {"burst": record}, bench.origin))
    folder.close()
    with pytest.raises(ValueError, match="does not say which shot belongs to which point"):
        run("single_shot", bench, tmp_path, continues=folder.path, shots=2)


def test_another_bench_makes_no_common_answer(served, continued, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(served[0].read_text().replace("area = 1.9e-06", "area = 2e-06").replace(
        'area = "1.9mm2"', 'area = "2mm2"'))
    with open_bench(other) as bench, pytest.raises(ValueError, match="says something else about pump"):
        run("pump_threshold", bench, tmp_path, continues=continued[0].path, **MIXED)


def test_after_a_trip_a_person_goes_on_at_the_point_where_it_happened(served, tmp_path):
    path, console = served

    def trip(event):
        if isinstance(event, events.ShotStored) and event.shot.number == 2:
            console.ask("inject interlock severity=1")

    try:
        with open_bench(path) as bench, pytest.raises(BenchFailure):
            run("pump_threshold", bench, tmp_path, seed=41, publish=trip, **COMMON)
    finally:
        console.ask("inject interlock severity=0")
    tripped, = tmp_path.iterdir()
    with open_bench(path) as bench:
        done = run("pump_threshold", bench, tmp_path, seed=42, continues=tripped, **COMMON)
    assert [int(shot.settings["point.number"]) for shot in done.shots] == [3, 4]
    assert sum(done.result["verdicts"].values()) == 5


@pytest.mark.skipif(not hasattr(signal, "SIGTSTP"), reason="Ctrl-Z holds a run where there is a SIGTSTP")
def test_ctrl_z_holds_a_run_and_the_word_arm_lets_it_go_on(served, tmp_path):
    command = [sys.executable, "-m", "maserbench", "run", "single_shot", "--bench", str(served[0]),
               "--output", str(tmp_path), "--set", "shots=4", "--set", "repetition_rate=2Hz", "--progress",
               "plain"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as process:
        while "shot 0 stored" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGTSTP)
        while "type arm and Enter" not in process.stderr.readline():
            pass
        process.stdin.write("go on\n")
        process.stdin.flush()
        while "only the word arm" not in process.stderr.readline():
            pass
        process.stdin.write("arm\n")
        process.stdin.flush()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    done = open_run(out.splitlines()[-1].removeprefix("run "))
    kinds = [e["event"] for e in done.events]
    assert kinds.count("Paused") == 1 and kinds.count("Armed") == 2 and len(done.shots) == 4
    done.close()


def test_the_command_continues_a_run_by_its_folder_alone(served, continued, tmp_path):
    copy = tmp_path / continued[0].path.name
    shutil.copytree(continued[0].path, copy)
    base = [sys.executable, "-m", "maserbench", "run", "--bench", str(served[0]), "--output", str(tmp_path)]
    refused = subprocess.run([*base, "--continue", str(copy), "--set", "shots=9"], capture_output=True,
                             text=True)
    assert refused.returncode == 2 and "with its own settings" in refused.stderr
    nothing = subprocess.run(base, capture_output=True, text=True)
    assert nothing.returncode == 2 and "--continue RUN" in nothing.stderr
    done = subprocess.run([*base, "--continue", str(copy)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with open_run(done.stdout.splitlines()[-1].removeprefix("run ")) as later:
        assert later.former.path == copy and sum(later.result["verdicts"].values()) == 5
