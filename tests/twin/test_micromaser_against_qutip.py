"""The micromaser twin against joint unitary, partial trace and Liouvillian in QuTiP."""

from __future__ import annotations

import numpy as np
import pytest
from collisions_in_qutip import charged, collided_once, damping
from hypothesis import given, settings
from hypothesis import strategies as st

from twin import micromaser
from twin.micromaser import Parameters
from twin.micromaser.real_gauge import is_real

LEVELS = 3  # of the initial state


def within(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


COHERENCE = st.builds(lambda r, phase: r * np.exp(1j * phase), within(0.0, 1.0), within(-3.1, 3.1))
QUBIT = {"q": within(0.0, 1.0), "c": COHERENCE}
SEEDS = st.integers(0, 10**6)


def random_state(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    root = random.normal(size=(LEVELS, LEVELS)) + 1j * random.normal(size=(LEVELS, LEVELS))
    state = root @ root.conj().T
    return state / np.trace(state).real


def furthest(m: Parameters, collisions: int, initial: np.ndarray, levels: int) -> float:
    """Largest difference between any two elements of the states."""
    found = micromaser.charge(m, collisions, initial=initial).state(collisions)
    size = max(len(found), levels)
    exact = (charged(m, collisions, initial, levels) if m.collision == "jaynes_cummings"
             else collided_once(m, initial, levels))
    return float(np.max(np.abs(np.pad(found, (0, size - len(found))) - np.pad(exact, (0, size - levels)))))


@settings(max_examples=25, deadline=None)
@given(st.builds(Parameters, theta=within(0.0, 4.0), detuning_ratio=st.just(0.0) | within(-5.0, 5.0),
                 **QUBIT), SEEDS)
def test_jaynes_cummings_collisions_are_those_of_the_joint_unitary(m: Parameters, seed: int) -> None:
    assert furthest(m, 4, random_state(seed), 10) < 1e-11


@settings(max_examples=25, deadline=None)
@given(st.builds(Parameters, theta=within(0.0, 4.0), **QUBIT))
def test_the_real_gauge_has_the_phases_of_the_joint_unitary(m: Parameters) -> None:
    assert is_real(m, micromaser.vacuum(4))
    assert furthest(m, 6, micromaser.vacuum(), 9) < 1e-11


@settings(max_examples=12, deadline=None)
@given(st.builds(Parameters, theta=within(0.1, 1.2), coupling_ratio=within(0.1, 0.6),
                 collision=st.just("rabi"),
                 **QUBIT), SEEDS)
def test_rabi_collisions_are_those_of_the_time_ordered_hamiltonian(m: Parameters, seed: int) -> None:
    assert furthest(m, 1, random_state(seed), 40) < 1e-11


@settings(max_examples=10, deadline=None)
@given(st.builds(Parameters, theta=within(0.2, 0.8), coupling_ratio=within(0.3, 1.0),
                 collision=st.just("modulated"), modulation_amplitude=within(0.0, 1.5),
                 modulation_frequency=within(2.0, 12.0), **QUBIT), SEEDS)
def test_modulated_collisions_are_those_of_the_laboratory_frame(m: Parameters, seed: int) -> None:
    assert furthest(m, 1, random_state(seed), 24) < 1e-11


@settings(max_examples=10, deadline=None)
@given(st.builds(Parameters, theta=within(0.2, 3.0), loss=st.sampled_from([1e-3, 0.1, 0.5]),
                 thermal_photons=st.sampled_from([0.0, 0.15]),
                 detuning_ratio=st.just(0.0) | within(-3.0, 3.0),
                 **QUBIT), SEEDS)
def test_damping_between_collisions_is_that_of_the_liouvillian(m: Parameters, seed: int) -> None:
    assert furthest(m, 3, random_state(seed), 22) < 1e-11


def test_damping_alone_is_the_liouvillian_at_every_element() -> None:
    m, state = Parameters(theta=0.0, loss=0.7, thermal_photons=0.3), random_state(3)
    exact = damping(0.7, 0.3, 28) @ np.pad(state, (0, 25)).ravel("F")
    found = micromaser.charge(m, 1, initial=state).state(1)
    assert found[:12, :12] == pytest.approx(exact.reshape((28, 28), order="F")[:12, :12], abs=1e-12)
