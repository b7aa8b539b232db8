"""Stationary populations without a subtraction, after Grassmann, Taksar and Heyman (1985).

Levels are taken out of the chain one after the other, each handing its transitions to those that remain. Only
positive numbers are added, multiplied and divided, so that populations of 1e-200, and shares of wells that
exchange 1e-30 in one collision, come out with all digits.
"""

from __future__ import annotations

import numpy as np

_ROUNDS, _SETTLED = 300, 1e-14


def stationary(chances: np.ndarray) -> np.ndarray:
    """p (d,) with p = P p from P(n | m) (d, d), whose columns should add up to 1; its diagonal is not read.

    ValueError if two sets of levels never exchange anything, so that there is more than one.
    """
    rest = np.array(chances, float)
    np.fill_diagonal(rest, 0.0)
    levels, order = len(rest), np.arange(len(rest))
    exits = np.zeros(levels)
    for k in range(levels - 1, 0, -1):
        leaving = rest[: k + 1, : k + 1].sum(axis=0)
        # Of all that remain the level that is left most easily: one that is never left comes last.
        taken = int(np.argmax(leaving))
        exits[k] = leaving[taken]
        if exits[k] == 0.0:
            raise ValueError(f"{k + 1} sets of levels never exchange anything, and each has a steady state")
        _swap(rest, taken, k)
        order[[taken, k]] = order[[k, taken]]
        rest[:k, :k] += np.outer(rest[:k, k] / exits[k], rest[k, :k])
        np.fill_diagonal(rest[:k, :k], 0.0)
    p = np.zeros(levels)
    p[0] = 1.0
    for k in range(1, levels):
        p[k] = rest[k, :k] @ p[:k] / exits[k]
        p[: k + 1] /= p[: k + 1].max()
    out = np.empty(levels)
    out[order] = p / p.sum()
    return out


def quasi_stationary(chances: np.ndarray, lost: np.ndarray) -> tuple[np.ndarray, float]:
    """p (d,), and the share of it that is lost in one collision, when lost (d,) leaves the levels for good.

    The state whose shape does not change: what is lost is put back in its own proportions. ValueError if the
    levels empty before they settle.
    """
    p, before = stationary(chances + np.outer(np.full(len(lost), 1.0 / len(lost)), lost)), 0.0
    for _ in range(_ROUNDS):
        p = stationary(chances + np.outer(p, lost))
        share = float(lost @ p)
        if abs(share - before) <= _SETTLED * share:
            return p, share
        before = share
    raise ValueError(f"a share of {share:.1e} is lost in each collision, before the state has settled")


def _swap(matrix: np.ndarray, one: int, other: int) -> None:
    matrix[[one, other]] = matrix[[other, one]]
    matrix[:, [one, other]] = matrix[:, [other, one]]
