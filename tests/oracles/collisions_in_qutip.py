"""Micromaser by brute force: joint unitary of qubit and cavity, partial trace, Liouvillian, all in QuTiP.

The Hamiltonians are typed as they stand in the paper (Eqs. 2, 3, 6, 16), and on so many levels that the
highest ones stay empty. Nothing is shared with the twin but its parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import qutip
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.sparse.linalg import expm_multiply

from twin.micromaser import Parameters

EXCITED, GROUND = qutip.basis(2, 0), qutip.basis(2, 1)


def qubit(m: Parameters) -> qutip.Qobj:
    """Eq. (1)."""
    between = m.c * np.sqrt(m.q * (1.0 - m.q)) * EXCITED * GROUND.dag()
    return m.q * GROUND * GROUND.dag() + (1.0 - m.q) * EXCITED * EXCITED.dag() + between + between.dag()


def operators(levels: int) -> tuple[qutip.Qobj, qutip.Qobj, qutip.Qobj, qutip.Qobj]:
    """a, n, sigma_+ and sigma_z on qubit x cavity."""
    one, two = qutip.qeye(levels), qutip.qeye(2)
    return (qutip.tensor(two, qutip.destroy(levels)), qutip.tensor(two, qutip.num(levels)),
            qutip.tensor(EXCITED * GROUND.dag(), one), qutip.tensor(qutip.sigmaz(), one))


def unitary(m: Parameters, levels: int) -> qutip.Qobj:
    """Eq. (5) in units of g and in the frame of omega_F: sigma_z carries the detuning of Eq. (2)."""
    a, _, up, z = operators(levels)
    free = 0.5 * m.detuning_ratio * z
    joint = free + a * up + a.dag() * up.dag()
    return (1j * free * m.theta).expm() * (-1j * joint * m.theta).expm()


def _rabi(m: Parameters, levels: int, kept: int) -> np.ndarray:
    """Eq. (3), time-ordered by integration, in units of omega."""
    a, _, up, _ = operators(levels)
    together, apart = (a * up + a.dag() * up.dag()).full(), (a.dag() * up).full()
    return _ordered(lambda t: m.coupling_ratio * (together + np.exp(2j * t) * apart
                                                  + np.exp(-2j * t) * apart.conj().T), m, levels, kept)


def _modulated(m: Parameters, levels: int, kept: int) -> np.ndarray:
    """Eq. (6) in the laboratory frame, then taken into the frame of H0'(t)."""
    a, n, up, z = operators(levels)
    coupling = m.coupling_ratio * ((a + a.dag()) * (up + up.dag())).full()
    energies, swing = np.real((n + 0.5 * z).diag()), m.modulation_amplitude * m.modulation_frequency
    end = m.theta / m.coupling_ratio
    moved = _ordered(
        lambda t: np.diag((1.0 + swing * np.cos(m.modulation_frequency * t)) * energies) + coupling,
        m, levels, kept)
    turned = end + m.modulation_amplitude * np.sin(m.modulation_frequency * end)
    return np.exp(1j * energies * turned)[:, None] * moved


def _ordered(hamiltonian: Callable[[float], np.ndarray], m: Parameters, levels: int, kept: int) -> np.ndarray:
    """T exp(-i int H dt) over omega tau = theta/(g/omega), on the columns with fewer than `kept` photons."""
    start = np.eye(2 * levels, dtype=complex)[:, np.r_[0:kept, levels : levels + kept]]
    found = solve_ivp(lambda t, y: (-1j * hamiltonian(t) @ y.reshape(start.shape)).ravel(),
                      (0.0, m.theta / m.coupling_ratio), start.ravel(), method="DOP853", rtol=1e-12,
                      atol=1e-14)
    return found.y[:, -1].reshape(start.shape)


def collided_once(m: Parameters, initial: np.ndarray, levels: int) -> np.ndarray:
    """The cavity's density matrix (levels, levels) after one collision of a kind that turns with time."""
    kept = len(initial)
    joint = (_rabi if m.collision == "rabi" else _modulated)(m, levels, kept)
    whole = qutip.Qobj(joint @ np.kron(qubit(m).full(), initial) @ joint.conj().T, dims=[[2, levels]] * 2)
    return whole.ptrace(1).full()


@lru_cache(maxsize=8)
def damping(loss: float, thermal_photons: float, levels: int) -> np.ndarray:
    """exp(L t_r) of Eq. (16) as a matrix on column-stacked states."""
    a = qutip.destroy(levels)
    jumps = [np.sqrt(loss * (thermal_photons + 1.0)) * a, np.sqrt(loss * thermal_photons) * a.dag()]
    return expm(qutip.liouvillian(None, jumps).full())


def charged_with_loss_inside(m: Parameters, collisions: int, initial: np.ndarray, levels: int) -> np.ndarray:
    """The same with the share f of the loss while the qubit is inside: one Liouvillian of both, then L."""
    a, _, up, z = operators(levels)
    inside, after = m.loss * m.interaction_fraction, m.loss * (1.0 - m.interaction_fraction)
    joint = m.theta * (0.5 * m.detuning_ratio * z + a * up + a.dag() * up.dag())
    jumps = [np.sqrt(inside * (m.thermal_photons + 1.0)) * a, np.sqrt(inside * m.thermal_photons) * a.dag()]
    generator = qutip.liouvillian(joint, jumps).to("CSR").data_as("csr_matrix")
    alone = [np.sqrt(after * (m.thermal_photons + 1.0)) * qutip.destroy(levels),
             np.sqrt(after * m.thermal_photons) * qutip.create(levels)]
    rest = qutip.liouvillian(None, alone).to("CSR").data_as("csr_matrix")
    state = np.pad(initial, (0, levels - len(initial)))
    for _ in range(collisions):
        both = np.kron(qubit(m).full(), state)
        both = expm_multiply(generator, both.ravel("F")).reshape(both.shape, order="F")
        state = qutip.Qobj(both, dims=[[2, levels]] * 2).ptrace(1).full()
        state = expm_multiply(rest, state.ravel("F")).reshape(state.shape, order="F")
    return state


def charged(m: Parameters, collisions: int, initial: np.ndarray, levels: int) -> np.ndarray:
    """The cavity's density matrix (levels, levels) after so many Jaynes-Cummings collisions."""
    state = qutip.Qobj(np.pad(initial, (0, levels - len(initial))))
    joint, incoming = unitary(m, levels), qubit(m)
    for _ in range(collisions):
        state = (joint * qutip.tensor(incoming, state) * joint.dag()).ptrace(1)
        if m.loss:
            column = damping(m.loss, m.thermal_photons, levels) @ state.full().ravel("F")
            state = qutip.Qobj(column.reshape((levels, levels), order="F"))
    return state.full()
