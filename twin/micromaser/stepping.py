"""Which representation a run takes, and how it finds the number of levels it needs.

Truncation leaks: what rises above the highest level is gone and counted, never reflected. What leaks is
worked out from the state, not from the trace, so that rounding over a million collisions is not taken for
it; the trace is held to the count.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from .diagonal import DiagonalCharge
from .general import GeneralCharge
from .parameters import Parameters
from .real_gauge import RealCharge, is_real

LARGEST = 2000
"""Levels that are tried before a run is refused."""
LOST = 1e-12
"""Weight that may be lost above the highest level when the dimension is chosen automatically."""
_UNSEEN = 1e-17
_CHUNK, _LONGEST_CHUNK = 32, 512
_FIRST = 24


class Charge(Protocol):
    """A state under collisions, in one representation."""

    dimension: int

    def advance(self, count: int) -> np.ndarray:
        """(count, 5): Tr, Tr n, Tr n^2, Tr rho^2 and what leaked, after each collision."""

    def scale(self, factor: float) -> None:
        """Multiply the state."""

    @property
    def populations(self) -> np.ndarray:
        """(d,)."""

    @property
    def matrix(self) -> np.ndarray:
        """The state (d, d) in the interaction picture, physical gauge."""

    @property
    def snapshot(self) -> np.ndarray:
        """What the run can go on from: (d, d), or populations (d,) where they are all there is."""

    @property
    def spectrum_state(self) -> np.ndarray:
        """A Hermitian matrix (d, d) with the state's eigenvalues, or these (d,)."""


def start(m: Parameters, state: np.ndarray) -> Charge:
    """The quickest representation that is exact for collisions `m` from `state` (d, d) or (d,)."""
    if state.ndim == 1:
        return DiagonalCharge(m, state)
    if m.collision == "jaynes_cummings":
        if (m.c == 0.0 or m.q in (0.0, 1.0)) and np.count_nonzero(state - np.diag(np.diag(state))) == 0:
            return DiagonalCharge(m, state)
        if m.detuning_ratio == 0.0 and is_real(m, state):
            return RealCharge(m, state)
    return GeneralCharge(m, state)


def resized(state: np.ndarray, dimension: int) -> np.ndarray:
    """The state on more levels, or on fewer."""
    kept = min(dimension, len(state))
    if state.ndim == 1:
        return np.concatenate((state[:kept], np.zeros(dimension - kept)))
    out = np.zeros((dimension, dimension), complex)
    out[:kept, :kept] = state[:kept, :kept]
    return out


class Stepper:
    """Collisions in chunks; with `dimension` None the levels grow so that at most LOST is lost at the end."""

    def __init__(self, m: Parameters, state: np.ndarray, collisions: int, dimension: int | None) -> None:
        self._m, self._collisions, self._grows = m, collisions, dimension is None
        size = dimension or min(max(_FIRST, _with_room(len(state))), LARGEST)
        self._charge = start(m, resized(state, size))
        self.done, self.lost = 0, 1.0 - float(self._charge.populations.sum())
        self._chunk = _CHUNK
        self._first_lost = self.lost if self._grows else 0.0

    @property
    def dimension(self) -> int:
        return self._charge.dimension

    @property
    def charge(self) -> Charge:
        return self._charge

    def advance(self, most: int) -> np.ndarray:
        """Some collisions, at most so many: (count, 5) as `Charge.advance`, last column: all that is lost."""
        count = min(most, self._chunk)
        self._chunk = min(2 * self._chunk, _LONGEST_CHUNK)
        before = self._charge.snapshot if self._grows else None
        while True:
            rows = self._charge.advance(count)
            lost = self.lost + np.cumsum(rows[:, 4])
            if before is None or self._enough(lost, count):
                break
            self._charge, self._chunk = start(self._m, resized(before, self._larger())), _CHUNK
        self._hold_trace(rows, lost)
        self.done += count
        self.lost = float(lost[-1])
        return rows

    def _hold_trace(self, rows: np.ndarray, lost: np.ndarray) -> None:
        """Rounding of the trace taken off again: 1e-16 for each collision, always to the same side."""
        factor = np.where(rows[:, 0] > 1e-3, (1.0 - lost) / np.maximum(rows[:, 0], 1e-3), 1.0)
        rows[:, :3] *= factor[:, None]
        rows[:, 3] *= factor * factor
        rows[:, 4] = lost
        self._charge.scale(float(factor[-1]))

    def _enough(self, lost: np.ndarray, count: int) -> bool:
        """True if too little is lost to matter: its amplitude, the root of it, interferes with what stays."""
        in_all = lost[-1] - self._first_lost <= 0.9 * LOST * (self.done + count) / self._collisions
        return in_all and bool(lost[-1] - self.lost <= _UNSEEN)

    def _larger(self) -> int:
        if self.dimension >= LARGEST:
            raise ValueError(f"dimension: {LARGEST} levels hold the state to a lost weight of {LOST:g} only "
                             f"up to collision k = {self.done}; ask for fewer collisions, or give a "
                             "dimension and read lost_weight")
        return min(LARGEST, int(1.5 * self.dimension) // 8 * 8 + 8)


def _with_room(levels: int) -> int:
    return levels if levels <= 8 else levels + 8
