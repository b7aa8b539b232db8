"""Least squares of a line that is a sum of columns whose shape depends on one or two numbers. No I/O.

The amplitudes are linear and solved for at every shape (variable projection); the shape is first looked
for on a grid and then refined by Gauss and Newton's steps, halved while they do not help. Few points, few
parameters: what a scan over twenty shots gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

_ROUNDS, _HALVINGS, _STEP = 30, 12, 1e-5

Columns = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Separated:
    """The numbers of the shape (S,), the amplitudes (A,), and the covariance (S + A, S + A) of both in that
    order, scaled by the scatter about the line."""

    shape: np.ndarray
    amplitudes: np.ndarray
    covariance: np.ndarray


def separable(columns: Columns, y: np.ndarray, grids: Sequence[np.ndarray]) -> Separated | None:
    """y (N,) as columns(shape) (N, A) times amplitudes; None where the points do not tell the shape.

    `grids`: rising positive trial values of each number of the shape, to whose ends it is held.
    """
    if len(y) <= len(grids) + columns(np.array([grid[0] for grid in grids])).shape[1]:
        return None
    shape = min((np.array(trial) for trial in product(*grids)), key=lambda trial: _cost(columns, y, trial))
    low, high = (np.array([grid[end] for grid in grids]) for end in (0, -1))
    for _ in range(_ROUNDS):
        jacobian, left = _linearised(columns, y, shape)
        step = np.linalg.lstsq(jacobian, left, rcond=None)[0][: len(shape)]
        for halving in range(_HALVINGS):
            trial = np.clip(shape + 0.5**halving * step, low, high)
            if _cost(columns, y, trial) < _cost(columns, y, shape):
                break
        else:
            break
        shape = trial
    if np.any(shape <= low) or np.any(shape >= high):
        return None
    jacobian, left = _linearised(columns, y, shape)
    variance = float(left @ left) / (len(y) - jacobian.shape[1])
    return Separated(shape, _amplitudes(columns(shape), y), variance * np.linalg.pinv(jacobian.T @ jacobian))


def _amplitudes(matrix: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(matrix, y, rcond=None)[0]


def _cost(columns: Columns, y: np.ndarray, shape: np.ndarray) -> float:
    matrix = columns(shape)
    left = y - matrix @ _amplitudes(matrix, y)
    return float(left @ left)


def _linearised(columns: Columns, y: np.ndarray, shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives (N, S + A) of the line by shape and amplitudes, and what is left of y (N,)."""
    matrix = columns(shape)
    amplitudes = _amplitudes(matrix, y)
    slopes = [(columns(shape + move) @ amplitudes - columns(shape - move) @ amplitudes) / (2.0 * move[i])
              for i, move in enumerate(np.diag(_STEP * shape))]
    return np.column_stack([*slopes, matrix]), y - matrix @ amplitudes
