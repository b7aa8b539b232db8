"""Steady states: closed forms, fixed points, the mixture of two wells, and where there is none."""

import math
from fractions import Fraction

import numpy as np
import pytest

from twin import micromaser
from twin.micromaser import Parameters, charge, steady_state
from twin.micromaser.stationary import Chain


def trapped(m, rotations=1, **settings):
    """No loss, and a trap after so many half turns at n = m."""
    return Parameters(theta=rotations * math.pi / math.sqrt(m), **settings)


@pytest.mark.parametrize("kind", [
    dict(loss=0.1), dict(loss=0.1, c=0.6 - 0.5j), dict(loss=0.05, c=0.0), dict(loss=0.1, detuning_ratio=1.3),
    dict(loss=0.1, c=0.0, detuning_ratio=1.3), dict(loss=0.5, collision="rabi", c=0.9j),
    dict(loss=0.5, collision="modulated", coupling_ratio=0.05), dict(q=0.7, c=0.9),
    dict(q=0.7, c=0.0)], ids=str)
def test_one_more_collision_changes_nothing(kind):
    m = Parameters(theta=0.9, **kind)
    state = steady_state(m)
    assert np.real(np.trace(state)) == pytest.approx(1.0, abs=1e-13)
    assert abs(state[-1, -1]) < 1e-12
    assert np.max(np.abs(charge(m, 1, dimension=len(state), initial=state).state(1) - state)) < 1e-13


@pytest.mark.parametrize("q", [0.1, 0.25, 0.5, 0.8])
def test_coherent_qubits_below_a_trap_leave_the_cotangent_state(q):
    m = trapped(15.0, q=q, c=1j)
    psi = micromaser.cotangent_state(m, 15)
    state = steady_state(m, dimension=15)
    assert np.max(np.abs(state - np.outer(psi, psi.conj()))) < 1e-13
    assert np.max(np.abs(charge(m, 4000, dimension=15).state(4000) - state)) < 1e-12


@pytest.mark.parametrize("q", [0.0, 0.1, 0.25, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("rotations", [1, 2])
def test_incoherent_qubits_below_a_trap_leave_a_geometric_distribution(q, rotations):
    levels = 15 if rotations == 1 else 3  # the first trap: n = 3 for two half turns at 3
    m = trapped(levels, rotations, q=q, c=0.0)
    p = np.real(np.diag(steady_state(m, dimension=levels)))
    assert np.max(np.abs(p - micromaser.incoherent_populations(q, levels))) < 1e-13
    assert p[1:] * q == pytest.approx(p[:-1] * (1.0 - q), abs=1e-13)


def test_the_limits_of_q():
    p = {q: np.real(np.diag(steady_state(trapped(15.0, q=q, c=0.0), 15))) for q in (0.0, 0.5, 1.0)}
    assert p[0.0][14] == 1.0 and p[1.0][0] == 1.0
    assert p[0.5] == pytest.approx(np.full(15, 1.0 / 15.0), abs=1e-14)


@pytest.mark.parametrize("m, q, purity", [(3, 0.4, 0.5919), (5, 0.4, 0.7674), (15, 0.25, 1.0 - 1.8e-7)])
def test_an_even_number_of_half_turns_leaves_a_mixture(m, q, purity):
    """Against null vectors computed exactly elsewhere; the paper has purity 1 for every Q."""
    state = steady_state(trapped(m, 2, q=q), dimension=m)
    assert micromaser.purity(state) == pytest.approx(purity, abs=5e-5 if m < 15 else 1e-8)
    with pytest.raises(ValueError, match="odd multiple"):
        micromaser.cotangent_state(trapped(m, 2, q=q), m)


def test_the_trap_of_15_6_is_far_up():
    """m = 15.6 is 390/25: five half turns at n = 390, and a pure state that no run reaches."""
    state = steady_state(Parameters(), dimension=390)
    assert micromaser.energy(state) == pytest.approx(339.12, abs=0.005)
    assert micromaser.purity(state) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("m, energy, purity", [(15.0, 3.801666, 0.854389), (15.6, 3.909748, 0.852345)])
def test_a_tenth_lost_between_collisions_leaves_the_plateau_of_the_paper(m, energy, purity):
    state = steady_state(trapped(m, loss=0.1, thermal_photons=0.15))
    assert micromaser.energy(state) == pytest.approx(energy, abs=6e-7)
    assert micromaser.purity(state) == pytest.approx(purity, abs=6e-7)


def test_a_hundredth_lost_leaves_a_mixture_of_two_wells():
    """Far from the plateau E = 6: thermal photons carry 61 % into the second well, 7.6e-10 per collision."""
    state = steady_state(Parameters(loss=0.01))
    assert np.real(np.diag(state))[:16].sum() == pytest.approx(0.386, abs=5e-4)
    assert micromaser.energy(state) == pytest.approx(24.8, abs=0.05)
    assert micromaser.fano(state) == pytest.approx(9.2, abs=0.05)
    assert np.max(np.abs(charge(Parameters(loss=0.01), 1, len(state), state).state(1) - state)) < 1e-14


def test_a_thousandth_lost_is_settled_by_the_levels_that_are_given():
    """Sixty levels end in the second well: its state is the one that 1e11 collisions leave."""
    state = steady_state(Parameters(loss=1e-3), dimension=60)
    assert micromaser.energy(state) == pytest.approx(42.0, abs=0.1)
    assert micromaser.purity(state) == pytest.approx(0.973, abs=1e-3)


@pytest.mark.parametrize("photons", [0.0, 0.15, 1.3])
def test_qubits_at_the_temperature_of_the_cavity_leave_it_in_equilibrium(photons):
    m = Parameters(q=(photons + 1.0) / (2.0 * photons + 1.0), c=0.0, loss=0.03, thermal_photons=photons)
    state = steady_state(m)
    assert np.max(np.abs(state - micromaser.thermal(photons, len(state)))) < 1e-12
    uncoupled = steady_state(m.replace(theta=0.0, q=0.1))
    assert np.max(np.abs(uncoupled - micromaser.thermal(photons, len(uncoupled)))) < 1e-12


@pytest.mark.parametrize("settings, dimension, words", [
    (dict(theta=math.pi / math.sqrt(15.0)), None, "give dimension = 15"),
    (dict(theta=math.pi / math.sqrt(15.0)), 60, "give dimension = 15"),
    (dict(theta=math.pi), 9, "give dimension = 1"),
    (dict(), 16, "n = 16 is no exact trap"), (dict(theta=0.81), None, "no steady state can be normalised"),
    (dict(theta=0.0), None, "every state is a steady one"),
    (dict(collision="rabi"), None, "loss = 0"),
    (dict(loss=1e-3, c=0.5, collision="rabi"), None, "needs 751 levels"),
    (dict(loss=0.1), 0, "dimension = 0"),
    (dict(loss=0.01, detuning_ratio=1.0), 76, "spectral gap is .*e-10")], ids=str)
def test_where_there_is_no_single_steady_state_it_is_said_why(settings, dimension, words):
    with pytest.raises(ValueError, match=words):
        steady_state(Parameters(**settings), dimension)


def test_shares_of_wells_that_hardly_exchange_come_out_with_all_digits():
    """Against rational arithmetic: two pairs of levels joined by chances of 1e-40."""
    up, down = [0.2, 1e-40, 0.1], [0.3, 3e-40, 0.4]
    chances = np.diag(up, -1) + np.diag(down, 1)
    weights = [Fraction(1)]
    for one, other in zip(up, down, strict=True):
        weights.append(weights[-1] * Fraction(one) / Fraction(other))
    expected = [float(w / sum(weights)) for w in weights]
    assert Chain(chances, np.zeros(4)).stationary() == pytest.approx(expected, rel=1e-14)


def test_two_closed_sets_of_levels_are_counted():
    with pytest.raises(ValueError, match="2 sets of levels"):
        Chain(np.array([[0.0, 0.5, 0.0], [0.0, 0.0, 0.0], [0.0, 0.5, 0.0]]), np.zeros(3)).stationary()
