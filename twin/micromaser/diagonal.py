"""States without coherence: a vector of populations, for incoherent qubits (Eq. 8) at any detuning."""

from __future__ import annotations

import numpy as np
from numba import types

from ..compiled import MATRIX, VECTOR, compiled
from .collisions import blocks
from .damping import Damping, damping
from .parameters import Parameters


def stays_diagonal(m: Parameters, state: np.ndarray) -> bool:
    """True if neither the state (d, d) nor the qubits have coherence: populations are then all there is."""
    incoherent = m.c == 0.0 or m.q in (0.0, 1.0)
    return bool(incoherent and np.count_nonzero(state - np.diag(np.diag(state))) == 0)


def rates(m: Parameters, dimension: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Chances per collision (d,) to stay at n, to come from n+1, from n-1; and to leave the top upwards."""
    u = blocks(m, dimension)
    return ((1.0 - m.q) * np.abs(u.ee) ** 2 + m.q * np.abs(u.gg) ** 2, m.q * np.abs(u.eg) ** 2,
            (1.0 - m.q) * np.abs(u.ge) ** 2, (1.0 - m.q) * u.raised)


def damping_matrix(d: Damping, order: int = 0) -> np.ndarray:
    """What the channel does to the elements rho_{n, n+order}, (d - order, d - order); order 0: P(n | m)."""
    n = np.arange(len(d.escaped) - order)

    def pairs(factors: np.ndarray) -> np.ndarray:
        return factors[: len(n)] * factors[order:]

    apart = n[None, :] - n[:, None]
    lost, gained = (np.where(s >= 0, c.weight[np.abs(s)], 0.0) for c, s in ((d.loss, apart),
                                                                            (d.amplifier, -apart)))
    # Of the three numbers these two are multiplied first, which keeps 2000 levels in the range of doubles.
    lost = pairs(d.loss.after)[:, None] * lost
    gained = gained * pairs(d.amplifier.before)
    return np.asarray((pairs(d.amplifier.after)[:, None] * gained) @ (lost * pairs(d.loss.before)))


@compiled(types.void(VECTOR, VECTOR, VECTOR, VECTOR, VECTOR, types.f8, MATRIX, VECTOR, types.i8, MATRIX))
def _charge(p, spare, stay, down, up, raised, decay, escaped, first, rows):
    """Collisions with damping `decay` (d, d), or none if it is empty; rows as in `kernels.charge`."""
    levels = len(p)
    for k in range(len(rows)):
        leak = raised * p[levels - 1]
        for n in range(levels):
            spare[n] = stay[n] * p[n]
        for n in range(levels - 1):
            spare[n] += down[n] * p[n + 1]
            spare[n + 1] += up[n + 1] * p[n]
        if len(decay) > 0:
            for n in range(levels):
                total = 0.0
                for m in range(levels):
                    total += decay[n, m] * spare[m]
                p[n] = total
                leak += escaped[n] * spare[n]
        else:
            p[:] = spare
        trace = mean = second = square = above = 0.0
        for n in range(first):
            trace += p[n]
            mean += n * p[n]
            second += n * n * p[n]
            square += p[n] * p[n]
        for n in range(first, levels):
            above += p[n]
        rows[k, 0], rows[k, 1], rows[k, 2], rows[k, 3] = trace, mean, second, square
        rows[k, 4], rows[k, 5] = above, leak


class DiagonalCharge:
    """Populations (d,) under collisions."""

    def __init__(self, m: Parameters, state: np.ndarray) -> None:
        self.levels = len(state)
        self._p = state.copy()
        self._stay, self._down, self._up, self._raised = rates(m, self.levels)
        self._decay, self._escaped = np.empty((0, 0)), np.zeros(self.levels)
        if m.loss > 0.0:
            channel = damping(m.loss, m.thermal_photons, self.levels)
            self._decay, self._escaped = damping_matrix(channel), channel.escaped

    @staticmethod
    def own(m: Parameters, state: np.ndarray) -> np.ndarray:
        """Populations (d,) of a density matrix (d, d)."""
        return np.real(np.diag(state)).copy()

    def advance(self, count: int, dimension: int) -> np.ndarray:
        """(count, 6), as `Charge.advance` of stepping.py."""
        rows = np.zeros((count, 6))
        _charge(self._p, np.empty_like(self._p), self._stay, self._down, self._up, self._raised, self._decay,
                self._escaped, dimension, rows)
        return rows

    def scale(self, factor: float) -> None:
        self._p *= factor

    @property
    def populations(self) -> np.ndarray:
        return self._p.copy()

    @property
    def matrix(self) -> np.ndarray:
        return np.diag(self._p).astype(complex)

    @property
    def snapshot(self) -> np.ndarray:
        """Populations (d,), from which the run can go on."""
        return self._p.copy()

    @property
    def spectrum_state(self) -> np.ndarray:
        """What determines the eigenvalues: here themselves (d,)."""
        return self._p.copy()
