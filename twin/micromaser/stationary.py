"""Stationary populations without a subtraction, after Grassmann, Taksar and Heyman (1985).

Levels are taken out of the chain one after the other, each handing its transitions to those that remain. Only
positive numbers are added, multiplied and divided, so that populations of 1e-200, and shares of wells that
exchange 1e-30 in one collision, come out with all digits.
"""

from __future__ import annotations

import numpy as np

_ROUNDS, _SETTLED = 1000, 1e-14


class Chain:
    """A Markov chain from P(n | m) (d, d) and what is lost from each level (d,), its levels taken out.

    The diagonal of P is not read: what does not leave stays.
    """

    def __init__(self, chances: np.ndarray, lost: np.ndarray) -> None:
        self._rest = rest = np.array(chances, float)
        np.fill_diagonal(rest, 0.0)
        lost = np.array(lost, float)
        self._order, self._exits = np.arange(len(rest)), np.zeros(len(rest))
        for k in range(len(rest) - 1, -1, -1):
            leaving = rest[: k + 1, : k + 1].sum(axis=0) + lost[: k + 1]
            # Of all that remain the level that is left most easily: one that is never left comes last.
            taken = int(np.argmax(leaving))
            self._exits[k] = leaving[taken]
            if leaving[taken] == 0.0:
                break
            self._swap(lost, taken, k)
            passed = rest[k, :k] / self._exits[k]
            rest[:k, :k] += np.outer(rest[:k, k], passed)
            lost[:k] += lost[k] * passed
            np.fill_diagonal(rest[:k, :k], 0.0)
        self.closed = k + 1 if self._exits[k] == 0.0 else 0
        """Levels that are never left, each a steady state."""

    def _swap(self, lost: np.ndarray, one: int, other: int) -> None:
        for axis in (self._rest, self._rest.T, lost, self._order):
            axis[[one, other]] = axis[[other, one]]

    def stationary(self) -> np.ndarray:
        """p (d,) with p = P p. ValueError unless there is exactly one, and nothing is lost for good."""
        if self.closed != 1:
            raise ValueError(f"{self.closed} sets of levels are never left, and each has a steady state")
        p = np.zeros(len(self._rest))
        p[0] = 1.0
        for k in range(1, len(p)):
            p[k] = self._rest[k, :k] @ p[:k] / self._exits[k]
            p[: k + 1] /= p[: k + 1].max()
        return self._ordered(p)

    def passed(self, start: np.ndarray) -> np.ndarray:
        """Share of time (d,) spent on each level from `start` (d,) until all is lost."""
        arriving = np.array(start[self._order], float)
        for k in range(len(arriving) - 1, 0, -1):
            arriving[:k] += self._rest[:k, k] * (arriving[k] / self._exits[k])
        p = np.zeros(len(arriving))
        for k in range(len(p)):
            p[k] = (arriving[k] + self._rest[k, :k] @ p[:k]) / self._exits[k]
        return self._ordered(p)

    def _ordered(self, p: np.ndarray) -> np.ndarray:
        out = np.empty(len(p))
        out[self._order] = p / p.sum()
        return out


def quasi_stationary(chances: np.ndarray, lost: np.ndarray) -> tuple[np.ndarray, float]:
    """p (d,), and the share of it that is lost in one collision, when lost (d,) leaves the levels for good.

    The state whose shape does not change, by inverse iteration. ValueError if there is more than one.
    """
    chain = Chain(chances, lost)
    if chain.closed:
        return chain.stationary(), 0.0
    p, before = np.full(len(lost), 1.0 / len(lost)), 0.0
    for _ in range(_ROUNDS):
        p = chain.passed(p)
        share = float(lost @ p)
        if abs(share - before) <= _SETTLED * share:
            return p, share
        before = share
    raise ValueError(f"a share of {share:.1e} is lost in each collision, before the state has settled")
