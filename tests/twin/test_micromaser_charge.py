"""Runs of the micromaser battery: what truncation, long runs and looking back must not change."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from collisions_in_qutip import damping

from twin import micromaser
from twin.micromaser import Parameters, charge

WELL, TRAP = math.pi / math.sqrt(15.6), math.pi / math.sqrt(15.0)
LOSSY = dict(theta=WELL, loss=0.1, thermal_photons=0.15)


@pytest.mark.parametrize("settings", [dict(LOSSY, c=0.6 + 0.3j), dict(LOSSY, c=0.0),
                                      dict(LOSSY, detuning_ratio=0.7), dict(theta=TRAP, c=0.5, q=0.4)])
def test_ten_thousand_collisions_leave_a_density_matrix(settings: dict[str, Any]) -> None:
    run = charge(Parameters(**settings), 10_000, dimension=15)
    state = run.state(10_000)
    assert np.max(np.abs(state - state.conj().T)) < 1e-12
    assert np.linalg.eigvalsh(state)[0] > -1e-12
    assert np.trace(state).real == pytest.approx(1.0 - run.lost_weight[-1], abs=1e-12)


@pytest.mark.parametrize("coherence", [1.0, 0.5, 0.0])
def test_nothing_leaves_a_closed_sector(coherence: float) -> None:
    trapped = charge(Parameters(theta=TRAP, c=coherence), 3000, dimension=15)
    young = charge(Parameters(theta=0.5, c=coherence), 20, dimension=21)
    for run in (trapped, young):
        assert np.max(np.abs(run.lost_weight)) < 1e-12
        assert run.energy == pytest.approx(charge(run.parameters, run.collisions).energy, abs=1e-12)


@pytest.mark.parametrize("dimension", [12, 20])
@pytest.mark.parametrize("settings", [
    dict(theta=WELL), dict(theta=WELL, c=0.0), dict(theta=WELL, c=0.6, q=0.6), dict(LOSSY),
    dict(LOSSY, loss=1e-3), dict(LOSSY, loss=0.01, detuning_ratio=0.5),
    dict(theta=WELL, collision="rabi", coupling_ratio=0.05)])
def test_lost_weight_is_what_a_larger_run_has_above_those_levels(settings: dict[str, Any],
                                                                 dimension: int) -> None:
    few, more = (charge(Parameters(**settings), 40, size) for size in (dimension, 2 * dimension))
    for k in (0, 1, 7, 30, 40):
        above = more.populations(k)[dimension:].sum() + more.lost_weight[k]
        assert few.lost_weight[k] == pytest.approx(above, abs=1e-12)
        assert few.state(k) == pytest.approx(more.state(k)[:dimension, :dimension], abs=1e-12)
        assert few.energy[k] == pytest.approx(micromaser.energy(few.state(k)), abs=1e-11)
        assert few.purity[k] == pytest.approx(micromaser.purity(few.state(k)), abs=1e-12)


def test_weight_that_left_the_levels_comes_back_to_them() -> None:
    # m = 12: from |2> an excited qubit always leaves its photon; in the end P(n) ~ (2/3)^n below the trap.
    run = charge(Parameters(theta=math.pi / math.sqrt(12.0), q=0.6, c=0.0), 3000, dimension=3,
                 initial=micromaser.number_state(2))
    ratio = 0.4 / 0.6
    assert run.lost_weight[1] == pytest.approx(0.4)
    assert run.lost_weight[-1] == pytest.approx((ratio**3 - ratio**12) / (1.0 - ratio**12), abs=1e-9)


def test_a_given_dimension_leaks_where_no_levels_are_left_to_carry() -> None:
    run = charge(Parameters(theta=0.3, loss=0.5, thermal_photons=100.0, c=0.0), 20, dimension=10)
    assert run.energy[-1] < 9.0 and 0.5 < run.lost_weight[-1] < 1.0


def test_a_run_that_needs_too_many_levels_is_refused_with_the_collision_it_reaches() -> None:
    climbing = Parameters(theta=0.06, q=0.0, c=0.0)  # the first trap is at 2742 photons
    with pytest.raises(ValueError, match=r"2000 levels hold .* up to collision k = \d+") as refusal:
        charge(climbing, 10_000)
    reached = int(str(refusal.value).split("k = ")[1].split(";")[0])
    assert 1000 < reached < 10_000
    assert charge(climbing, reached).lost_weight[-1] < 1e-12


def test_a_million_collisions_stay_below_two_hundred_megabytes() -> None:
    tracemalloc.start()
    try:
        run = charge(Parameters(theta=TRAP), 1_000_000, dimension=15)
        assert run.ergotropy[-1] == pytest.approx(run.energy[-1], abs=1e-9)
        assert run.energy[-1] == pytest.approx(6.150291006486, abs=1e-9)
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("settings", [dict(LOSSY), dict(theta=WELL, c=0.0),
                                      dict(LOSSY, c=0.5j, detuning_ratio=0.4)])
def test_looking_back_finds_the_state_in_which_a_shorter_run_ends(settings: dict[str, Any]) -> None:
    run = charge(Parameters(**settings), 700)
    for k in (0, 3, 255, 256, 257, 699):
        shorter = charge(run.parameters, k)
        size = min(run.dimension, shorter.dimension)
        assert run.state(k)[:size, :size] == pytest.approx(shorter.state(k)[:size, :size], abs=1e-12)
        assert run.populations(k) == pytest.approx(np.diag(run.state(k)).real, abs=0.0)


def test_all_energy_of_a_pure_state_is_work() -> None:
    run = charge(Parameters(theta=0.3, q=0.0), 1)  # one photon at most: the vacuum, then a mixture
    assert run.ergotropy[1] == pytest.approx(run.energy[1] - min(run.energy[1], 1.0 - run.energy[1]))
    pure = charge(Parameters(theta=TRAP), 600)
    assert pure.ergotropy[500:] == pytest.approx(pure.energy[500:], abs=1e-9)


@pytest.mark.parametrize("settings", [dict(LOSSY), dict(theta=WELL), dict(theta=WELL, c=0.0),
                                      dict(theta=WELL, c=0.5, q=0.4)])
def test_the_run_has_the_ergotropy_of_each_of_its_states(settings: dict[str, Any]) -> None:
    run = charge(Parameters(**settings), 400, dimension=20)
    for k in (1, 2, 5, 80, 81, 300, 399, 400):
        assert run.ergotropy[k] == pytest.approx(micromaser.ergotropy(run.state(k)), abs=1e-9)


@pytest.mark.parametrize("collision", ["rabi", "modulated"])
def test_damping_follows_collisions_that_do_not_conserve_excitations(collision: str) -> None:
    bare = Parameters(theta=0.4, loss=0.0, collision=collision, coupling_ratio=0.2, c=0.3 + 0.4j)
    collided = charge(bare, 1).state(1)[:14, :14]
    exact = damping(0.3, 0.15, 20) @ np.pad(collided, (0, 6)).ravel("F")
    damped = charge(bare.replace(loss=0.3, thermal_photons=0.15), 1).state(1)
    assert damped[:10, :10] == pytest.approx(exact.reshape((20, 20), order="F")[:10, :10], abs=1e-12)


@pytest.mark.parametrize(("call", "words"), [
    (dict(collisions=-1), r"collisions = -1 must be a whole number in 0 \.\. 10000000"),
    (dict(collisions=1.5), r"collisions = 1.5 must be a whole number"),
    (dict(collisions=5, dimension=0), r"dimension = 0 must be a whole number in 1 \.\. 2000"),
    (dict(collisions=5, dimension=3, initial=micromaser.number_state(4)), "fills 5 levels"),
    (dict(collisions=5, initial=np.diag([1.5, -0.5])), "initial is not positive"),
    (dict(collisions=5, initial=np.array([[0.5, 1.0], [0.0, 0.5]])), "initial is not Hermitian")])
def test_a_run_that_makes_no_sense_is_refused_by_name_and_range(call: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        charge(Parameters(), **call)


@pytest.mark.parametrize("collision", [-1, 6, 2.5])
def test_a_collision_that_was_not_is_refused(collision: float) -> None:
    with pytest.raises(ValueError, match=rf"collision = {collision} must be a whole number in 0 \.\. 5"):
        charge(Parameters(), 5).state(collision)  # type: ignore[arg-type]
