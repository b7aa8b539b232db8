"""Escape rates of metastable wells, down to 1e-40 per collision, against other ways of finding them."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from twin.micromaser import Parameters, charge, escape_rate, incoherent_populations, jump
from twin.micromaser.collisions import gauge
from twin.micromaser.extended import ExtendedCollision, cosine_and_sine, decimals
from twin.micromaser.real_gauge import RealCharge


def theta(m):
    return math.pi / math.sqrt(m)


@pytest.mark.parametrize("m, loss, rate", [(15.6, 0.0, 5.77e-21), (15.6, 1e-3, 8.61e-11),
                                           (15.0, 1e-3, 1.69e-10)])
def test_the_coherent_battery_leaves_its_first_well_at_rates_found_in_sixty_digits(m, loss, rate):
    found = escape_rate(Parameters(theta=theta(m), loss=loss, thermal_photons=0.15))
    assert found == pytest.approx(rate, rel=3e-3)


def test_relaxation_between_two_wells_is_the_sum_of_both_rates():
    m = Parameters(loss=0.01)
    assert escape_rate(m, 1) + escape_rate(m, 2) == pytest.approx(7.6e-10, rel=0.01)


@pytest.mark.parametrize("q", [0.0, 0.25, 0.75])
def test_near_a_trap_the_rate_grows_with_the_square_of_the_distance(q):
    """m (1 - q) p_14 (theta - theta_trap)^2 for incoherent qubits; t* of the paper is one over it."""
    limit = 15.0 * (1.0 - q) * incoherent_populations(q, 15)[-1]
    away = theta(15.0) - theta(15.0005)
    found = escape_rate(Parameters(theta=theta(15.0005), q=q, c=0.0))
    assert found / away**2 == pytest.approx(limit, rel=1e-5)


def test_the_incoherent_first_well_empties_at_that_rate():
    m = Parameters(c=0.0)
    early, late = (charge(m, k).populations(k)[:16].sum() for k in (8000, 12000))
    assert -math.expm1(math.log(late / early) / 4000) == pytest.approx(escape_rate(m), rel=1e-8)


def test_the_coherent_first_well_empties_at_that_rate():
    """The share below its edge, two and three lifetimes on."""
    m = Parameters(theta=theta(4.3), q=0.05)
    rate = escape_rate(m)
    early, late = (np.real(np.diag(jump(m, round(k / rate), dimension=40)))[:4].sum() for k in (2.0, 3.0))
    assert math.log(early / late) == pytest.approx(1.0, rel=1e-3)


def test_exact_traps_are_never_left():
    assert escape_rate(Parameters(theta=theta(15.0))) == 0.0
    assert escape_rate(Parameters(theta=theta(15.0), c=0.0)) == 0.0
    assert escape_rate(Parameters(theta=theta(15.0), loss=0.1, thermal_photons=0.0)) == 0.0
    assert escape_rate(Parameters(theta=theta(15.0), loss=0.1, thermal_photons=0.1)) > 0.0
    assert escape_rate(Parameters(q=1.0)) == 0.0


def test_a_phase_of_the_coherence_changes_no_rate():
    first = escape_rate(Parameters(theta=theta(6.3), c=0.8))
    assert escape_rate(Parameters(theta=theta(6.3), c=0.8j)) == pytest.approx(first, rel=1e-9)


@pytest.mark.parametrize("settings, well, words", [
    (dict(collision="rabi"), 1, "exchange photons at every level"),
    (dict(collision="modulated"), 1, "exchange photons at every level"),
    (dict(theta=0.0), 1, "theta = 0"), (dict(theta=3.0), 1, "lie between the levels 0, 1, 4"),
    (dict(theta=0.2), 1, "at most 256"),
    (dict(), 0, "well = 0 must be a whole number"),
    (dict(detuning_ratio=1.0), 1, "below 1e-09")], ids=str)
def test_where_there_is_no_well_it_is_said_why(settings, well, words):
    with pytest.raises(ValueError, match=words):
        escape_rate(Parameters(**settings), well)


@pytest.mark.parametrize("loss", [0.0, 0.03])
def test_the_collision_in_decimals_is_the_one_in_doubles(loss):
    m = Parameters(q=0.3, c=0.7, loss=loss, thermal_photons=0.4)
    root = np.random.default_rng(2).normal(size=(9, 9))
    state = root @ root.T / np.trace(root @ root.T)
    turn = gauge(m, 9)
    carried = RealCharge(m, RealCharge.own(m, state * turn[:, None] * turn.conj()))
    carried.advance(1, 9)
    stepped = carried.matrix * turn.conj()[:, None] * turn
    with localcontext() as context:
        context.prec = 40
        found = ExtendedCollision(m, 0, 9, 40).apply(decimals(state)).astype(float)
    assert np.max(np.abs(found - stepped)) < 1e-14


@pytest.mark.parametrize("angle", ["0", "0.3", "3.14159265358979323846264338327950288419716939937510582",
                                   "40.5"])
def test_cosine_and_sine_have_the_digits_that_are_asked_for(angle):
    with localcontext() as context:
        context.prec = 60
        cos, sin = cosine_and_sine(Decimal(angle), 50)
        assert abs(cos * cos + sin * sin - 1) < Decimal("1e-48")
        assert float(cos) == pytest.approx(math.cos(float(angle)), abs=1e-14)
        if angle.startswith("3.14"):
            assert abs(sin) < Decimal("1e-48")
