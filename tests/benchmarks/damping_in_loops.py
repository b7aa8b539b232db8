"""exp(L t_r) on a real density matrix, as the sums over lost and gained photons written down in loops.

    loss       x_nm <- sum_l w_l(n) w_l(m) x_{n+l,m+l}
    amplifier  x_nm <- sum_l v_l(n-l) v_l(m-l) x_{n-l,m-l}

The coefficients are tables made from logarithms; l runs over what is not below 1e-18 on the row. Compiled,
row by row in whole vectors: the measure for the speed of the twin's own form.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from scipy.special import gammaln, xlogy

from twin.micromaser import Parameters

FAINT = 1e-18


@njit(fastmath=True)
def _lose(x, out, w, last):
    levels = len(x)
    for n in range(levels):
        to = out[n, n:]
        to[:] = 0.0
        for lost in range(min(last[n], levels - n)):
            size = levels - n - lost
            row, weight, factor = x[n + lost, n + lost :], w[lost, n : n + size], w[lost, n]
            for m in range(size):
                to[m] += factor * weight[m] * row[m]


@njit(fastmath=True)
def _gain(x, out, v, last):
    levels = len(x)
    for n in range(levels):
        to = out[n, n:]
        to[:] = 0.0
        for gained in range(min(last[n], n + 1)):
            start = n - gained
            row, weight, factor = x[start, start:], v[gained, start:], v[gained, start]
            for m in range(levels - n):
                to[m] += factor * weight[m] * row[m]


class Loops:
    """The damping of one interval on d levels."""

    def __init__(self, m: Parameters, levels: int) -> None:
        decayed = -np.expm1(-m.loss)
        gain = 1.0 + m.thermal_photons * decayed
        transmission = np.exp(-m.loss) / gain
        n, level = np.arange(levels), np.arange(levels)[:, None]
        log = gammaln(n + level + 1.0) - gammaln(n + 1.0) - gammaln(level + 1.0)
        self._w = np.exp(0.5 * (log + xlogy(n, transmission) + xlogy(level, 1.0 - transmission)))
        self._v = np.exp(0.5 * (log - (n + 1) * np.log(gain) + xlogy(level, 1.0 - 1.0 / gain)))
        self._lost = np.array([self._last(self._w[:, k:].max(axis=1) * self._w[:, k]) for k in n])
        reached = [[self._v[g, k - g] * self._v[g, k - g :].max() for g in range(k + 1)] for k in n]
        self._gained = np.array([self._last(np.array(r)) for r in reached])
        self._between, self._out = np.zeros((levels, levels)), np.zeros((levels, levels))

    @staticmethod
    def _last(size: np.ndarray) -> int:
        seen = np.flatnonzero(size > FAINT)
        return int(seen[-1]) + 1 if len(seen) else 1

    def damp(self, x: np.ndarray, times: int = 1) -> np.ndarray:
        """The upper triangle of what a symmetric matrix (d, d) becomes, worked out so many times."""
        for _ in range(times):
            _lose(x, self._between, self._w, self._lost)
            _gain(self._between, self._out, self._v, self._gained)
        return self._out

    def damped(self, x: np.ndarray) -> np.ndarray:
        """The whole of it."""
        upper = np.triu(self.damp(x))
        return upper + np.triu(upper, 1).T
