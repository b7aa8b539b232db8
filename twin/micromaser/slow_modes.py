"""States that hardly change in one collision, to more digits than doubles have.

The right vectors V (r of them) of M that are nearest to eigenvalue 1 obey M V = V + V H with a small matrix
H of rates. Doubles find V to 1e-16, which says nothing about rates of 1e-20 or about how weight is shared
between two wells that exchange less than that. Newton's method closes the gap: the residual in decimals
(`extended`), the correction in doubles (`elimination`), bordered so that it is well conditioned,

    (M - 1) dV - V dH = -(M V - V - V H)        W^T dV_0 = 0

with W the right singular vectors of the populations' generator. Each round gains about twelve digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np

from .elimination import Elimination, Vectors
from .extended import Decimals, ExtendedCollision, decimals
from .superoperator import Diagonals

DIGITS = (60, 150)
"""Decimal digits, and those of a second attempt: rates down to 1e-35 and 1e-120 have twelve of their own."""
_ROUNDS = 20


@dataclass(frozen=True, eq=False)
class SlowModes:
    """`vectors` (r, levels, levels) and `rates` H (r, r) in decimals: M V = V + V H."""

    vectors: list[Decimals]
    rates: Decimals


class Border:
    """Slow modes in doubles, and the linear problem for their correction."""

    def __init__(self, elimination: Elimination, count: int) -> None:
        self._elimination, self.count = elimination, count
        self.tests = np.linalg.svd(elimination.generator)[2][-count:].T
        self.vectors = elimination.expanded(self.tests)
        column, self._column_rest = elimination.reduced(self.vectors)
        corner = np.zeros((self.count, self.count))
        self._inverse = np.linalg.inv(np.block([[elimination.generator, -column], [self.tests.T, corner]]))

    def correction(self, residual: Vectors) -> Vectors:
        """dV of the module's text for M V - V - V H = `residual`."""
        right, rest = self._elimination.reduced([-part for part in residual])
        found = self._inverse @ np.concatenate((right, np.zeros((self.count, right.shape[1]))))
        levels = len(right)
        turned = [g + column @ found[levels:] for g, column in zip(rest, self._column_rest, strict=True)]
        return self._elimination.expanded(found[:levels], turned)


def matrix(x: Vectors, column: int) -> np.ndarray:
    """The Hermitian matrix (levels, levels) in the gauge with these diagonals."""
    levels = len(x[0])
    out = np.zeros((levels, levels), x[-1].dtype)
    for j, part in enumerate(x):
        n = np.arange(levels - j)
        out[n + j, n] = np.conj(part[:, column])
        out[n, n + j] = part[:, column]
    return out


def diagonals(state: np.ndarray, count: int) -> Vectors:
    """The inverse of `matrix`, for one state."""
    return [np.diag(state, j)[:, None] for j in range(count)]


def refined(blocks: Diagonals, border: Border, digits: int) -> Iterator[SlowModes]:
    """Better and better slow modes of resonant collisions, until the digits are used up."""
    with localcontext() as context:
        context.prec = digits
        collision = ExtendedCollision(blocks.parameters, blocks.first, blocks.last, digits)
        vectors = [decimals(matrix(border.vectors, k)) for k in range(border.count)]
        tests = decimals(border.tests)
    for _ in range(_ROUNDS):
        with localcontext() as context:
            context.prec = digits
            moved = [collision.apply(v) - v for v in vectors]
            rates = np.array([np.diag(part) @ tests for part in moved]).T
            yielded = SlowModes(list(vectors), rates)
            residuals = [part - sum(v * h for v, h in zip(vectors, rates[:, k], strict=True))
                         for k, part in enumerate(moved)]
            size = max(np.max(np.abs(part)) for part in residuals)
            if size < Decimal(10) ** (12 - digits):
                break
            vectors = [v + change for v, change in zip(vectors, _changes(border, residuals), strict=True)]
        yield yielded
    yield yielded


def _changes(border: Border, residuals: list[Decimals]) -> list[Decimals]:
    changes = []
    for part in residuals:
        size = np.max(np.abs(part))
        scaled = (part / size if size else part).astype(float)
        found = border.correction(diagonals(scaled, len(border.vectors)))
        changes.append(decimals(matrix(found, 0)) * size)
    return changes
