"""(M - 1) x = b for one collision M, by elimination of the coherences, diagonal after diagonal.

From the farthest diagonal inwards x_j = F_j x_{j-1} + g_j, until only the populations are left:

    G x_0 = b_0 - 2 Re(above_0 g_1)        G = same_0 - 1 + 2 Re(above_0 F_1)

G (levels, levels) is the generator that populations have once every coherence follows them. The cost grows as
levels^4, a thousandth of that of a dense solution at 60 levels. Small singular values of G belong to modes
that hardly move in one collision: the steady state, and one for each further metastable well.
"""

from __future__ import annotations

import numpy as np

from .superoperator import Diagonals

Vectors = list[np.ndarray]
"""Several states by their diagonals: x_j (levels - j, count)."""


class Elimination:
    """The factorised M - 1; `generator` is G, `diagonals` the number of diagonals that matter."""

    def __init__(self, blocks: Diagonals) -> None:
        self.diagonals = blocks.levels if blocks.between > 0.0 else 1
        self._inverse: dict[int, np.ndarray] = {}
        self._follow: dict[int, np.ndarray] = {}
        self._above: dict[int, np.ndarray] = {}
        for j in range(self.diagonals - 1, -1, -1):
            block = blocks.same(j) - np.eye(blocks.levels - j)
            if j + 1 < self.diagonals:
                self._above[j] = blocks.above(j)
                drawn = self._above[j] @ self._follow[j + 1]
                block = block + (drawn if j else 2.0 * drawn.real)
            if j:
                self._inverse[j] = np.linalg.inv(block)
                self._follow[j] = -self._inverse[j] @ blocks.below(j)
        self.generator = block

    def reduced(self, b: Vectors) -> tuple[np.ndarray, Vectors]:
        """Right-hand side (levels, count) of the equation with G, and the g_j for `expanded`."""
        g = [np.zeros_like(part) for part in b]
        for j in range(self.diagonals - 1, 0, -1):
            rest = b[j] - self._above[j] @ g[j + 1] if j + 1 < self.diagonals else b[j]
            g[j] = self._inverse[j] @ rest
        if self.diagonals > 1:
            return b[0] - 2.0 * np.real(self._above[0] @ g[1]), g
        return b[0], g

    def expanded(self, populations: np.ndarray, g: Vectors | None = None) -> Vectors:
        """The whole of x from its x_0 (levels, count)."""
        x = [populations]
        for j in range(1, self.diagonals):
            x.append(self._follow[j] @ x[-1] + (g[j] if g is not None else 0.0))
        return x
