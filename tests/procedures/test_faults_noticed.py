"""Every fault that can be injected, and what the suite noticed, in which window, and what it did.

Each is injected over the console during a real run. None may end in a hang, in a silent wrong number or in
an unsafe state. The whole table is a campaign: pytest -m campaign -s tests/procedures/test_faults_noticed.py
"""

import time
from dataclasses import dataclass

import pytest

from procedures import open_bench, open_run, run
from procedures.machinery.records import events
from procedures.machinery.records.failures import BenchFailure
from twin.bench_faults import CATALOGUE

STRUCK = 2  # shot
SHOTS = 5
WINDOW = 20.0  # [s] within which a run has ended, whatever happens


@dataclass(frozen=True)
class Noticed:
    """What must be seen of a fault: words of a notice, a verdict of the struck shot, or of the run's end.

    `harmless`: the suite rides over it, and no number may change. `later`: one shot cannot tell; `moved` is
    then what a series shows: a fitted parameter, and the factor by which it grows at least.
    """

    notice: str = ""
    verdict: str = ""
    end: str = ""
    harmless: bool = False
    later: bool = False
    moved: tuple[str, float] | None = None


EXPECTED = {
    "cavity_drift": Noticed(verdict="MODEL_NOT_VALID"),
    "quality_drop": Noticed(later=True, moved=("cavity_decay", 1.35)),
    "misfire": Noticed("no light on the photodiode", "MISFIRE"),
    "low_energy": Noticed("instead of 5 mJ"),
    "double_pulse": Noticed("a second pulse", "MODEL_NOT_VALID"),
    "energy_jitter": Noticed(end="the photodiode saw too much"),
    "missed_trigger": Noticed("a trigger was missed before shot 2"),
    "false_trigger": Noticed("something else gave the trigger", "MISFIRE"),
    "late_trigger": Noticed("instead of 200 ns", "MISTRIGGERED"),
    "arm_race": Noticed(harmless=True),
    "scope_hang": Noticed(end="not enough for answering"),
    "clip": Noticed("burst is at a rail", "CLIPPED"),
    "lna_compression": Noticed("an amplifier is compressed", "MODEL_NOT_VALID"),
    "limiter": Noticed(verdict="MODEL_NOT_VALID"),
    "detector_range": Noticed("above its range"),
    "intercept_drift": Noticed("against the burst channel"),
    "wrong_scale": Noticed(end="the photodiode saw too much"),
    "stale_data": Noticed(end="the record is the previous one"),
    "timeout": Noticed(end="not enough for answering"),
    "dropped_connection": Noticed(end="the connection broke off"),
    "half_block": Noticed(end="of which 9997 came"),
    "wrong_length": Noticed(end="20002 bytes was announced"),
    "error_queue": Noticed(end="-222"),
    "noise_burst": Noticed("times its declared noise"),
    "rf_leakage": Noticed(later=True, moved=("seed_photons", 100.0)),
    "interlock": Noticed(end="look for an open interlock"),
    "bleached": Noticed(later=True),
    "clock_step": Noticed(later=True),
}


@dataclass(frozen=True)
class Course:
    """How a run went: its end ("" where it finished), notices, shots with fits, seconds until noticed."""

    end: str
    notices: list
    shots: list
    seconds: float


def run_with(served, tmp_path, *faults, procedure="single_shot", **settings):
    """One run of SHOTS shots, with these faults, each a line of the console."""
    path, console = served
    told, began, end = [], time.monotonic(), ""
    with open_bench(path) as bench:
        for fault in faults:
            assert console.ask(f"inject {fault}") == "ok"
        try:
            run(procedure, bench, tmp_path, seed=3, publish=told.append, shots=SHOTS, repetition_rate=20.0,
                **settings)
        except BenchFailure as failure:
            end = str(failure)
        finally:
            for name in (fault.split()[0] for fault in faults):
                if CATALOGUE[name].kind == "lasting":
                    console.ask(f"inject {name} severity=0")
        state = console.state()
    assert (state["laser"], state["shutter"], state["rf"]) == ("off", "closed", "off")
    notices = [event.text for event in told if isinstance(event, events.Notice)]
    with open_run(told[0].path) as left:
        return Course(end, notices, list(left.shots), time.monotonic() - began)


def check(fault, course, sound):
    """What EXPECTED says of a fault holds for a run."""
    expected = EXPECTED[fault]
    assert bool(course.end) == bool(expected.end), course.end
    assert expected.end in course.end
    assert course.seconds < WINDOW
    if expected.end:
        assert [s.number for s in course.shots] == list(range(len(course.shots)))
        return
    if expected.notice and not expected.later:
        assert any(expected.notice in text and str(STRUCK) in text for text in course.notices), course.notices
    fits = [shot.fit for shot in course.shots]
    assert [fit.verdict.name for fit in fits[:STRUCK]] == ["OK"] * STRUCK
    if expected.verdict:
        assert fits[STRUCK].verdict.name == expected.verdict
    if expected.harmless:
        assert all(a.waveform.codes.tobytes() == b.waveform.codes.tobytes()
                   for a, b in zip(course.shots, sound.shots, strict=True))
    if expected.moved:
        name, factor = expected.moved
        assert fits[STRUCK + 1].parameters[name] > factor * fits[STRUCK - 1].parameters[name]


def test_every_fault_has_its_line_in_the_table():
    assert list(EXPECTED) == list(CATALOGUE)


def test_some_faults_are_told_shot_by_shot_and_nothing_is_said_against_sound_shots(served, tmp_path):
    course = run_with(served, tmp_path, "low_energy at=shot:1", "noise_burst at=shot:2", "clip at=shot:3",
                      "intercept_drift at=shot:4")
    assert course.end == ""
    for number, words in ((1, "instead of 5 mJ"), (2, "times its declared noise"), (3, "of light can store"),
                          (4, "against the burst")):
        (told,) = [text for text in course.notices if text.startswith(f"shot {number}: ")]
        assert words in told
    assert len(course.notices) == 4


@pytest.mark.parametrize("saturated", [-35, -27])
def test_an_amplifier_far_in_compression_is_named_and_its_bursts_not_believed(served, tmp_path, saturated):
    course = run_with(served, tmp_path, f"lna_compression severity={saturated} at=shot:3")
    assert course.end == "" and course.seconds < WINDOW
    assert [shot.fit.verdict.name for shot in course.shots] == ["OK"] * 3 + ["MODEL_NOT_VALID"] * 2
    assert [text.partition(":")[0] for text in course.notices] == ["shot 3", "shot 4"]
    assert all("an amplifier is compressed" in text for text in course.notices)
    assert "amplifier" in course.shots[3].fit.verdict.advice


@pytest.mark.campaign
def test_nothing_is_said_against_sound_shots_from_threshold_to_full_energy(served, tmp_path):
    course = run_with(served, tmp_path, procedure="pump_threshold")
    assert course.end == "" and course.notices == []


@pytest.mark.campaign
def test_all_faults_and_what_was_noticed(served, tmp_path):
    sound, wrong = run_with(served, tmp_path), []
    print(f"\n{'fault':20}{'seen by':14}{'noticed in':16}{'what the suite did'}")
    for fault in CATALOGUE:
        course = run_with(served, tmp_path, f"{fault} at=shot:{STRUCK}")
        try:
            check(fault, course, sound)
        except AssertionError as failed:
            wrong.append(f"{fault}: {failed}")
        print(row(fault, course))
    assert not wrong, "\n".join(wrong)


def row(fault, course):
    """One line of the table."""
    expected, seen_by = EXPECTED[fault], CATALOGUE[fault].seen_by
    verdicts = sorted({s.fit.verdict.name for s in course.shots if s.fit} - {"OK"})
    if course.end:
        window, did = f"{course.seconds:.1f} s", f"ended the run, safe: {course.end}"
    elif course.notices or verdicts:
        window, did = f"shot {STRUCK} on", "; ".join([*verdicts, *course.notices[:1]])
    elif expected.moved:
        window, did = f"shots {STRUCK - 1}, {STRUCK + 1}", f"measured it: fitted {expected.moved[0]} moved"
    elif expected.harmless:
        window, did = "at once", "waited until it was armed: the same codes as without"
    else:
        window, did = f"not in {SHOTS} shots", f"nothing: it takes a {seen_by}"
    return f"{fault:20}{seen_by:14}{window:16}{did[:150]}"
