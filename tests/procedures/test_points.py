"""What a run sweeps as data, and the walk over it: order, repeats, controls without light."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedures import catalogue, open_bench, open_run, run
from procedures.machinery.records.points import ORDERS, Plan, Point, Visit, alike, along, key_of
from procedures.machinery.records.settings import values
from procedures.machinery.replay import replay
from procedures.machinery.scan import Walk

PLANS = st.builds(Plan, st.integers(1, 12).map(alike), st.sampled_from(ORDERS), st.integers(1, 4),
                  st.integers(0, 5))
FIRING = [name for name in catalogue.names() if issubclass(catalogue.procedure(name), Walk)]


@given(PLANS, st.integers(0, 2**32))
def test_every_point_is_visited_as_often_as_asked_and_a_control_follows_every_nth_shot(plan, seed):
    visits = list(plan.visits(seed))
    taken = [visit.key for visit in visits if visit.point is not None]
    assert len(visits) == len(plan)
    assert Counter(taken) == Counter((p.number, r) for p in plan.points for r in range(plan.repeats))
    places = [i for i, visit in enumerate(visits) if visit.point is None]
    every = plan.control_every
    assert places == ([(every + 1) * i + every for i in range(len(taken) // every)] if every else [])


@given(PLANS, st.integers(0, 2**32), st.data())
def test_what_was_taken_is_left_out_and_nothing_else(plan, seed, data):
    everything = {visit.key for visit in plan.visits(seed) if visit.point is not None}
    taken = frozenset(data.draw(st.sets(st.sampled_from(sorted(everything)))))
    left = {visit.key for visit in plan.visits(seed, taken) if visit.point is not None}
    assert left == everything - taken


def test_random_is_the_seed_s_and_new_for_each_repeat_the_others_are_as_they_say():
    plan = Plan(alike(30), "random", repeats=2)
    first, again, other = ([visit.key for visit in plan.visits(seed)] for seed in (1, 1, 2))
    assert first == again != other
    assert [n for n, _ in first[:30]] != [n for n, _ in first[30:]]
    backward = [visit.key for visit in Plan(alike(3), "backward", 2).visits(0)]
    assert backward == [(2, 0), (1, 0), (0, 0), (2, 1), (1, 1), (0, 1)]


def test_a_shot_s_settings_tell_which_visit_it_was():
    point = along("pump_energy", [1e-3, 2e-3])[1]
    assert point["pump_energy"] == 2e-3
    assert key_of(Visit(point, 3).settings()) == (1, 3)
    assert key_of(Visit(None).settings()) is None and key_of({}) is None


@pytest.mark.parametrize("name", FIRING)
def test_what_a_procedure_sweeps_is_known_without_a_bench(name):
    procedure = catalogue.procedure(name)(**values(catalogue.procedure(name), {"shots": 7}))
    points = procedure.points()
    assert [point.number for point in points] == list(range(7))
    assert all(math.isfinite(value) for point in points for value in point.values.values())
    assert procedure.duration() >= 7 / procedure.repetition_rate


@pytest.mark.parametrize("name", catalogue.names())
def test_every_procedure_says_what_it_does_and_how_long_it_takes(name):
    told = catalogue.as_json(name)
    assert set(told["about"]) == {"swept", "read", "fitted", "drawn"} and all(told["about"].values())
    assert 0.0 < told["duration"] < 60.0
    assert set(told["meanings"]) == {setting["name"] for setting in told["settings"]}
    assert all(told["meanings"].values())


@pytest.fixture(scope="module")
def scans(served, tmp_path_factory):
    """A pump scan as it always was, and one in random order, twice over, with controls."""
    folder, common = tmp_path_factory.mktemp("scans"), {"shots": 4, "repetition_rate": 20,
                                                       "pump_energy_start": "0.5mJ"}
    with open_bench(served[0]) as bench:
        plain = run("pump_threshold", bench, folder, seed=11, **common)
        mixed = run("pump_threshold", bench, folder, seed=11, order="random", repeats=2, control_every=3,
                    **common)
    return plain, mixed


def test_a_run_stores_what_belongs_to_which_point_and_answers_from_all(scans):
    _, mixed = scans
    assert len(mixed.shots) == 10
    controls = [shot for shot in mixed.shots if shot.control]
    assert [shot.number for shot in controls] == [3, 7]
    keys = Counter(key_of(shot.settings) for shot in mixed.shots if not shot.control)
    assert keys == Counter((point, repeat) for point in range(4) for repeat in range(2))
    for shot in mixed.shots:
        if not shot.control:
            asked = np.geomspace(5e-4, 5e-3, 4)[int(shot.settings["point.number"])]
            assert shot.settings["pump.energy"] == pytest.approx(asked, rel=1e-3)
    assert mixed.result["verdicts"]["CONTROL"] == 2 and mixed.result["verdicts"]["OK"] == 8
    plain = scans[0].result
    assert mixed.result["threshold_energy"] == pytest.approx(plain["threshold_energy"], rel=0.02)


def test_a_control_holds_no_light_and_no_fit_and_nothing_is_said_about_a_silent_one(scans):
    mixed = scans[1]
    for shot in (s for s in mixed.shots if s.control):
        assert shot.fit is None and math.isnan(shot.energy) and shot.settings["pump.energy"] == 0.0
        assert np.std(shot.waveform.volts) < 3e-3
    assert not [event for event in mixed.events if event["event"] == "Notice"]
    with open_run(mixed.path) as stored:
        assert list(replay(stored))[-1].result == mixed.result


@pytest.mark.parametrize("fault, severity, said", [
    ("noise_burst", "20", "before the light, burst holds "),
    ("rf_leakage", "1e11", "a control shot without light holds a signal of ")])
def test_a_control_that_shows_a_signal_is_told(served, tmp_path, fault, severity, said):
    path, console = served
    with open_bench(path) as bench:
        try:
            console.ask(f"inject {fault} severity={severity} at=shot:1")
            done = run("single_shot", bench, tmp_path, shots=1, control_every=1, repetition_rate=20)
        finally:
            console.ask(f"inject {fault} severity=0")
    told = [event["text"] for event in done.events if event["event"] == "Notice"]
    assert len(told) == 1 and told[0].startswith("shot 1: ") and said in told[0]


@pytest.mark.parametrize(("name", "given"), [("ring_down", {"shots": 2}),
                                             ("receiver_calibration", {"shots": 6})])
def test_a_walk_in_the_dark_has_an_order_too_and_answers_the_same(served, tmp_path, name, given):
    with open_bench(served[0]) as bench:
        forward, back = (run(name, bench, tmp_path, seed=4, order=order, repetition_rate=20, **given)
                         for order in ("forward", "backward"))
    assert "control_every" not in forward.settings
    assert [s.settings["point.number"] for s in back.shots] == list(range(given["shots"]))[::-1]
    for key, value in forward.result.items():
        if not key.endswith("sigma") and isinstance(value, float):
            assert back.result[key] == pytest.approx(value, rel=0.02), key


def test_a_million_points_are_made_one_by_one_when_they_are_asked_for():
    points = alike(1_000_000)
    assert len(points) == 1_000_000 and points[-1] == Point(999_999, {})
    assert [point.number for point in points[3:6]] == [3, 4, 5]
    with pytest.raises(IndexError):
        points[1_000_000]
