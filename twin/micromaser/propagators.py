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
from scipy.special import gammaln

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
    """U_I (2 size, 2 size) from 0 to `end` (in 1/omega) by an eighth-order integrator.

    Every term flips the qubit and moves one photon. So a column spreads step by step, and the qubit's state
    follows from the distance: y[s, b, n] is the amplitude from (s, n) to n + b - width photons.
    """
    width = min(_reach(m.coupling_ratio * end * np.sqrt(size)), size - 1)
    distance = np.arange(-width, width + 1)
    photons = distance[:, None] + np.arange(size)
    excited = (distance % 2 == np.array([[0], [1]]))[:, :, None]
    # into `photons` from one less; the same link leads back
    link = -1j * m.coupling_ratio * np.sqrt(np.where((photons > 0) & (photons < size), photons, 0))[1:]
    shape = (2, *photons.shape)

    def slope(t: float, y: np.ndarray) -> np.ndarray:
        y = y.reshape(shape)
        phase = np.exp(1j * (2.0 * t + 2.0 * m.modulation_amplitude * np.sin(m.modulation_frequency * t)))
        out = np.zeros(shape, complex)
        out[:, 1:] = np.where(excited[:, 1:], phase, 1.0) * link * y[:, :-1]
        out[:, :-1] += np.where(excited[:, :-1], 1.0, np.conj(phase)) * link * y[:, 1:]
        return out.ravel()

    amplitude = np.zeros(shape, complex)
    amplitude[:, width] = 1.0
    if end > 0.0:
        found = solve_ivp(slope, (0.0, end), amplitude.ravel(), method="DOP853", rtol=1e-12, atol=1e-14,
                          max_step=0.4 / (m.modulation_frequency * max(1.0, m.modulation_amplitude)))
        amplitude = found.y[:, -1].reshape(shape)
    unitary = np.zeros((2 * size, 2 * size), complex)
    qubit_before, step, before = np.nonzero(np.broadcast_to((photons >= 0) & (photons < size), shape))
    after = photons[step, before] + np.where(excited[qubit_before, step, 0], 0, size)
    unitary[after, before + size * qubit_before] = amplitude[qubit_before, step, before]
    return unitary


def _reach(strength: float) -> int:
    """Photons by which a collision of that strength, g t sqrt(n), changes their number: all but 1e-18."""
    b = np.arange(1, int(8.0 * strength) + 40)
    size = b * np.log(np.maximum(strength, 1e-300)) - gammaln(b + 1.0) + strength**2 / b
    return int(b[np.flatnonzero(size > np.log(1e-18))[-1]]) + 1 if np.any(size > np.log(1e-18)) else 1
