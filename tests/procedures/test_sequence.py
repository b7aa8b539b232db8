"""Sequences: what a plan may say, that it is checked before anything is touched, made, and gone on with."""

import json
import math
import re
import shutil
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedures import open_bench, run_sequence
from procedures.machinery.apparatus.bench import describe_bench
from procedures.machinery.records import events
from procedures.machinery.records.failures import BenchFailure
from procedures.machinery.sequence import Began, Sequence, check_plan, read_plan_file
from procedures.machinery.sequence_plan import read_plan
from procedures.machinery.storage.file_lock import hold

PLAN = """
title = "two energies, then the cavity"

[[step]]
procedure = "single_shot"
set = { shots = 3, repetition_rate = "4Hz" }
scan = { pump_energy = "1mJ, 3mJ" }

[[step]]
procedure = "vector_sweep"
"""


def planned(text, seed=1):
    return [(run.procedure, {name: run.settings[name] for name in run.scanned})
            for run in read_plan(text, "plan.toml", seed).runs]


def test_scans_are_nested_and_the_last_one_runs_fastest():
    text = """[[step]]
    procedure = "pump_threshold"
    set = { shots = 4 }
    scan = { repetition_rate = "5Hz, 10Hz", pump_energy_stop = "log:1mJ:4mJ:3", order = "forward, random" }
    """
    found = planned(text)
    assert len(found) == 12 and found[0][0] == "pump_threshold"
    assert [list(values.values()) for _, values in found[:3]] == [
        [5.0, 1e-3, "forward"], [5.0, 1e-3, "random"], [5.0, pytest.approx(2e-3), "forward"]]
    assert {run.settings["shots"] for run in read_plan(text, "", 1).runs} == {4}


@given(st.sampled_from(["forward", "backward", "random"]), st.integers(1, 4), st.integers(1, 6),
       st.integers(0, 99))
def test_every_combination_comes_once_in_each_round_whatever_the_order(order, repeats, points, seed):
    values = [float(i + 1) for i in range(points)]
    text = (f'[[step]]\nprocedure = "single_shot"\nscan = {{ repetition_rate = {values} }}\n'
            f'order = "{order}"\nrepeats = {repeats}\n')
    rates = [values["repetition_rate"] for _, values in planned(text, seed)]
    rounds = np.array(rates).reshape(repeats, points)
    assert all(sorted(one) == values for one in rounds.tolist())
    assert planned(text, seed) == planned(text, seed)
    if order != "random":
        assert all(one == (values if order == "forward" else values[::-1]) for one in rounds.tolist())


def test_duration_counts_shots_repeats_controls_and_waits():
    text = """[[step]]
    procedure = "single_shot"
    set = { shots = 10, repeats = 2, control_every = 5, repetition_rate = "10Hz" }
    wait = "7s"
    repeats = 3
    """
    assert math.isclose(read_plan(text, "", 1).duration, 3 * (7.0 + 2.4))


@pytest.mark.parametrize(("text", "said"), [
    ("step = 3", "needs at least one"), ("[[step]", "is no TOML"),
    ("[[step]]\nprocedure = 'single_sht'", "did you mean 'single_shot'"),
    ("[[step]]\nprocedure = 'single_shot'\nscann = {}", "step 1: unknown name 'scann'; did you mean 'scan'"),
    ("[[step]]\nprocedure = 'single_shot'\nset = { shot = 1 }", "did you mean 'shots'"),
    ("[[step]]\nprocedure = 'single_shot'\nscan = { pump_energy = 'log:1mJ:2mJ' }", "log:FIRST:LAST:POINTS"),
    ("[[step]]\nprocedure = 'single_shot'\nscan = { pump_energy = 'log:1mJ:2mJ' }", "log:FIRST:LAST"),
    ("[[step]]\nprocedure = 'single_shot'\nscan = { shots = [] }", "has no values"),
    ("[[step]]\nprocedure = 'single_shot'\nset = 4", "expected a table"),
    ("[[step]]\nprocedure = 'single_shot'\nrepeats = 0", "repeats = 0"),
    ("[[step]]\nprocedure = 'single_shot'\nrepeats = 20000", "repeats = 20000"),
    ("[[step]]\nprocedure = 'single_shot'\nwait = '-1s'", "must not be negative"),
    ("[[step]]\nprocedure = 'single_shot'\norder = 'shuffled'", "order: unknown name"),
    ("[[step]]\nprocedure = 'single_shot'\non_failure = 'goon'", "did you mean 'go_on'"),
    ("[[step]]\nprocedure = 'single_shot'\nscan = { shots = ['1', '2mJ'] }", "shots"),
    ("title = 'x'\n[[step]]\nprocedure = 'single_shot'\nscan = { pump_energy = '1 banana' }", "banana")])
def test_what_a_plan_may_not_say_is_told(text, said):
    with pytest.raises(ValueError, match=said):
        read_plan(text, "plan.toml", 1)


@given(st.text(max_size=60)
       | st.from_regex(r"\[\[step\]\]\n(procedure|set|scan|wait) = .{0,30}", fullmatch=True))
def test_any_text_is_a_plan_or_a_value_error(text):
    try:
        read_plan(text, "plan.toml", 1)
    except ValueError:
        pass


def test_what_the_bench_forbids_is_refused_with_the_run_that_wants_it():
    bench = describe_bench("virtual")
    plan = read_plan('[[step]]\nprocedure = "single_shot"\nscan = { pump_energy = "1mJ, 7mJ" }', "", 1)
    with pytest.raises(ValueError, match=r"run 1 of the sequence, single_shot: pump_energy = 0\.007 J"):
        check_plan(plan, bench)


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    path = tmp_path_factory.mktemp("plans") / "plan.toml"
    path.write_text(PLAN)
    return path


@pytest.fixture(scope="module")
def interrupted(served, plan, tmp_path_factory):
    """(the sequence as it was when it ended in its second run, and after it was gone on with)."""
    folder, seen = tmp_path_factory.mktemp("sequence"), Counter()
    told = []

    def watch(event):
        told.append(event)
        seen[type(event).__name__] += 1

    with open_bench(served[0]) as bench:
        first = run_sequence(plan, bench, folder, 7, watch, lambda: seen["ShotStored"] >= 4)
        state = first.state, first.past
        second = run_sequence(first.path, bench)
    return state, second, told


def test_a_sequence_that_was_stopped_is_gone_on_with_where_it_ended(interrupted):
    (state, past), done, told = interrupted
    assert state == "aborted" and [past[i].state for i in sorted(past)] == ["finished", "aborted"]
    assert [(e.planned.number, e.total) for e in told if isinstance(e, Began)] == [(0, 3), (1, 3)]
    assert done.state == "finished" and [p.state for p in done.past.values()] == ["finished"] * 3
    runs = done.runs
    assert [run.procedure for run in runs] == ["single_shot", "single_shot", "vector_sweep"]
    assert past[0].folder == done.past[0].folder      # what was finished is not made again
    assert runs[1].former.path.name == past[1].folder.removeprefix("../")
    assert sum(runs[1].result["verdicts"].values()) == 3
    assert [run.settings["pump_energy"] for run in runs[:2]] == [1e-3, 3e-3]
    for run in runs:
        run.close()


def test_every_run_has_a_seed_of_its_own_that_the_sequence_s_seed_decides(interrupted, plan):
    _, done, _ = interrupted
    seeds = [run.seed for run in done.runs]
    assert len(set(seeds)) == 3 and done.seed == 7
    assert done.plan.runs == read_plan_file(plan, 7).runs


def test_a_finished_sequence_has_nothing_left_to_do(served, interrupted):
    _, done, _ = interrupted
    told = []
    with open_bench(served[0]) as bench:
        again = run_sequence(done.path, bench, publish=told.append)
    assert told == [] and again.rows == done.rows


def test_a_line_torn_by_a_kill_is_left_out_and_the_next_one_is_whole(served, interrupted, tmp_path):
    _, done, _ = interrupted
    shutil.copytree(done.path.parent, tmp_path / "copy")
    path = tmp_path / "copy" / done.path.name
    log = path / "sequence.jsonl"
    *before, last = log.read_text().splitlines()
    log.write_text("\n".join([*before, last[:20]]))       # the end of the third run was never written
    assert Sequence(path).state == "finished"       # the third run's own folder says so
    log.write_text("\n".join([*before[:-1], last[:20]]))  # nor that it was begun
    assert Sequence(path).state == "aborted"
    with open_bench(served[0]) as bench:
        assert run_sequence(path, bench).state == "finished"
    assert len(list((tmp_path / "copy").glob("*-vector_sweep-*"))) == 2


def test_a_run_that_ended_before_its_first_shot_does_not_cost_those_before_it(served, tmp_path):
    plan, stored, told = tmp_path / "plan.toml", [], []
    plan.write_text('[[step]]\nprocedure = "single_shot"\nset = { shots = 4, repetition_rate = "4Hz" }\n')
    with open_bench(served[0]) as bench:
        first = run_sequence(plan, bench, tmp_path, 7,
                             lambda e: stored.append(isinstance(e, events.ShotStored)),
                             lambda: sum(stored) >= 2)
        run_sequence(first.path, bench, publish=told.append,
                     should_stop=lambda: any(isinstance(e, events.RunStarted) for e in told))
        done = run_sequence(first.path, bench)
    last, = done.runs
    assert [len(run.shots) for run in (last, last.former)] == [2, 2]
    assert sum(last.result["verdicts"].values()) == 4
    last.close()


def test_a_trip_ends_a_sequence_even_where_its_steps_go_on_and_the_laser_stays_off(served, tmp_path):
    path, console = served
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.replace("[[step]]", '[[step]]\non_failure = "go_on"'))
    told = []

    def trip(event):
        told.append(event)
        if isinstance(event, events.ShotStored):
            console.ask("inject interlock severity=1")

    try:
        with open_bench(path) as bench, pytest.raises(BenchFailure, match=r"emission reads|safety chain"):
            run_sequence(plan, bench, tmp_path, 7, trip)
        state = console.ask("state")
        state = json.loads(state) if isinstance(state, str) else state
        assert state["laser"] == "off"
    finally:
        console.ask("inject interlock severity=0")
    assert sum(isinstance(event, Began) for event in told) == 1
    assert sum(isinstance(event, events.Armed) for event in told) == 1
    folder, = tmp_path.glob("*-sequence-*")
    known = Sequence(folder)
    assert known.state == "aborted" and known.past[0].state == "aborted" and known.past[0].message


@pytest.mark.parametrize("goes_on", [True, False])
def test_an_answer_that_cannot_be_given_is_passed_over_only_where_the_plan_says_so(served, tmp_path, goes_on):
    """A channel that is said to record an envelope has no spectrum: no fault of any instrument."""
    other, plan = tmp_path / "other.toml", tmp_path / "plan.toml"
    other.write_text(re.sub(r"intermediate_frequency = .*", "intermediate_frequency = 0.0",
                            served[0].read_text()))
    more = 'on_failure = "go_on"' if goes_on else ""
    plan.write_text(f'[[step]]\nprocedure = "emission_spectrum"\nset = {{ shots = 1 }}\n{more}\n'
                    '[[step]]\nprocedure = "vector_sweep"\n')
    with open_bench(other) as bench:
        if goes_on:
            done = run_sequence(plan, bench, tmp_path, 7)
            assert done.state == "finished"
            assert [past.state for past in done.past.values()] == ["failed", "finished"]
            assert "records an envelope" in done.past[0].message
        else:
            with pytest.raises(ValueError, match="records an envelope"):
                run_sequence(plan, bench, tmp_path, 7)
            folder, = tmp_path.glob("*-sequence-*")
            assert [past.state for past in Sequence(folder).past.values()] == ["aborted"]


def test_two_programs_cannot_make_one_sequence(served, interrupted, tmp_path):
    _, done, _ = interrupted
    with (done.path / "sequence.jsonl").open("a") as held, open_bench(served[0]) as bench:
        hold(held)
        command = [sys.executable, "-c", "import sys; from pathlib import Path; from procedures.machinery."
                   "storage.file_lock import held; sys.exit(held(Path(sys.argv[1])))"]
        assert subprocess.run([*command, str(done.path / "sequence.jsonl")]).returncode == 1
        with pytest.raises(ValueError, match="is being run by another program"):
            run_sequence(done.path, bench)


def test_the_command_prints_the_plan_and_touches_nothing_in_a_dry_run(served, plan, tmp_path):
    base = [sys.executable, "-m", "maserbench", "sequence"]
    dry = subprocess.run([*base, str(plan), "--dry-run"], capture_output=True, text=True, cwd=tmp_path)
    assert dry.returncode == 0, dry.stderr
    assert dry.stdout.splitlines()[0] == "two energies, then the cavity: 3 runs, about 1.9 s"
    assert "pump_energy=3 mJ: about 750 ms, -" in dry.stdout and "dBm at the port" in dry.stdout
    assert not list(tmp_path.iterdir())
    done = subprocess.run([*base, str(plan), "--bench", str(served[0]), "--progress", "plain", "--output",
                           str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    *_, count, last = done.stdout.splitlines()
    assert count == "3 of 3 runs finished"
    assert Sequence(tmp_path / last.removeprefix("sequence ")).state == "finished"
    wrong = subprocess.run([*base], capture_output=True, text=True)
    assert wrong.returncode == 2 and "name the file of a plan" in wrong.stderr
