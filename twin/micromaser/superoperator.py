"""One collision with its damping as a linear map on the diagonals of a state, without a matrix (d^2, d^2).

In the gauge of `collisions.gauge` a state R on levels first .. last - 1 is kept as its diagonals
x_j = R_{n, n+j} (levels - j,), j >= 0. A Jaynes-Cummings collision moves a diagonal by one at most, damping
not at all, so that

    x_j' = same_j x_j + above_j x_{j+1} + below_j x_{j-1}        x_0' = same_0 x_0 + 2 Re(above_0 x_1)

with dense blocks: block tridiagonal. The blocks are real on resonance, and without coherence of the qubits
above and below vanish. Levels outside are absorbing: whatever is there after the collision, or after the
damping, is lost.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from .collisions import blocks, gauge
from .damping import Correlation, damping
from .parameters import Parameters


def between(m: Parameters) -> float:
    """|<e|rho_q|g>|, the coherence of the qubits; 0 leaves every diagonal to itself."""
    return float(abs(m.c) * np.sqrt(m.q * (1.0 - m.q)))


class Diagonals:
    """The blocks of the collisions `m` on the levels first .. last - 1."""

    def __init__(self, m: Parameters, first: int, last: int) -> None:
        self.parameters, self.first, self.last, self.levels = m, first, last, last - first
        self.real = m.detuning_ratio == 0.0
        self.between = between(m)
        # The phase of c has gone into the gauge.
        u, turn, inside = blocks(m, last), gauge(m.replace(c=abs(m.c)), last + 1), slice(first, last)
        down = np.real(np.conj(turn[:-1]) * u.eg * turn[1:])
        up = np.real(np.conj(turn[:-1]) * u.ge * np.roll(turn, 1)[:-1])
        self._ee, self._gg = ((x.real if self.real else x)[inside] for x in (u.ee, u.gg))
        self._eg, self._ge = down[inside], up[inside]
        self._leak = np.zeros(self.levels)
        self._leak[-1] += (1.0 - m.q) * u.raised
        self._leak[0] += m.q * down[first - 1] ** 2 if first else 0.0
        self._channel = damping(m.loss, m.thermal_photons, last) if m.loss > 0.0 else None

    def same(self, j: int) -> np.ndarray:
        """(levels - j, levels - j): x_j after from x_j before."""
        return self._damped(self._same(j), j)

    def above(self, j: int) -> np.ndarray:
        """(levels - j, levels - j - 1): x_j after from x_{j+1} before."""
        return self._damped(self._above(j), j)

    def below(self, j: int) -> np.ndarray:
        """(levels - j, levels - j + 1): x_j after from x_{j-1} before."""
        n = np.arange(self.levels - j)
        block = np.zeros((len(n), len(n) + 1), self._ee.dtype)
        block[n, n + 1] = self.between * self._pair(self._eg, self._ee, j)
        block[n, n] = self.between * self._pair(self._gg, self._ge, j)
        return self._damped(block, j)

    def decay(self, j: int) -> np.ndarray:
        """(levels - j, levels - j): the damping of x_j."""
        if self._channel is None:
            return np.eye(self.levels - j)
        apart = np.subtract.outer(np.arange(self.levels - j), np.arange(self.levels - j))
        return self._correlated(self._channel.amplifier, j, apart) @ self._correlated(
            self._channel.loss, j, -apart)

    @cached_property
    def escaped(self) -> np.ndarray:
        """(levels,): chance of a population to end outside in one damping."""
        if self._channel is None:
            return np.zeros(self.levels)
        above = self._channel.escaped[self.first :]
        if not self.first:
            return above
        whole = Diagonals(self.parameters, 0, self.last).decay(0)
        return np.asarray(above + whole[: self.first, self.first :].sum(axis=0))

    @cached_property
    def lost(self) -> tuple[np.ndarray, np.ndarray]:
        """(levels,), (levels - 1,): what one collision loses is lost_0 x_0 + Re(lost_1 x_1)."""
        above = self._above(0) if self.levels > 1 else np.zeros((1, 0))
        return self._leak + self.escaped @ self._same(0), 2.0 * self.escaped @ above

    def _same(self, j: int) -> np.ndarray:
        """`same` before the damping."""
        q, n = self.parameters.q, np.arange(self.levels - j - 1)
        block = np.diag((1.0 - q) * self._pair(self._ee, self._ee, j) + q * self._pair(self._gg, self._gg, j))
        block[n, n + 1] = q * self._pair(self._eg, self._eg, j)[:-1]
        block[n + 1, n] = (1.0 - q) * self._pair(self._ge, self._ge, j)[1:]
        return block

    def _above(self, j: int) -> np.ndarray:
        """`above` before the damping."""
        n = np.arange(self.levels - j - 1)
        block = np.zeros((len(n) + 1, len(n)), self._ee.dtype)
        block[n, n] = self.between * self._pair(self._ee, self._eg, j)[:-1]
        block[n + 1, n] = self.between * self._pair(self._ge, self._gg, j)[1:]
        return block

    def _pair(self, rows: np.ndarray, columns: np.ndarray, j: int) -> np.ndarray:
        """rows_n conj(columns_{n+j}) (levels - j,)."""
        return np.asarray(rows[: self.levels - j] * np.conj(columns[j:]))

    def _damped(self, block: np.ndarray, j: int) -> np.ndarray:
        return block if self._channel is None else self.decay(j) @ block

    def _correlated(self, c: Correlation, j: int, apart: np.ndarray) -> np.ndarray:
        """(levels - j, levels - j): weight_l from level n to level n -+ l, apart = l."""
        before, after, size = c.before[self.first :], c.after[self.first :], self.levels - j
        spread = np.where(apart >= 0, c.weight[np.abs(apart)], 0.0)
        return np.asarray((after[:size] * after[j:])[:, None] * spread * (before[:size] * before[j:]))
