"""Storage, ringing, ergotropy and threshold against closed forms and a second way."""

import itertools

import numpy as np
import pytest
from scipy.special import ellipk

from twin import pentacene, simulate
from twin.drive import Drive, Steps
from twin.ergotropy import ergotropy
from twin.pentacene import HBAR
from twin.storage import storage

P = pentacene.Parameters()
STILL = P.replace(
    triplet_decay=(0.0, 0.0, 0.0), spin_lattice_35=0.0, spin_lattice_34=0.0, spin_lattice_45=0.0,
    dephasing_35=0.0, dephasing_34=0.0, dephasing_45=0.0, cavity_decay=1.0, thermal_photons=0.0)
"""Nothing is lost: what happens is the coupling's doing."""


def test_storage_is_what_a_simulation_without_a_cavity_does():
    found, free = storage(P), P.replace(coupling=0.0)
    times = np.linspace(0.0, 1e-4, 200_001)
    on = simulate(free, Drive(), times).populations[:, 4]
    off = simulate(free, Drive(pump_off_at=found.maximum_energy_time), times).populations[:, 4]
    top = on.argmax()
    assert found.maximum_energy == pytest.approx(on[top], rel=1e-7)
    assert found.maximum_energy_time == pytest.approx(times[top], abs=1e-9)
    below = times[(off < on[top] / np.e) & (times > times[top])][0]
    assert found.lifetime_pump_off == pytest.approx(below - times[top], abs=2e-9)
    level = found.steady_energy + (on[top] - found.steady_energy) / np.e
    relaxed = times[(on < level) & (times > times[top])][0]
    assert found.lifetime_pump_on == pytest.approx(relaxed - times[top], abs=2e-9)
    late = simulate(free, Drive(), [0.0, 2e-3]).populations[-1, 4]
    assert late == pytest.approx(found.steady_energy, rel=1e-6)


def test_storage_of_a_single_decay_is_exponential():
    p = STILL.replace(triplet_decay=(0.0, 0.0, 1e4), branching=(0.0, 0.0, 1.0))
    found = storage(p, 1e9)
    assert found.lifetime_initial_slope == pytest.approx(1e-4, rel=1e-4)
    assert found.lifetime_pump_off == pytest.approx(1e-4, rel=2e-3)  # S1 still brings a little after the pump


def test_a_battery_that_keeps_more_than_1_over_e_has_no_1_over_e_time():
    assert np.isnan(storage(P).time_to_1_over_e_pump_on)
    assert np.isfinite(storage(P.replace(triplet_decay_51=1e6)).time_to_1_over_e_pump_on)


def test_without_pumping_there_is_nothing_to_store():
    with pytest.raises(ValueError, match="pump_rate"):
        storage(P, 0.0)


def weak_ringing(end=1.2e-6):
    """Every molecule in level 3, and a field of 1e-6 photons per molecule put in at 50 ns, at once."""
    p = STILL.replace(branching=(1.0, 0.0, 0.0), intersystem_crossing=1e10, spontaneous_emission=0.0)
    kick = Steps((5e-8, 5.001e-8), (0.0, 1e-3 * p.molecules**0.5 / 1e-11, 0.0))
    d = Drive(pump_rate=1e10, pump_off_at=4e-8, cavity_drive=kick)
    return simulate(p, d, np.linspace(6e-8, end, 4000))


def test_small_swings_of_the_photon_number_ring_at_the_normal_mode_splitting():
    found = weak_ringing().ringing()
    assert found.normal_mode_splitting == pytest.approx(2.0 * STILL.collective_coupling, rel=1e-3)
    assert found.ratio == pytest.approx(1.0, rel=2e-3)  # a wrong factor of two would make it 2 or 1/2


def test_the_field_rings_at_half_the_frequency_of_the_photon_number():
    t = weak_ringing()
    field = np.imag(t.field)  # a real drive kicks the imaginary quadrature
    zeros = t.times[1:][np.sign(field[1:]) != np.sign(field[:-1])]
    between = float(np.diff(zeros).mean())  # half a period of the field is a period of its square
    assert np.pi / between == pytest.approx(STILL.collective_coupling, rel=2e-3)
    assert between == pytest.approx(t.ringing().periods[0], rel=5e-3)


@pytest.mark.parametrize("seed", [1e8, 1e11])
def test_a_full_swing_has_the_period_of_a_pendulum_that_starts_upright(seed):
    p = STILL.replace(branching=(0.0, 0.0, 1.0), intersystem_crossing=1e10, spontaneous_emission=0.0,
                      coupling=2e-3, cavity_decay=1e-6)
    d = Drive(pump_rate=1e10, pump_off_at=2e-8)
    t = simulate(p, d, np.linspace(0.0, 2e-4, 3), model="mean_field", seed_photons=seed,
                 rtol=1e-13)
    start = seed / p.molecules
    period = 2.0 / p.collective_coupling / np.sqrt(start + 1.0) * ellipk(1.0 / (1.0 + start))
    found = t.ringing()
    assert found.periods[0] == pytest.approx(period, rel=2e-3)
    assert found.ratio < 0.5


def test_the_default_battery_rings_slower_than_its_normal_modes():
    found = simulate(P, Drive(), [0.0, 2e-6]).ringing()
    assert len(found.peak_times) >= 8
    assert found.peak_times[:4] == pytest.approx([479e-9, 633e-9, 776e-9, 915e-9], abs=5e-9)
    assert np.all((found.periods > 138e-9) & (found.periods < 156e-9))
    assert 0.5 < found.ratio < 0.6


def test_below_threshold_nothing_rings():
    found = simulate(P.replace(molecules=1e12), Drive(), [0.0, 2e-6]).ringing()
    assert len(found.peak_times) == 0 and np.isnan(found.ratio)


def test_ergotropy_of_populations_is_the_best_of_all_permutations():
    t = simulate(P, Drive(), np.linspace(0.0, 1e-6, 41))
    levels = HBAR * np.array([0.0, P.frequency_34, P.frequency_35])
    s = t.populations[:, 2:]
    least = np.min([s[:, list(order)] @ levels for order in itertools.permutations(range(3))], axis=0)
    assert t.ergotropy() == pytest.approx(P.molecules * (s @ levels - least), rel=1e-7, abs=1e-16)


def test_ergotropy_counts_coherence():
    x, levels = 0.3 + 0.1j, HBAR * np.array([P.frequency_34, P.frequency_35])
    matrix = np.array([[[0.4, 0, np.conj(x)], [0, 0, 0], [x, 0, 0.6]]], complex)
    spread = np.sqrt(0.1**2 + abs(x) ** 2)
    assert ergotropy(matrix, P)[0] == pytest.approx(
        P.molecules * (0.6 * levels[1] - (0.5 - spread) * levels[0]), rel=1e-12)
    assert ergotropy(matrix, P)[0] > ergotropy(matrix * np.eye(3), P)[0]


def test_ergotropy_under_a_tone_needs_the_coherences():
    t = simulate(P, Drive(rabi_35=1e7), np.linspace(0.0, 3e-7, 61))
    levels = HBAR * np.array([0.0, P.frequency_34, P.frequency_35])
    s = t.populations[:, 2:]
    sorted_only = P.molecules * (s @ levels - np.sort(s, axis=1)[:, ::-1] @ levels)
    assert np.all(t.ergotropy() >= sorted_only - 1e-16)
    assert (t.ergotropy() - sorted_only).max() > 0.05 * sorted_only.max()


def test_threshold_and_cooperativity_are_one_definition():
    p = P.replace(molecules=P.threshold_molecules(0.67))
    assert p.molecules == pytest.approx(2.44e13, rel=0.01)
    assert p.cooperativity(0.67) == pytest.approx(1.0, rel=1e-12)
    by_hand = p.cavity_decay * p.coherence_decay_35 / (2.0 * p.coupling**2 * 0.67)
    assert p.molecules == pytest.approx(by_hand, rel=1e-12)
    t = simulate(P, Drive(), [0.0, 3e-7])
    assert t.cooperativity[1] == pytest.approx(P.cooperativity(t.populations[1, 4] - t.populations[1, 2]))


@pytest.mark.parametrize("model", ["rate", "mean_field", "cumulant"])
def test_a_cavity_switched_long_after_the_last_light_switches_then_and_not_before(model):
    # Held to the same course in two pieces: a cavity that never switches, then another one from there.
    low, high = 2e9, 2e7
    p, switch = P.replace(cavity_decay=low), 2e-6
    times = switch + np.linspace(1e-9, 1.5e-6, 300)
    light = {"pump_rate": 6.2e7, "pump_off_at": 2e-7}
    once = simulate(p, Drive(**light, cavity_decay=Steps((switch,), (low, high))), times, model=model)
    held = simulate(p, Drive(**light), [switch], model=model)
    then = simulate(p.replace(cavity_decay=high), Drive(**light), times, model=model, initial=held)
    assert once.photons.max() > 1e6 * held.photons[0]
    assert np.abs(once.photons - then.photons).max() < 1e-5 * then.photons.max()
