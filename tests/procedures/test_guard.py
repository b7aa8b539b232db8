"""The guard process: whatever becomes of the controller, the bench is safe within a second."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from instruments.shutter import Shutter
from procedures import open_bench, open_run, run
from procedures.machinery.apparatus.bench import describe_bench
from procedures.machinery.apparatus.guard import order_for
from procedures.machinery.apparatus.guard_process import STALL, GuardedBench, watch
from procedures.machinery.records import events
from procedures.machinery.records.failures import BenchFailure

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")



def test_a_controller_that_stalls_is_relieved_and_its_run_ends_when_it_comes_back(nursery, served, tmp_path):
    nursery.start(tmp_path)
    nursery.hear_shots(2)
    nursery.signal("SIGSTOP")
    try:
        assert served[1].seconds_until_safe() < STALL + 1.0
    finally:
        nursery.signal("SIGCONT")
    assert f"no sign of life for {STALL} s" in nursery.hear("failed", "ended")
    assert served[1].safe
    with open_run(nursery.path) as left:
        assert left.state == "aborted"
        assert len(left.shots) >= nursery.stored


def test_a_short_stall_ends_no_run_and_three_aborts_in_a_row_end_it_like_one(nursery, served, tmp_path):
    nursery.start(tmp_path)
    nursery.hear_shots(1)
    nursery.signal("SIGSTOP")
    time.sleep(0.3 * STALL)
    nursery.signal("SIGCONT")
    nursery.hear_shots(nursery.stored + 6)
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        nursery.signal(name)
        time.sleep(0.02)
    assert served[1].seconds_until_safe() < 0.5
    assert nursery.hear("failed", "ended") == "aborted"
    assert served[1].safe


def test_without_its_guard_no_run_goes_on_and_none_begins(served, tmp_path):
    told = []

    def kill_the_guard(event):
        told.append(event)
        if isinstance(event, events.ShotStored) and event.shot.number == 1:
            os.kill(opened.guard.process_id, signal.SIGKILL)

    with open_bench(served[0]) as opened:
        with pytest.raises(BenchFailure, match="without a guard no run goes on"):
            run("single_shot", opened, tmp_path, publish=kill_the_guard, shots=500, repetition_rate=20.0)
        assert served[1].safe
        with pytest.raises(BenchFailure, match="without a guard no run goes on"):
            run("single_shot", opened, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    with open_run(told[0].path) as left:
        assert left.state == "aborted"
        assert 2 <= len(left.shots) < 30


def test_silence_counts_while_a_run_is_under_way_and_a_death_at_any_time():
    lines, answers = queue.SimpleQueue(), []
    for line in ("", "run a folder", ""):
        lines.put(line)
    assert watch(lines, answers.append) == (f"the controlling program gave no sign of life for {STALL} s",
                                            Path("a folder"))
    assert answers == [""] * 3
    for line in ("run a folder", "run"):
        lines.put(line)
    threading.Timer(1.3 * STALL, lines.put, ("end",)).start()
    assert watch(lines, answers.append) == ("", None)
    lines.put(None)
    assert watch(lines, answers.append) == ("the controlling program has died", None)


@pytest.fixture
def guarded(served, monkeypatch):
    """What the guard process holds, in this process, with a shutter that serves one connection only."""
    monkeypatch.setattr(Shutter, "one_session", True)
    found = GuardedBench(order_for(describe_bench(served[0]), None))
    found.connect()
    yield found
    for instrument in found.roles.values():
        instrument.disconnect()


def test_an_instrument_for_one_session_is_left_alone_until_it_is_needed(guarded):
    seen = guarded.look()
    assert seen["later"] == ["shutter"]
    assert {"pump", "timing", "microwave"} <= set(seen["connections"])
    state = guarded.make_safe()
    assert (state.verified, state.shutter) == (True, "closed")


def test_the_guard_tries_again_over_a_new_connection_where_its_own_has_died_meanwhile(guarded, served):
    for word in ("unplug pump", "plug pump"):
        served[1].ask(word)
    state = guarded.make_safe()
    assert (state.verified, state.laser) == (True, "off")


def test_a_bench_opened_for_looking_runs_nothing(served, tmp_path):
    with open_bench(served[0], tolerant=True) as opened, pytest.raises(BenchFailure, match="no guard"):
        run("single_shot", opened, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.campaign
@pytest.mark.timeout(7200)
def test_the_heart_beats_in_time_on_a_crowded_machine():
    """Twenty minutes with three busy processes per core; HEARTBEAT_SECONDS=30 for a first look."""
    script = Path(__file__).resolve().parents[1] / "benchmarks" / "heartbeat_gap.py"
    done = subprocess.run([sys.executable, str(script), os.environ.get("HEARTBEAT_SECONDS", "1200")],
                          capture_output=True, text=True)
    print(f"\n{done.stdout}")
    assert done.returncode == 0, done.stderr
