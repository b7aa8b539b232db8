"""Maps: every point of a sweep is the trajectory that `simulate` gives, whatever the axes do to the model."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin import pentacene, simulate
from twin.drive import Drive, Square, Steps
from twin.pentacene import NAMES
from twin.sweep import sweep

P = pentacene.Parameters()
TIMES = np.linspace(0.0, 2e-6, 21)
PULSE = Drive(pump_rate=1e7, pump_off_at=3e-7)


def alone(p, d, point, model):
    """The trajectory of one point, by itself."""
    ours = {n: v for n, v in point.items() if n in NAMES}
    return simulate(p.replace(**ours), d.replace(**{n: v for n, v in point.items() if n not in NAMES}), TIMES,
                    model=model)


def agree(p, d, axes, model="cumulant"):
    found = sweep(p, d, TIMES, axes, model)
    assert found.photons.dims == (*axes, "time") and found.populations.dims == (*axes, "time", "level")
    assert not found.status.any()
    for place in np.ndindex(*(len(a) for a in axes.values())):
        where = dict(zip(axes, place, strict=True))
        one, expected = found.isel(where), alone(p, d, {n: axes[n][i] for n, i in where.items()}, model)
        assert np.abs(one.populations - expected.populations).max() < 1e-8, where
        assert np.abs(one.photons - expected.photons).max() <= 1e-7 * np.abs(expected.photons).max(), where
        assert np.abs(one.field - expected.field).max() <= 1e-7 * np.abs(expected.field).max() + 1e-9, where


@settings(max_examples=6, deadline=None)
@given(st.lists(st.floats(1e14, 5e16), min_size=1, max_size=3),
       st.lists(st.floats(2e5, 5e7), min_size=1, max_size=3),
       st.sampled_from(["cumulant", "mean_field", "rate"]))
def test_every_point_of_a_map_is_the_trajectory_by_itself(molecules, decays, model):
    agree(P, PULSE, {"molecules": np.array(molecules), "cavity_decay": np.array(decays)}, model)


@pytest.mark.parametrize("axes", [
    {"pump_rate": np.array([0.0, 1e6, 5e7]), "rabi_35": np.array([0.0, 1e6])},
    {"cavity_frequency": P.frequency_35 + np.array([-1e6, 0.0, 1e6]), "pump_off_at": np.array([1e-7, 6e-7])},
    {"cavity_drive": np.array([0.0, 1e9, 1e9j, 1e9 + 1e9j]), "cavity_drive_detuning": np.array([0.0, 1e6])},
    {"spontaneous_emission": np.array([1e7, 2e8]), "pump_on_at": np.array([0.0, 1e-7])},
], ids=lambda axes: " and ".join(axes))
def test_points_whose_models_differ_in_structure_share_one_map(axes):
    agree(P, PULSE, axes, "mean_field" if "cavity_drive" not in axes else "cumulant")


def test_a_switched_cavity_keeps_its_switching_along_an_axis_of_its_decay():
    d = PULSE.replace(cavity_decay=Steps((4e-7,), (2e6, 2e7)))
    agree(P, d, {"cavity_decay": np.array([1e6, 1e7]), "coupling": np.array([0.2, 0.3])})


def test_single_shots_of_a_map_have_seeds_of_their_own():
    axes = {"pump_rate": [1e7, 1e7]}
    found, again = (sweep(P, PULSE, TIMES, axes, "stochastic", seed=3) for _ in range(2))
    assert np.array_equal(found.photons, again.photons)
    assert not np.array_equal(found.photons[0], found.photons[1])
    second = simulate(P, PULSE, TIMES, model="stochastic", seed=(3, 1))
    assert np.array_equal(found.photons[1], second.photons)


def test_other_processes_give_the_same_map_and_progress_reaches_the_end():
    axes, heard = {"coupling": np.linspace(0.1, 0.3, 70)}, []
    here = sweep(P, PULSE, TIMES, axes, progress=lambda done, points: heard.append((done, points)))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        there = sweep(P, PULSE, TIMES, axes, executor=pool)
    assert here.identical(there)
    assert heard[-1] == (70, 70) and sorted(heard) == heard and len(heard) == 2


@pytest.mark.parametrize("axes, words", [
    ({}, "at least one"), ({"couplin": [0.1]}, "coupling"), ({"coupling": [-1.0]}, r"coupling = -1.*range"),
    ({"coupling": [float("nan")]}, "coupling"), ({"coupling": ["0.1"]}, "row of numbers"),
    ({"frequency_35": [1.4495e9]}, "2 pi"), ({"branching_5": [0.76, 0.5]}, "sum"),
    ({"coupling": np.linspace(0.1, 0.2, 3000), "molecules": np.geomspace(1e15, 1e16, 1500)}, "GB"),
])
def test_wrong_axes_are_refused_by_name(axes, words):
    with pytest.raises(ValueError, match=words):
        sweep(P, PULSE, TIMES, axes)


def test_units_stand_at_the_axes_and_a_shaped_pump_is_kept():
    found = sweep(P, Drive(pump_rate=Square(1e7, 1e-7, 3e-7)), TIMES, {"coupling": [0.2]})
    assert found.coupling.units == "rad/s" and found.time.units == "s" and found.attrs["model"] == "cumulant"
    assert found.populations.sel(level=1).values[0, 1] == 1.0  # at 100 ns, before the pulse
