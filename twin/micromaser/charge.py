"""A run: the battery's figures after each collision, and its state after any of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .history import Checkpoints, History
from .parameters import Parameters
from .states import density_matrix, vacuum
from .stepping import LARGEST, Stepper

MOST = 10_000_000
"""Collisions in one run."""


@dataclass(frozen=True, eq=False)
class Run:
    """Arrays (collisions + 1,): index k is after the k-th collision and its damping, 0 is the initial state.

    `energy` in omega without zero point; `purity` Tr rho^2/(Tr rho)^2, the others normalised likewise;
    `fano` and `power` = energy/k are nan at k = 0; `lost_weight` = 1 - Tr rho is what rose above `dimension`
    levels. All are those of the first `dimension` levels of a cavity that goes on above them.
    """

    parameters: Parameters
    dimension: int
    energy: np.ndarray
    purity: np.ndarray
    fano: np.ndarray
    lost_weight: np.ndarray
    _history: History = field(repr=False)

    @property
    def collisions(self) -> int:
        return len(self.energy) - 1

    @cached_property
    def power(self) -> np.ndarray:
        k = np.arange(len(self.energy), dtype=float)
        return np.divide(self.energy, k, out=np.full(len(k), np.nan), where=k > 0.0)

    @cached_property
    def ergotropy(self) -> np.ndarray:
        """Largest work that a unitary extracts, to 1e-10; worked out at first use.

        The run is gone through again and costs an eigenvalue problem of the state for each collision while
        the state is mixed and moves (about 0.1 ms on 24 levels, 2 ms on 120); pure states and those that
        have come to rest cost nothing.
        """
        return self.energy - self._history.passive_energies(self.purity)

    def state(self, collision: int) -> np.ndarray:
        """Density matrix (d, d) after that collision: interaction picture, physical gauge."""
        return self._history.at(self._known(collision)).matrix[: self.dimension, : self.dimension]

    def populations(self, collision: int) -> np.ndarray:
        """P(n) (d,), the diagonal of `state`; sums to 1 - lost_weight."""
        return self._history.at(self._known(collision)).populations[: self.dimension]

    def _known(self, collision: int) -> int:
        k = int(collision)
        if k != collision or not 0 <= k <= self.collisions:
            raise ValueError(f"collision = {collision} must be a whole number in 0 .. {self.collisions}")
        return k


def charge(parameters: Parameters, collisions: int, dimension: int | None = None, initial: Any = None) -> Run:
    """The battery after 0 .. `collisions` collisions, from `initial` (a density matrix; None: the vacuum).

    `dimension` None chooses the levels so that less than 1e-12 is lost above them, or raises ValueError with
    the dimension reached and the collision up to which it holds. With a given one everything is that of the
    first levels of a cavity without end, and `lost_weight` is what stands above them: weight that would come
    back does. Where more levels than 480 and twice the dimension would be needed for that, the rest leaks.
    """
    stepper = begun(parameters, collisions, dimension, initial)
    collisions, kept = stepper.collisions, Checkpoints(stepper.collisions)
    kept.offer(stepper.charge, 0)
    rows = np.empty((4, collisions + 1))
    rows[:, :1] = figures(stepper.first)
    while stepper.done < collisions:
        before = stepper.done
        found = stepper.advance(kept.until_next(before))
        rows[:, before + 1 : stepper.done + 1] = figures(found)
        kept.offer(stepper.charge, stepper.done)
    energy, purity, fano, lost_weight = rows
    history = History(parameters, stepper.kind, stepper.levels, stepper.dimension, lost_weight, kept)
    return Run(parameters, stepper.dimension, energy, purity, fano, lost_weight, history)


def begun(parameters: Parameters, collisions: int, dimension: int | None, initial: Any) -> Stepper:
    """The stepper at collision 0, once the question is found to be a sound one."""
    if not isinstance(parameters, Parameters):
        raise TypeError(f"parameters: expected micromaser.Parameters, found {type(parameters).__name__}")
    collisions = whole("collisions", collisions, 0, MOST)
    if dimension is not None:
        dimension = whole("dimension", dimension, 1, LARGEST)
    state = vacuum() if initial is None else density_matrix(initial, "initial")
    state = _trimmed(state)
    if len(state) > (dimension or LARGEST):
        raise ValueError(f"dimension = {dimension or LARGEST} is too small for the initial state, which "
                         f"fills {len(state)} levels; give at least that many")
    return Stepper(parameters, state, collisions, dimension)


def whole(name: str, value: Any, lowest: int, highest: int) -> int:
    """`value` as a whole number within its range; ValueError names field, value and range."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if isinstance(value, bool) or not lowest <= number <= highest or number != int(number):
        raise ValueError(f"{name} = {value!r} must be a whole number in {lowest} .. {highest}")
    return int(number)


def _trimmed(state: np.ndarray) -> np.ndarray:
    """Without empty levels on top."""
    filled = np.flatnonzero(np.any(state != 0.0, axis=1))
    return state[: filled[-1] + 1, : filled[-1] + 1]


def figures(rows: np.ndarray) -> np.ndarray:
    """energy, purity, Fano factor and lost weight (4, k) from the sums (k, 5) of `Stepper.advance`."""
    trace = np.maximum(rows[:, 0], 1e-300)
    mean, second = rows[:, 1] / trace, rows[:, 2] / trace
    fano = np.divide(second - mean * mean, mean, out=np.full(len(rows), np.nan), where=mean > 0.0)
    return np.array([mean, rows[:, 3] / trace**2, fano, rows[:, 4]])
