"""Trapping states: the closed steps of the ladder, and what their parity says of the steady state."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twin import micromaser


def traps(m: float, limit: int = 10000) -> list[micromaser.TrappingState]:
    return micromaser.trapping_states(math.pi / math.sqrt(m), limit)


@pytest.mark.parametrize("m, first", [
    (15.0, (15, 1, "odd")), (15.6, (390, 5, "odd")), (15.2, (380, 5, "odd")), (0.75, (3, 2, "even")),
    (5.0 / 9.0, (5, 3, "odd")), (0.25, (1, 2, "even")), (15.01, (1501, 10, "even")), (12.5, (50, 2, "even"))])
def test_every_rational_m_closes_the_ladder_somewhere(m, first):
    assert traps(m)[0] == first


def test_all_traps_are_zeros_of_the_rotation_and_there_are_no_others():
    for m in (7.0, 1.0, 2.75, 0.36):
        theta = math.pi / math.sqrt(m)
        photons = np.arange(1, 2001)
        closed = photons[np.abs(np.sin(theta * np.sqrt(photons))) < 1e-10]
        found = traps(m, 2000)
        assert [t.photons for t in found] == closed.tolist()
        assert [t.rotations for t in found] == np.rint(theta * np.sqrt(closed) / math.pi).tolist()
        assert all(t.parity == ("odd" if t.rotations % 2 else "even") for t in found)


@pytest.mark.parametrize("theta", [0.81, math.sqrt(2.0), 1e-5, 1e-300])
def test_an_irrational_ladder_and_a_short_one_have_none(theta):
    assert micromaser.trapping_states(theta) == []


def test_the_limit_is_the_last_photon_number_looked_at():
    assert [t.photons for t in traps(15.0, 60)] == [15, 60]
    assert traps(15.0, 14) == []
    assert traps(1e7, 10**7)[0].photons == 10**7


@pytest.mark.parametrize("m, pure", [(3.0, True), (5.0 / 9.0, True), (0.75, False), (1.25, False)])
def test_below_an_odd_trap_the_coherent_battery_ends_pure_below_an_even_one_mixed(m, pure):
    first = traps(m)[0]
    run = micromaser.charge(micromaser.Parameters(theta=math.pi / math.sqrt(m), q=0.4), 3000)
    assert (first.parity == "odd") == pure
    assert (1.0 - run.purity[-1] < 1e-10) == pure
    assert np.all(run.populations(3000)[first.photons :] < 1e-25)


def test_between_an_odd_trap_and_the_next_even_one_the_tangent_state_is_pure():
    odd, even = traps(3.0)[:2]
    m = micromaser.Parameters(theta=math.pi / math.sqrt(3.0), q=0.4)
    start = micromaser.number_state(odd.photons + 2)
    state = micromaser.charge(m, 4000, even.photons, start).state(4000)
    n = np.arange(odd.photons + 1, even.photons)
    expected = 1j * math.sqrt(1.5) * np.tan(0.5 * m.theta * np.sqrt(n))
    assert state[n, odd.photons] / state[n - 1, odd.photons] == pytest.approx(expected, rel=1e-10)


def test_an_angle_that_turns_nothing_and_a_limit_that_counts_nothing_are_refused():
    with pytest.raises(ValueError, match="theta = 0"):
        micromaser.trapping_states(0.0)
    with pytest.raises(ValueError, match="theta = -1"):
        micromaser.trapping_states(-1.0)
    with pytest.raises(ValueError, match="limit = 0"):
        micromaser.trapping_states(1.0, 0)
