"""One collision as Kraus operators of a matrix (d, d), for every kind of collision.

Jaynes-Cummings from its blocks; the full Rabi Hamiltonian (Eqs. 3-4) from e^{i H0 tau} e^{-i H tau}; the
modulated one (Eq. 6) integrated in the frame of its own H0'(t), where the Jaynes-Cummings part stands still
and the counter-rotating part turns at 2 omega t + 2 eta sin(nu t). Each collision starts at t = 0. The last
two are worked out on more levels than are kept, so many that the kept block does not know where they end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import eigh_tridiagonal

from .collisions import blocks, qubit
from .parameters import Parameters


@dataclass(frozen=True, eq=False)
class Kraus:
    """operators (r, d, d) with rho -> sum K rho K^+; `leak` (d, d): Tr(leak rho) goes above the top level."""

    operators: np.ndarray
    leak: np.ndarray


@lru_cache(maxsize=4)
def kraus(m: Parameters, dimension: int) -> Kraus:
    """The collision of `m` on `dimension` levels."""
    if m.collision == "jaynes_cummings":
        unitary = _jaynes_cummings(m, dimension)
    else:
        size = _enough(dimension, m.theta)
        whole = (_rabi if m.collision == "rabi" else _modulated)(m, size, dimension)
        unitary = whole.reshape(2, size, 2, dimension)
    values, vectors = np.linalg.eigh(qubit(m))
    rows = [np.sqrt(p) * np.einsum("anbm,b->anm", unitary, v)
            for p, v in zip(values, vectors.T, strict=True) if p > 0.0]
    above = np.concatenate([part[:, dimension:].reshape(-1, dimension) for part in rows])
    kept = np.concatenate([part[:, :dimension] for part in rows])
    return Kraus(np.ascontiguousarray(kept), np.asarray(above.conj().T @ above))


def _enough(dimension: int, theta: float) -> int:
    """Levels that a collision can reach from the kept ones: sqrt(n) grows by at most theta, and tails."""
    return int(np.ceil((np.sqrt(dimension) + theta + 2.0) ** 2)) + 30


def _jaynes_cummings(m: Parameters, d: int) -> np.ndarray:
    """U (2, d + 1, 2, d) between e, g: one level more than is kept, which is all that can be reached."""
    u, unitary = blocks(m, d + 1), np.zeros((2, d + 1, 2, d), complex)
    n = np.arange(d)
    unitary[0, n, 0, n], unitary[1, n, 1, n] = u.ee[:d], u.gg[:d]
    unitary[0, n[:-1], 1, n[1:]], unitary[1, n + 1, 0, n] = u.eg[: d - 1], u.ge[1:]
    return unitary


def _rabi(m: Parameters, size: int, kept: int) -> np.ndarray:
    """U_I (2 size, 2 kept), in units of omega; parity splits it into two tridiagonal chains."""
    ratio, time = m.coupling_ratio, m.theta / m.coupling_ratio
    n = np.arange(size)
    unitary = np.zeros((2 * size, 2 * size), complex)
    for parity in (0, 1):
        excited = (n + parity) % 2 == 0  # the qubit's state beside n photons on this chain
        free = n + np.where(excited, 0.5, -0.5)
        values, vectors = eigh_tridiagonal(free, ratio * np.sqrt(n[1:]))
        turned = (vectors * np.exp(-1j * values * time)) @ vectors.T
        place = np.where(excited, n, size + n)
        unitary[np.ix_(place, place)] = np.exp(1j * free * time)[:, None] * turned
    return unitary[:, np.r_[0:kept, size : size + kept]]


def _modulated(m: Parameters, size: int, kept: int) -> np.ndarray:
    """U_I (2 size, 2 kept) of Eq. (6).

    Turned back by e^{-i H0 t} the Hamiltonian has the modulation's period: one period and the rest of the
    last one are integrated, the others are powers.
    """
    end, period = m.theta / m.coupling_ratio, 2.0 * np.pi / m.modulation_frequency
    n = np.arange(size)
    free = np.concatenate((n + 0.5, n - 0.5))[:, None]
    whole, rest = divmod(end, period)
    last, once = _integrated(m, size, rest), np.eye(2 * size, dtype=complex)
    if whole:
        once = np.exp(-1j * free * period) * _integrated(m, size, period)
    turned = np.exp(-1j * free * rest) * last @ np.linalg.matrix_power(once, int(whole))
    return np.asarray(np.exp(1j * free * end) * turned)[:, np.r_[0:kept, size : size + kept]]


def _integrated(m: Parameters, size: int, end: float) -> np.ndarray:
    """U_I (2 size, 2 size) from 0 to `end` (in 1/omega) by an eighth-order integrator."""
    root, shape = np.sqrt(np.arange(1, size))[:, None], (2, size, 2 * size)

    def slope(t: float, y: np.ndarray) -> np.ndarray:
        e, g = y.reshape(shape)
        phase = np.exp(1j * (2.0 * t + 2.0 * m.modulation_amplitude * np.sin(m.modulation_frequency * t)))
        out = np.zeros(shape, complex)
        out[0, :-1] = root * g[1:]
        out[0, 1:] += phase * (root * g[:-1])
        out[1, 1:] = root * e[:-1]
        out[1, :-1] += np.conj(phase) * (root * e[1:])
        return np.asarray(-1j * m.coupling_ratio * out).ravel()

    start = np.eye(2 * size, dtype=complex)
    if end == 0.0:
        return start
    found = solve_ivp(slope, (0.0, end), start.ravel(), method="DOP853", rtol=1e-12, atol=1e-14,
                      max_step=0.4 / (m.modulation_frequency * max(1.0, m.modulation_amplitude)))
    return np.asarray(found.y[:, -1]).reshape(2 * size, 2 * size)
