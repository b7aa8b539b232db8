"""Forward sensitivities against central differences of tight runs, undriven and driven.

One step of a difference moves a parameter by 1e-5 of itself, so the comparison is good to about 1e-7 of the
largest derivative; `cavity_frequency` and `frequency_35` move by 1 rad/s against line widths of 1e6.
"""

import numpy as np
import pytest

from twin import pentacene, simulate
from twin.drive import Drive, Gaussian, Sampled, Square, Steps
from twin.pentacene import NAMES

P = pentacene.Parameters()
OFF = P.replace(cavity_frequency=P.frequency_35 + 7e5)
TIMES = np.linspace(0.0, 7e-7, 36)
FIELDS = ("populations", "photons", "field")


def moved(record, name, change):
    """The record with one number moved; a share of the branching is paid for by its neighbour's."""
    if name.startswith("branching"):
        other = "branching_4" if name != "branching_4" else "branching_3"
        return record.replace(**{name: record.value(name) + change, other: record.value(other) - change})
    return record.replace(**{name: getattr(record, name, None) + change if hasattr(record, name)
                             else record.value(name) + change})


def differences(p, d, name, model, start=None):
    """Central differences of all fields, to second order in the step."""
    owner, other = (p, d) if name in NAMES else (d, p)
    value = p.value(name) if name in NAMES else getattr(d, name)
    step = 30.0 if "frequency" in name else 1e-5 * abs(value) or 1e-2
    runs = []
    for sign in (1.0, -1.0):
        changed = moved(owner, name, sign * step)
        pair = (changed, other) if name in NAMES else (other, changed)
        runs.append(simulate(*pair, TIMES, model=model, rtol=1e-13))
    return {f: (getattr(runs[0], f) - getattr(runs[1], f)) / (2.0 * step) for f in FIELDS}


def exact(p, d, name, model):
    trajectory = simulate(p, d, TIMES, model=model, rtol=1e-12)
    found = trajectory.sensitivity(name)
    if name.startswith("branching"):
        other = trajectory.sensitivity("branching_4" if name != "branching_4" else "branching_3")
        return {f: getattr(found, f) - getattr(other, f) for f in FIELDS}
    return {f: getattr(found, f) for f in FIELDS}


def agree(p, d, name, model, tolerance=3e-6):
    slopes, expected = exact(p, d, name, model), differences(p, d, name, model)
    run = simulate(p, d, TIMES, model=model, rtol=1e-12)
    # A difference of two runs knows nothing below their rounding, per step.
    value = p.value(name) if name in NAMES else getattr(d, name)
    step = 30.0 if "frequency" in name else 1e-5 * abs(value) or 1e-2
    for f in FIELDS:
        size = np.abs(expected[f]).max()
        floor = 1e-10 * max(np.abs(getattr(run, f)).max(), 1e-3) / step
        assert np.abs(slopes[f] - expected[f]).max() <= tolerance * size + floor, (name, model, f)


@pytest.mark.parametrize("name", [*NAMES, "pump_rate"])
def test_undriven_sensitivities_of_every_parameter_are_the_slopes_of_tight_runs(name):
    for model in ("cumulant", "mean_field", "rate"):
        agree(OFF, Drive(), name, model)


@pytest.mark.parametrize("name", [*NAMES, "pump_rate", "rabi_35"])
def test_driven_sensitivities_of_every_parameter_are_the_slopes_of_tight_runs(name):
    agree(OFF, Drive(rabi_35=2e6), name, "cumulant")


@pytest.mark.parametrize("name", ["pump_rate", "rabi_35", "rabi_45", "rabi_34", "cavity_drive_detuning",
                                  "coupling", "molecules", "cavity_frequency"])
def test_the_mean_field_differentiates_by_every_tone(name):
    d = Drive(rabi_35=2e6, rabi_45=1e7, rabi_34=3e6, cavity_drive=2e9, cavity_drive_detuning=4e5)
    agree(OFF, d, name, "mean_field")


def test_a_complex_cavity_drive_differentiates_by_its_modulus():
    eps = 2e9 * np.exp(0.7j)
    d = Drive(cavity_drive=eps, cavity_drive_detuning=-6e5)
    found = simulate(OFF, d, TIMES, model="mean_field", rtol=1e-12).sensitivity("cavity_drive")
    low, high = (simulate(OFF, d.replace(cavity_drive=eps * (1 + s)), TIMES, model="mean_field", rtol=1e-13)
                 for s in (-1e-5, 1e-5))
    for f in FIELDS:
        expected = (getattr(high, f) - getattr(low, f)) / (2e-5 * abs(eps))
        assert np.abs(getattr(found, f) - expected).max() < 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize("pump", [Square(5e7, 5e-8, 3e-7), Gaussian(9e7, 2e-7, 5e-8),
                                  Steps((1e-7,), (1e7, 6e7)),
                                  Sampled(np.array([0.0, 1e-7, 4e-7]), np.array([1e7, 8e7, 2e7]))],
                         ids=lambda p: type(p).__name__)
def test_a_shaped_pump_differentiates_by_a_common_factor(pump):
    def scaled(factor):
        values = {k: v for k, v in vars(pump).items()}
        for key in ("rate", "peak_rate", "rates"):
            if key in values:
                values[key] = values[key] * factor
        if "values" in values:
            values["values"] = tuple(v * factor for v in values["values"])
        return Drive(pump_rate=type(pump)(**values), pump_off_at=3.5e-7)

    found = simulate(P, scaled(1.0), TIMES, rtol=1e-12).sensitivity("pump_rate")
    high, low = (simulate(P, scaled(1.0 + s), TIMES, rtol=1e-13) for s in (1e-5, -1e-5))
    for f in ("populations", "photons"):
        expected = (getattr(high, f) - getattr(low, f)) / 2e-5
        assert np.abs(getattr(found, f) - expected).max() < 3e-6 * np.abs(expected).max()


def test_stepped_tones_and_cavity_decay_differentiate_by_a_common_factor():
    edges = (1e-7, 3e-7)
    d = Drive(rabi_35=Steps(edges, (0.0, 2e6, -1e6)), cavity_decay=Steps(edges, (2e6, 8e6, 1e6)))
    found = {n: simulate(OFF, d, TIMES, model="mean_field", rtol=1e-12).sensitivity(n)
             for n in ("rabi_35", "cavity_decay")}
    for name, slope in found.items():
        high, low = (simulate(OFF, d.replace(**{name: Steps(edges, tuple(v * (1 + s) for v in getattr(
            d, name).values))}), TIMES, model="mean_field", rtol=1e-13) for s in (1e-5, -1e-5))
        for f in FIELDS:
            expected = (getattr(high, f) - getattr(low, f)) / 2e-5
            assert np.abs(getattr(slope, f) - expected).max() < 3e-6 * np.abs(expected).max()


@pytest.mark.parametrize("name", ["rabi_35", "rabi_45", "rabi_34", "cavity_drive", "cavity_drive_detuning"])
def test_a_tone_that_is_off_can_still_be_differentiated_by(name):
    slope = simulate(OFF, Drive(), TIMES, model="mean_field", rtol=1e-12).sensitivity(name)
    step = 1e-2 if "rabi" in name else 1e3
    if name == "cavity_drive_detuning":
        assert np.all(slope.populations == 0.0) and np.all(slope.field == 0.0)
        return
    # The seed stays: without it, a driven mean field starts from an empty mode.
    high, low = (simulate(OFF, Drive(**{name: s}), TIMES, model="mean_field", rtol=1e-13,
                          seed_photons=OFF.thermal_photons) for s in (step, -step))
    for f in FIELDS:
        expected = (getattr(high, f) - getattr(low, f)) / (2 * step)
        floor = 1e-10 * np.abs(getattr(high, f)).max() / step
        assert np.abs(getattr(slope, f) - expected).max() < 1e-5 * np.abs(expected).max() + floor


def test_a_continued_trajectory_is_differentiated_through_its_past():
    d = Drive(pump_off_at=2.5e-7)
    first = simulate(P, d, np.linspace(0.0, 3e-7, 7), rtol=1e-12)
    second = simulate(P, d, TIMES[TIMES >= 3e-7], rtol=1e-12, initial=first)
    whole = simulate(P, d, TIMES, rtol=1e-12)
    for name in ("coupling", "molecules", "thermal_photons", "pump_rate", "branching_5"):
        late, all_along = second.sensitivity(name), whole.sensitivity(name)
        expected = all_along.photons[TIMES >= 3e-7]
        assert np.abs(late.photons - expected).max() < 1e-7 * np.abs(expected).max()
        assert late.populations.shape == second.populations.shape and np.all(late.times == second.times)


def test_readings_without_sensitivities_say_so_and_unknown_names_get_the_nearest():
    shot = simulate(P, Drive(), TIMES, model="stochastic", seed=3)
    with pytest.raises(ValueError, match="stochastic"):
        shot.sensitivity("coupling")
    with pytest.raises(ValueError, match="coupling"):
        simulate(P, Drive(), TIMES).sensitivity("couplin")


@pytest.mark.parametrize("name, d", [
    ("pump_off_at", Drive(pump_off_at=2.5e-7)),
    ("pump_on_at", Drive(pump_on_at=5e-8, pump_off_at=4e-7)),
    ("pump_off_at", Drive(pump_rate=Gaussian(9e7, 2e-7, 8e-8), pump_off_at=2.3e-7)),
    # An edge of another kind at the same time is not moved along.
    ("pump_off_at", Drive(rabi_35=Steps((3.1e-7,), (0.0, 5e6)), pump_off_at=3.1e-7)),
], ids=["off", "on", "off, within a Gaussian", "off, as a tone comes on"])
def test_the_edges_of_the_pump_can_be_differentiated_by(name, d):
    found = simulate(P, d, TIMES, rtol=1e-12).sensitivity(name)
    step = 1e-13
    high, low = (simulate(P, d.replace(**{name: getattr(d, name) + s}), TIMES, rtol=1e-13)
                 for s in (step, -step))
    for f in FIELDS:
        expected = (getattr(high, f) - getattr(low, f)) / (2 * step)
        floor = 1e-11 * max(np.abs(getattr(high, f)).max(), 1e-3) / step
        assert np.abs(getattr(found, f) - expected).max() < 1e-4 * np.abs(expected).max() + floor, f


def test_a_pump_that_is_on_from_the_start_is_differentiated_towards_later():
    found = simulate(P, Drive(), TIMES, rtol=1e-12).sensitivity("pump_on_at")
    late = simulate(P, Drive(pump_on_at=1e-13), TIMES, rtol=1e-13)
    expected = (late.populations - simulate(P, Drive(), TIMES, rtol=1e-13).populations) / 1e-13
    assert np.abs(found.populations - expected).max() < 1e-4 * np.abs(expected).max()


def test_a_pump_without_an_end_has_no_edge_to_move():
    with pytest.raises(ValueError, match="pump_off_at is None"):
        simulate(P, Drive(), TIMES).sensitivity("pump_off_at")


def test_sensitivities_survive_the_end_of_the_pulse_and_of_s1():
    d, late = Drive(pump_rate=Square(2e6, 0.0, 3e-7)), np.linspace(0.0, 6e-6, 13)
    for name in ("coupling", "pump_rate", "intersystem_crossing", "thermal_photons"):
        run = simulate(P, d, late, rtol=1e-12)
        found = run.sensitivity(name)
        value = P.value(name) if name in NAMES else 1.0
        step = 1e-5 * value
        runs = [simulate(P.replace(**{name: value + s}) if name in NAMES else P,
                         d if name in NAMES else Drive(pump_rate=Square(2e6 * (1 + s), 0.0, 3e-7)), late,
                         rtol=1e-13) for s in (step, -step)]
        expected = (runs[0].photons - runs[1].photons) / (2 * step)
        assert np.abs(found.photons - expected).max() < 1e-4 * np.abs(expected).max(), name
