"""Which representation a run takes, and how it finds the number of levels it needs.

Truncation leaks: what rises above the highest level is gone and counted, never reflected. What leaks is
worked out from the state, not from the trace, so that rounding over a million collisions is not taken for
it; the trace is held to the count. What has leaked cannot come back, so a run carries more levels than it
was asked for as soon as anything reaches them, and reports the first ones.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from .diagonal import DiagonalCharge, stays_diagonal
from .during import MOST_LEVELS, DuringCharge
from .general import GeneralCharge
from .hermitian import HermitianCharge
from .parameters import Parameters
from .real_gauge import RealCharge, is_real

LARGEST = 2000
"""Levels that are tried before a run is refused."""
LOST = 1e-12
"""Weight that may be lost above the highest level that is carried."""
AROUND = 480
"""Levels carried, if the state needs them, for a dimension that was given: these, or twice the dimension."""
UNSEEN = 1e-17
"""Weight above the highest level that no longer matters to what stays below."""
_CHUNK, _LONGEST_CHUNK = 32, 512
_FIRST = 24


class Charge(Protocol):
    """A state under collisions, in one representation."""

    levels: int

    def __init__(self, m: Parameters, state: np.ndarray) -> None:
        """From a state in this representation's own form."""

    @staticmethod
    def own(m: Parameters, state: np.ndarray) -> np.ndarray:
        """A density matrix (d, d) in this representation's form."""

    def advance(self, count: int, dimension: int) -> np.ndarray:
        """(count, 6) after each collision: Tr, Tr n, Tr n^2, Tr rho^2 of the first `dimension` levels, the
        weight on those above them, and what leaked from the highest of all in this collision."""

    def scale(self, factor: float) -> None:
        """Multiply the state."""

    @property
    def populations(self) -> np.ndarray:
        """(levels,)."""

    @property
    def matrix(self) -> np.ndarray:
        """The state (levels, levels) in the interaction picture, physical gauge."""

    @property
    def snapshot(self) -> np.ndarray:
        """What the run can go on from, in this representation's form."""

    @property
    def spectrum_state(self) -> np.ndarray:
        """A Hermitian matrix (levels, levels) whose leading blocks have the state's eigenvalues, or these
        (levels,)."""


def representation(m: Parameters, state: np.ndarray) -> type[Charge]:
    """The quickest one that is exact for collisions `m` from `state` (d, d)."""
    if m.loses_inside:
        return DuringCharge
    if m.collision == "jaynes_cummings":
        if stays_diagonal(m, state):
            return DiagonalCharge
        return RealCharge if m.detuning_ratio == 0.0 and is_real(m, state) else HermitianCharge
    return GeneralCharge


def resized(state: np.ndarray, levels: int) -> np.ndarray:
    """A matrix or populations on more levels, or on fewer."""
    kept = min(levels, len(state))
    out = np.zeros((levels,) * state.ndim, state.dtype)
    out[(slice(kept),) * state.ndim] = state[(slice(kept),) * state.ndim]
    return out


class Stepper:
    """Collisions in chunks, on levels that grow so that at most LOST is lost at the end.

    Without `dimension` a run that needs more than LARGEST is refused with ValueError. With one, figures are
    those of its first levels, and a run that needs more than `most` levels leaks. `first` (1, 5) is the row
    of the initial state, as `advance` has them.
    """

    def __init__(self, m: Parameters, state: np.ndarray, collisions: int, dimension: int | None) -> None:
        self._m, self.collisions, self._given = m, collisions, dimension
        self.kind = representation(m, state)
        largest = MOST_LEVELS if self.kind is DuringCharge else LARGEST
        self.most = min(largest, max(2 * dimension, AROUND)) if dimension else largest
        size = dimension or min(max(_FIRST, _with_room(len(state))), LARGEST)
        self.charge = self.kind(m, resized(self.kind.own(m, state), size))
        self.done, self.lost = 0, 1.0 - float(self.charge.populations.sum())
        self._lost_first, self._chunk = self.lost, _CHUNK
        p, n = np.real(np.diag(state)), np.arange(len(state))
        self.first = np.array([[p.sum(), n @ p, (n * n) @ p, np.sum(np.abs(state) ** 2), self.lost]])

    @property
    def levels(self) -> int:
        """Levels that are carried."""
        return self.charge.levels

    @property
    def dimension(self) -> int:
        """Levels that are reported."""
        return self._given or self.levels

    def advance(self, most: int) -> np.ndarray:
        """Some collisions, at most so many: (count, 5) Tr, Tr n, Tr n^2, Tr rho^2 of the first levels and
        the weight lost above them."""
        count = min(most, self._chunk)
        self._chunk = min(2 * self._chunk, _LONGEST_CHUNK)
        while True:
            before = self.charge.snapshot
            rows = self.charge.advance(count, self.dimension)
            lost = self.lost + np.cumsum(rows[:, 5])
            if self._enough(lost, count) or not self._may_grow():
                break
            self.charge = self.kind(self._m, resized(before, self._larger()))
            self._chunk = _CHUNK
        self.done += count
        self.lost = float(lost[-1])
        return self._trace_held(rows, lost)

    def _trace_held(self, rows: np.ndarray, lost: np.ndarray) -> np.ndarray:
        """Rounding of the trace taken off again: 1e-16 for each collision, always to the same side."""
        trace = rows[:, 0] + rows[:, 4]
        factor = np.where(trace > 1e-3, (1.0 - lost) / np.maximum(trace, 1e-3), 1.0)
        self.charge.scale(float(factor[-1]))
        held, above = rows[:, :3] * factor[:, None], rows[:, 4] * factor
        return np.column_stack((held, rows[:, 3] * factor * factor, lost + above))

    def _enough(self, lost: np.ndarray, count: int) -> bool:
        """True if too little is lost to matter: its amplitude, the root of it, interferes with what stays."""
        in_all = lost[-1] - self._lost_first <= 0.9 * LOST * (self.done + count) / self.collisions
        return in_all and bool(lost[-1] - self.lost <= UNSEEN)

    def _may_grow(self) -> bool:
        if self.levels >= self.most and not self._given:
            raise ValueError(f"dimension: {self.most} levels hold the state to a lost weight of {LOST:g} "
                             f"only up to collision k = {self.done}; ask for fewer collisions, or give a "
                             "dimension and read lost_weight")
        return self.levels < self.most

    def _larger(self) -> int:
        return min(self.most, int(1.5 * self.levels) // 8 * 8 + 8)


def _with_room(levels: int) -> int:
    return levels if levels <= 8 else levels + 8
