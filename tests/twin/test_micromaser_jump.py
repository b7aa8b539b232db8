"""Jumps by squaring, held against stepping; and what a metastable well becomes after 1e10 collisions."""

import math

import numpy as np
import pytest

from twin import micromaser
from twin.micromaser import Parameters, charge, escape_rate, jump, steady_state


def any_state(levels, seed=5):
    """A density matrix without any symmetry."""
    parts = np.random.default_rng(seed).normal(size=(2, levels, levels))
    root = parts[0] + 1j * parts[1]
    state = root @ root.conj().T
    return state / np.real(np.trace(state))


KINDS = [dict(c=0.0), dict(c=0.0, loss=0.02), dict(c=0.0, detuning_ratio=1.3, loss=0.1), dict(c=1.0),
         dict(c=0.5 + 0.5j, loss=0.02), dict(c=0.7j, detuning_ratio=1.3), dict(q=0.0, loss=0.1),
         dict(detuning_ratio=1.3, loss=0.1), dict(collision="rabi", c=0.9j, loss=0.1),
         dict(collision="modulated", loss=0.1)]


@pytest.mark.parametrize("initial", [None, any_state(4)], ids=["vacuum", "any state"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("collisions", [1, 6, 901])
def test_a_jump_ends_where_stepping_ends(kind, initial, collisions):
    m = Parameters(**kind)
    run = charge(m, collisions, dimension=9, initial=initial)
    state = jump(m, collisions, dimension=9, initial=initial)
    assert np.max(np.abs(state - run.state(collisions))) < 1e-12
    assert 1.0 - np.real(np.trace(state)) == pytest.approx(run.lost_weight[-1], abs=1e-12)


@pytest.mark.parametrize("kind", [dict(loss=0.1), dict(loss=0.1, c=0.6j), dict(loss=0.1, c=0.0),
                                  dict(loss=0.1, detuning_ratio=0.5)], ids=str)
def test_a_jump_finds_the_levels_it_needs(kind):
    m = Parameters(theta=1.5, **kind)
    state, run = jump(m, 3000), charge(m, 3000)
    levels = min(len(state), run.dimension)
    assert np.max(np.abs(state[:levels, :levels] - run.state(3000)[:levels, :levels])) < 1e-12
    assert abs(1.0 - np.trace(state)) < 1e-12


@pytest.mark.parametrize("c", [0.0, 0.6, 1.0])
def test_a_trap_holds_for_a_million_million_collisions(c):
    m = Parameters(theta=math.pi / math.sqrt(15.0), c=c)
    state = jump(m, 2**40, dimension=15)
    assert np.real(np.trace(state)) == pytest.approx(1.0, abs=1e-13)
    assert np.max(np.abs(state - steady_state(m, dimension=15))) < 1e-12


def test_the_first_well_empties_at_the_rate_of_its_escape():
    """The share below its edge, one and two lifetimes on; next to nothing comes back."""
    m = Parameters(theta=math.pi / math.sqrt(4.3), q=0.2, loss=0.01)
    rate = escape_rate(m)
    one, two = (np.real(np.diag(jump(m, round(k / rate), dimension=30)))[:4].sum() for k in (1.0, 2.0))
    back = np.real(np.diag(steady_state(m, dimension=30)))[:4].sum()
    assert math.log((one - back) / (two - back)) == pytest.approx(1.0, rel=3e-3)


def test_a_jump_of_nothing_is_the_initial_state():
    assert jump(Parameters(), 0, dimension=3) == pytest.approx(micromaser.vacuum(3))


@pytest.mark.parametrize("arguments, words", [
    ((2.5,), "collisions = 2.5 must be a whole number"), ((-1,), "collisions = -1"),
    ((2**60,), "collisions = 1152921504606846976"), ((10, 0), "dimension = 0"),
    ((2**40, 300), "45151 coordinates are too many to square")])
def test_a_jump_that_cannot_be_made_is_refused_with_the_numbers(arguments, words):
    with pytest.raises(ValueError, match=words):
        jump(Parameters(c=0.5), *arguments)


def test_a_battery_that_outgrows_what_can_be_squared_is_refused():
    with pytest.raises(ValueError, match="too many to square"):
        jump(Parameters(c=0.5), 2**40)
