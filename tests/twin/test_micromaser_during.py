"""Loss while the qubit is inside, against the Liouvillian of qubit and cavity together and its limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from collisions_in_qutip import charged_with_loss_inside
from hypothesis import given, settings
from hypothesis import strategies as st

from twin import micromaser
from twin.micromaser import Parameters, charge, escape_rate, jump, steady_state
from twin.micromaser.during import MOST_LEVELS, DuringCharge

COHERENT = Parameters(theta=math.pi / math.sqrt(15.0), q=0.25, thermal_photons=0.15)


def within(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


def random_state(seed: int, levels: int = 3) -> np.ndarray:
    random = np.random.default_rng(seed)
    root = random.normal(size=(levels, levels)) + 1j * random.normal(size=(levels, levels))
    state = root @ root.conj().T
    return state / np.trace(state).real


def furthest(one: np.ndarray, other: np.ndarray) -> float:
    """Largest difference between any two elements of states on different numbers of levels."""
    size = max(len(one), len(other))
    return float(np.max(np.abs(np.pad(one, (0, size - len(one))) - np.pad(other, (0, size - len(other))))))


@settings(max_examples=12, deadline=None)
@given(st.builds(Parameters, theta=within(0.0, 3.0), loss=st.sampled_from([1e-3, 0.1, 0.4]),
                 interaction_fraction=within(0.05, 1.0), thermal_photons=st.sampled_from([0.0, 0.1]),
                 detuning_ratio=st.just(0.0) | within(-3.0, 3.0), q=within(0.0, 1.0),
                 c=st.builds(lambda r, phase: r * np.exp(1j * phase), within(0.0, 1.0), within(-3.1, 3.1))),
       st.integers(0, 10**6))
def test_it_is_the_joint_liouvillian_of_qubit_and_cavity(m: Parameters, seed: int) -> None:
    found = micromaser.charge(m, 2, initial=random_state(seed)).state(2)
    assert furthest(found, charged_with_loss_inside(m, 2, random_state(seed), 18)) < 1e-11


def test_from_the_vacuum_the_state_stays_real_in_its_gauge_and_is_still_that_of_the_liouvillian():
    m = COHERENT.replace(c=0.6 + 0.5j, loss=0.2, interaction_fraction=0.7)
    assert DuringCharge.own(m, micromaser.vacuum(3)).dtype == float
    assert furthest(micromaser.charge(m, 3).state(3), charged_with_loss_inside(
        m, 3, micromaser.vacuum(), 20)) < 1e-11


def test_incoherent_qubits_need_populations_only():
    m = COHERENT.replace(c=0.0, loss=0.2, interaction_fraction=0.7)
    start = micromaser.number_state(2)
    assert DuringCharge.own(m, start).shape == (3,)
    found = micromaser.charge(m, 2, initial=start).state(2)
    assert furthest(found, charged_with_loss_inside(m, 2, start, 20)) < 1e-11


@pytest.mark.parametrize("detuning", [0.0, 1.3])
def test_without_a_share_it_is_the_papers_splitting(detuning):
    m, start = COHERENT.replace(loss=0.3, detuning_ratio=detuning), random_state(4)
    joint = DuringCharge(m, DuringCharge.own(m, np.pad(start, (0, 27))))
    joint.advance(3, 30)
    assert furthest(joint.matrix, micromaser.charge(m, 3, initial=start).state(3)) < 1e-13


def test_a_small_share_changes_the_plateau_in_proportion():
    split = micromaser.charge(COHERENT.replace(loss=0.1), 150).energy[-1]
    far, near = (micromaser.charge(COHERENT.replace(loss=0.1, interaction_fraction=f), 150).energy[-1] - split
                 for f in (1e-3, 1e-5))
    assert far / near == pytest.approx(100.0, rel=2e-3)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_qubits_that_do_not_couple_leave_the_damped_cavity_alone(share):
    m, start = COHERENT.replace(theta=0.0, loss=0.5, interaction_fraction=share), random_state(7)
    split = m.replace(interaction_fraction=0.0)
    found, expected = (micromaser.charge(one, 4, initial=start).state(4) for one in (m, split))
    assert furthest(found, expected) < 1e-13


def test_a_lossless_collision_has_nothing_to_share():
    run = micromaser.charge(COHERENT.replace(loss=0.0, interaction_fraction=1.0), 40)
    assert np.array_equal(run.energy, micromaser.charge(COHERENT.replace(loss=0.0), 40).energy)


def test_strong_damping_and_heat_keep_the_trace_and_end_in_the_thermal_state():
    m = COHERENT.replace(loss=75.0, thermal_photons=0.05, interaction_fraction=0.6)
    joint = DuringCharge(m, DuringCharge.own(m, micromaser.number_state(3, 9)))
    row = joint.advance(1, 9)[0]
    assert row[0] + row[5] == pytest.approx(1.0, abs=1e-12)
    assert joint.populations == pytest.approx(np.real(np.diag(micromaser.thermal(0.05, 9))), abs=1e-11)


def test_too_few_levels_leak_and_the_lost_weight_tells():
    m = COHERENT.replace(loss=0.2, interaction_fraction=0.5)
    whole, cut = (DuringCharge(m, DuringCharge.own(m, micromaser.vacuum(d))) for d in (40, 8))
    rows, cut_rows = whole.advance(20, 8), cut.advance(20, 8)
    assert 1e-3 < cut_rows[:, 5].sum() < 0.1
    assert cut_rows[:, 0] + np.cumsum(cut_rows[:, 5]) == pytest.approx(np.ones(20), abs=1e-13)
    assert cut_rows[-1, 0] < rows[-1, 0] + rows[-1, 4]


def test_runs_and_states_of_a_run_agree():
    run = micromaser.charge(COHERENT.replace(loss=0.1, interaction_fraction=0.4), 60)
    state = run.state(37)
    assert micromaser.energy(state) == pytest.approx(run.energy[37], abs=1e-12)
    assert micromaser.purity(state) == pytest.approx(run.purity[37], abs=1e-12)
    assert micromaser.ergotropy(state) == pytest.approx(run.ergotropy[37], abs=1e-9)


def test_what_it_cannot_do_is_refused_with_the_reason():
    with pytest.raises(ValueError, match=r"interaction_fraction = 0\.1 must be 0 for .*rabi"):
        Parameters(collision="rabi", interaction_fraction=0.1)
    with pytest.raises(ValueError, match=r"interaction_fraction = 1\.5"):
        Parameters(interaction_fraction=1.5)
    with pytest.raises(ValueError, match=f"at most {MOST_LEVELS} levels"):
        micromaser.charge(COHERENT.replace(loss=0.1, interaction_fraction=0.5), 1, dimension=MOST_LEVELS + 1)


def test_what_knows_losses_between_collisions_only_says_so_or_steps():
    m = Parameters(loss=0.1, interaction_fraction=0.3)
    stepped = charge(m, 300, 20).state(300)
    assert np.max(np.abs(jump(m, 300, 20) - stepped)) < 1e-12
    for ask in (lambda: jump(m, 2**40, 20), lambda: steady_state(m, 20), lambda: escape_rate(m)):
        with pytest.raises(ValueError, match=r"interaction_fraction = 0\.3"):
            ask()
