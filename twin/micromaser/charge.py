"""A run: the battery's figures after each collision, and its state after any of them.

Figures are worked out while the run goes on; states are recomputed from the nearest of a few checkpoints,
so that a million collisions stay below 200 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .observables import passive_energy
from .parameters import Parameters
from .states import density_matrix, vacuum
from .stepping import LARGEST, Charge, Stepper, resized, start

MOST = 10_000_000
"""Collisions in one run."""
_CHECKPOINTS, _CHECKPOINT_BYTES = 128, 48_000_000


@dataclass(frozen=True, eq=False)
class Run:
    """Arrays (collisions + 1,): index k is after the k-th collision and its damping, 0 is the initial state.

    `energy` in omega without zero point; `purity` Tr rho^2/(Tr rho)^2, the others normalised likewise;
    `fano` and `power` = energy/k are nan at k = 0; `lost_weight` = 1 - Tr rho is what rose above `dimension`
    levels.
    """

    parameters: Parameters
    dimension: int
    energy: np.ndarray
    purity: np.ndarray
    fano: np.ndarray
    lost_weight: np.ndarray
    _checkpoints: dict[int, np.ndarray] = field(repr=False)

    @property
    def collisions(self) -> int:
        return len(self.energy) - 1

    @cached_property
    def power(self) -> np.ndarray:
        k = np.arange(len(self.energy), dtype=float)
        return np.divide(self.energy, k, out=np.full(len(k), np.nan), where=k > 0.0)

    @cached_property
    def ergotropy(self) -> np.ndarray:
        """Largest work that a unitary extracts; worked out at first use, going through the states again."""
        out = np.empty(len(self.energy))
        spectrum = _Spectrum()
        for k, charge in self._walk():
            out[k] = self.energy[k] - spectrum.passive(charge.spectrum_state) / (1.0 - self.lost_weight[k])
        return out

    def state(self, collision: int) -> np.ndarray:
        """Density matrix (d, d) after that collision: interaction picture, physical gauge."""
        return self._at(collision).matrix

    def populations(self, collision: int) -> np.ndarray:
        """P(n) (d,), the diagonal of `state`; sums to 1 - lost_weight."""
        return self._at(collision).populations

    def _at(self, collision: int) -> Charge:
        k = int(collision)
        if k != collision or not 0 <= k <= self.collisions:
            raise ValueError(f"collision = {collision} must be a whole number in 0 .. {self.collisions}")
        first = max(c for c in self._checkpoints if c <= k)
        charge = self._resumed(first)
        while first < k:
            first += self._forward(charge, first, min(k - first, 1024))
        return charge

    def _resumed(self, checkpoint: int) -> Charge:
        return start(self.parameters, resized(self._checkpoints[checkpoint], self.dimension))

    def _forward(self, charge: Charge, done: int, count: int) -> int:
        rows = charge.advance(count)
        if rows[-1, 0] > 1e-3:
            charge.scale(float((1.0 - self.lost_weight[done + count]) / rows[-1, 0]))
        return count

    def _walk(self) -> Iterator[tuple[int, Charge]]:
        charge = self._resumed(0)
        for k in range(self.collisions + 1):
            yield k, charge
            if k < self.collisions:
                self._forward(charge, k, 1)


class _Spectrum:
    """Passive energies of a slowly changing state: eigenvalues move no more than the state does (Weyl)."""

    def __init__(self) -> None:
        self._seen, self._passive = np.empty(0), 0.0

    def passive(self, state: np.ndarray) -> float:
        if self._seen.shape != state.shape or np.max(np.abs(self._seen - state)) > 1e-15 / len(state):
            self._seen, self._passive = state.copy(), passive_energy(state)
        return self._passive


def charge(parameters: Parameters, collisions: int, dimension: int | None = None, initial: Any = None) -> Run:
    """The battery after 0 .. `collisions` collisions, from `initial` (a density matrix; None: the vacuum).

    `dimension` None chooses the levels so that less than 1e-12 is lost above them, or raises ValueError with
    the dimension reached and the collision up to which it holds. A given one leaks, and `lost_weight` tells.
    """
    stepper = begun(parameters, collisions, dimension, initial)
    rows = np.empty((4, collisions + 1))
    checkpoints: dict[int, np.ndarray] = {}
    rows[:, 0] = _figures(_row(stepper.charge, stepper.lost)[None, :])[:, 0]
    apart = 1
    while True:
        if stepper.done % apart == 0:
            checkpoints[stepper.done] = stepper.charge.snapshot
            apart = _thinned(checkpoints, apart)
        if stepper.done == collisions:
            break
        to_next = apart - stepper.done % apart
        before = stepper.done
        found = stepper.advance(min(collisions - before, max(to_next, 1)))
        rows[:, before + 1 : stepper.done + 1] = _figures(found)
    energy, purity, fano, lost_weight = rows
    return Run(parameters, stepper.dimension, energy, purity, fano, lost_weight, checkpoints)


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
    return Stepper(parameters, state, max(collisions, 1), dimension)


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


def _row(charge: Charge, lost: float) -> np.ndarray:
    p, n = charge.populations, np.arange(charge.dimension)
    state = charge.snapshot
    return np.array([p.sum(), n @ p, (n * n) @ p, np.real(np.vdot(state, state)), lost])


def _figures(rows: np.ndarray) -> np.ndarray:
    """energy, purity, Fano factor and lost weight (4, k) from the sums (k, 5) of a `Charge`."""
    trace = np.maximum(rows[:, 0], 1e-300)
    mean, second = rows[:, 1] / trace, rows[:, 2] / trace
    fano = np.divide(second - mean * mean, mean, out=np.full(len(rows), np.nan), where=mean > 0.0)
    return np.array([mean, rows[:, 3] / trace**2, fano, rows[:, 4]])


def _thinned(checkpoints: dict[int, np.ndarray], apart: int) -> int:
    """Drops every second checkpoint when they are too many or too large; the distance that now holds."""
    while len(checkpoints) > _CHECKPOINTS or (len(checkpoints) > 2 and sum(
            s.nbytes for s in checkpoints.values()) > _CHECKPOINT_BYTES):
        apart *= 2
        for k in [k for k in checkpoints if k % apart]:
            del checkpoints[k]
    return apart
