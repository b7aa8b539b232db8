"""The parts of a fit, each against something simpler."""

import mean_field_by_hand as by_hand
import numpy as np
import pytest
from fitted_shots import CARRIER, CRYSTAL, EDGE, ENVELOPE, FULL, LOG, PUMP, shot
from hypothesis import given, settings
from hypothesis import strategies as st

from twin import trace_library
from twin.after_pulse import AfterPulse
from twin.coordinates import UNITS, coordinates
from twin.crossing import crossing, first_light, pump_at, triplets_per_molecule
from twin.drive import Drive, Gaussian, Sampled, Square, Steps
from twin.fit import FREE, Verdict, fit
from twin.fit_model import BurstModel, rise
from twin.identify import identify
from twin.levenberg_marquardt import Evaluation, Prior, minimise
from twin.observation import observe
from twin.optical_pump import pump_drive
from twin.straightened import Straightened
from twin.validity import persistence

NAMES = ("coupling", "cavity_decay", "dephasing_35", "seed_photons", "molecules", "cavity_frequency")


@pytest.mark.parametrize("detuning", [0.0, 2 * np.pi * 60e3])
def test_the_fast_mean_field_is_the_hand_written_one(detuning):
    p = CRYSTAL.replace(cavity_frequency=CRYSTAL.frequency_35 + detuning)
    drive = pump_drive(p, PUMP, 0.3 * FULL)
    times = np.arange(1, 800) * 10e-9
    photons, _ = AfterPulse(p, drive, NAMES).solve(times, p, 6e3, rtol=1e-9)
    expected = by_hand.photons(p, lambda t: float(pump_at(drive, np.array([t]))[0]), drive.edges(), times,
                               6e3)
    assert np.max(np.abs(photons - expected)) < 2e-5 * np.max(expected)


def test_its_derivatives_are_those_of_differences():
    p = CRYSTAL.replace(cavity_frequency=CRYSTAL.frequency_35 + 3e5)
    drive = pump_drive(p, PUMP, 0.5 * FULL)
    times = np.arange(5, 600) * 10e-9
    fast = AfterPulse(p, drive, NAMES)
    _, slopes = fast.solve(times, p, 6e3, rtol=1e-10)
    for q, name in enumerate(NAMES):
        value = 6e3 if name == "seed_photons" else p.value(name)
        step = 1e-4 * (3e5 if name == "cavity_frequency" else value)
        ends = []
        for sign in (1, -1):
            moved = p if name == "seed_photons" else p.replace(**{name: value + sign * step})
            seed = 6e3 + sign * step if name == "seed_photons" else 6e3
            ends.append(fast.solve(times, moved, seed, rtol=1e-10)[0])
        difference = (ends[0] - ends[1]) / (2 * step)
        assert np.max(np.abs(slopes[:, q] - difference)) < 2e-4 * np.max(np.abs(difference)), name


@pytest.mark.parametrize("receiver", [CARRIER, ENVELOPE, LOG])
def test_the_model_of_a_record_has_exact_columns(receiver):
    record, drive = shot(30, energy=0.5 * FULL, receiver=receiver)
    names = (*FREE, "detuning", "start", "baseline")
    seen = observe(record.time, record.volts, receiver, record.sigma, EDGE - 8e-9).until(3000)
    at = coordinates(CRYSTAL, drive, names, seen.noise)
    model = BurstModel(seen, at, Straightened(at, 2e-6), "mean_field", EDGE, 0.0)
    model.rtol = 1e-10
    between = EDGE - 1e-9  # samples, so that none crosses the edge when it is nudged
    values = {**at.declared(between, seen.baseline), "detuning": 3e5}
    w = model.straight.searched(at.vector(values))
    here = model(w)
    for i, name in enumerate(names):
        nudge = np.zeros(len(w))
        nudge[i] = 1e-4
        difference = (model(w + nudge).mean - model(w - nudge).mean) / 2e-4
        scale = np.max(np.abs(difference[seen.used]))
        worst = np.max(np.abs(here.jacobian[:, i] - difference)[seen.used])
        assert worst < (0.02 if name == "start" else 2e-3) * scale, name


@pytest.mark.parametrize("pump", [Square(3e7, 0.0, 5.5e-9), Gaussian(3e7, 10e-9, 5e-9),
                                  Sampled([0.0, 4e-9, 9e-9], [0.0, 4e7, 0.0]),
                                  Steps((0.0, 6e-9), (0.0, 3e7, 0.0))])
def test_the_crossing_adds_up_to_the_pulses_triplets(pump):
    drive = Drive(pump_rate=pump, pump_off_at=0.2e-6)
    made = crossing(CRYSTAL, drive)
    assert made.triplets == pytest.approx(triplets_per_molecule(CRYSTAL, drive), rel=1e-4)
    assert np.trapezoid(made.rate, made.times) == pytest.approx(made.triplets, rel=1e-3)
    assert made.times[0] == first_light(drive) >= 0.0


def test_a_pump_that_never_stops_brings_everyone_once():
    assert triplets_per_molecule(CRYSTAL, Drive(pump_rate=6e7)) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("energy", [0.06, 0.2, 1.0])
def test_the_library_finds_a_start_nearby(energy):
    drive = pump_drive(CRYSTAL, PUMP, energy * FULL)
    number = CRYSTAL.molecules * triplets_per_molecule(CRYSTAL, drive)
    coupling = CRYSTAL.coupling * np.sqrt(number)
    times = np.arange(1, 3000) * 10e-9
    photons, _ = AfterPulse(CRYSTAL, drive, ()).solve(times, CRYSTAL, 5e3)
    last = np.nonzero(photons > 1e-3 * photons.max())[0][-1]
    half = times[np.argmax(photons > 0.25 * photons.max())]
    traces = trace_library.library(CRYSTAL, drive, coupling, (True, True, True))
    starts = list(traces.starts(times[:last:8], np.sqrt(photons[:last:8]), half, 6))
    # A weak burst has a trough of good starts, along which coupling and gain go together.
    assert min(abs(s.collective_coupling / coupling - 1) for s in starts) < 0.15
    assert min(abs(s.amplitude / np.sqrt(number) - 1) for s in starts) < 0.15
    assert all(s.misfit < 0.1 for s in starts)


def test_one_library_serves_an_octave_of_pump_energies():
    trace_library.forget()
    drive = pump_drive(CRYSTAL, PUMP, FULL)
    one = trace_library.library(CRYSTAL, drive, 2.0**22.1, (True, True, True))
    weaker = pump_drive(CRYSTAL, PUMP, 0.9 * FULL)
    assert trace_library.library(CRYSTAL, weaker, 2.0**21.9, (True, True, True)) is one
    assert trace_library.library(CRYSTAL, drive, 2.0**23.0, (True, True, True)) is not one


def test_straight_coordinates_lead_back_to_where_they_came_from():
    at = coordinates(CRYSTAL, pump_drive(CRYSTAL, PUMP, FULL), (*FREE, "baseline"), 1e-3)
    u = at.vector(at.declared(0.0, 0.0)) + 0.1
    map_ = Straightened(at, 3e-6)
    assert np.allclose(map_.fitted(map_.searched(u)), u, rtol=1e-13)
    assert np.allclose(Straightened(at, 0.0).searched(u), u)


@given(st.lists(st.floats(0.5, 2.0), min_size=3, max_size=3), st.floats(-1, 1), st.floats(-1, 1))
@settings(deadline=None, max_examples=25)
def test_least_squares_finds_the_minimum_of_a_line(weights, slope, offset):
    x = np.linspace(0, 1, 30)
    columns = np.stack([x, np.ones(30), x**2], axis=1)
    data = columns @ np.array([slope, offset, 0.3])

    def line(u):
        return Evaluation(columns @ u, columns, np.full(30, weights[0]))

    found = minimise(line, data, np.zeros(3), Prior(np.zeros(3), np.zeros(3)), tolerance=1e-10)
    assert found.converged and found.chi2 < 1e-6


def test_a_prior_is_a_measurement():
    def constant(u):
        return Evaluation(np.full(4, u[0]), np.ones((4, 1)), np.full(4, 1.0))

    prior = Prior(np.array([1.0]), np.array([2.0]))
    found = minimise(constant, np.zeros(4), np.zeros(1), prior, tolerance=1e-12)
    assert found.at[0] == pytest.approx(0.5) and found.normal[0, 0] == pytest.approx(8.0)


def test_only_the_combination_that_the_data_hold_is_alive():
    known = identify(("gain", "number", "rate"), np.array([[1e4, 1e4, 0], [1e4, 1e4, 0], [0, 0, 1e6]]))
    assert [known.identifiable(n) for n in known.names] == [False, False, True]
    assert known.sigma[2] == pytest.approx(1e-3, rel=1e-3)
    dead = known.dead_directions(known.names)
    assert len(dead) == 1 and set(dead[0]) == {"gain", "number"}
    assert dead[0]["gain"] * dead[0]["number"] < 0


def test_white_noise_is_not_persistent_and_a_drift_is():
    noise = np.random.default_rng(1).normal(size=500)
    assert abs(persistence(noise)) < 4
    assert persistence(noise + np.sin(np.arange(500) / 20)) > 5


def test_the_derivative_in_time_is_of_high_order():
    t = np.arange(0.0, 1.0, 0.02)
    assert np.max(np.abs(rise(np.exp(5 * t), t) / (5 * np.exp(5 * t)) - 1)[3:-3]) < 1e-7


def test_every_name_that_can_be_fitted_has_a_unit():
    assert (UNITS["collective_coupling"], UNITS["start"], UNITS["dephasing_35"]) == ("rad/s", "s", "1/s")


def test_a_long_pump_is_fitted_by_the_general_engine():
    import noisy_shots

    p = CRYSTAL.replace(molecules=2e15)
    drive = Drive(pump_rate=Square(1.5e6, 0.0, 0.5e-6))
    record = noisy_shots.shot(p, drive, CARRIER, 3, EDGE)
    result = fit(record.time, record.volts, p, drive, CARRIER, sigma=record.sigma,
                 prior={"start": (EDGE, 1e-9)})
    assert result.verdict is Verdict.OK
    for name in FREE:
        assert abs(result.parameters[name] - record.truth[name]) < 4.5 * result.sigma[name], name


def test_the_pump_rate_stands_in_for_the_gain():
    record, drive = shot(31)
    free = tuple("pump_rate" if n == "amplitude_scale" else n for n in FREE)
    result = fit(record.time, record.volts, CRYSTAL, drive, CARRIER, free=free, sigma=record.sigma,
                 prior={"start": (EDGE, 2e-9)})
    assert result.verdict is Verdict.OK and result.derived == ("pump_rate",)
    assert result.parameters["pump_rate"] == pytest.approx(1.0, rel=0.05)


def test_a_pump_that_stays_on_needs_no_library():
    import noisy_shots

    p = CRYSTAL.replace(molecules=2e15)
    drive = Drive(pump_rate=Square(4e5, 0.0, 6e-6))
    record = noisy_shots.shot(p, drive, CARRIER, 4, EDGE)
    free = tuple(n for n in FREE if n != "amplitude_scale")
    result = fit(record.time, record.volts, p.replace(coupling=1.05 * p.coupling), drive, CARRIER, free=free,
                 sigma=record.sigma, prior={"start": (EDGE, 1e-9)})
    assert result.verdict is Verdict.OK
    assert result.parameters["collective_coupling"] == pytest.approx(
        record.truth["collective_coupling"], abs=4.5 * result.sigma["collective_coupling"])
