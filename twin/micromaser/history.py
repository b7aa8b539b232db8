"""The states of a run, worked out again from the few that it kept on its way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .observables import passive_energy
from .parameters import Parameters
from .stepping import Charge, resized

_CLOSEST, _MANY, _BYTES = 256, 64, 24_000_000
_OVERLOOKED = 1e-10


class Checkpoints:
    """Snapshots at regular distances, few enough to take little time and memory, and the last one."""

    def __init__(self, collisions: int) -> None:
        self._apart, self._last = max(_CLOSEST, -(-collisions // _MANY)), collisions
        self._kept = dict[int, np.ndarray]()

    def until_next(self, collision: int) -> int:
        """Collisions to go until one is due."""
        return min(self._apart - collision % self._apart, self._last - collision)

    def offer(self, charge: Charge, collision: int) -> None:
        """Keeps the state if one is due, and drops every second one when they are too large together."""
        if collision % self._apart and collision != self._last:
            return
        self._kept[collision] = charge.snapshot
        while len(self._kept) > 2 and sum(s.nbytes for s in self._kept.values()) > _BYTES:
            self._apart *= 2
            self._kept = {k: s for k, s in self._kept.items() if k % self._apart == 0 or k == self._last}

    def before(self, collision: int) -> tuple[int, np.ndarray]:
        """The last one not later than that collision."""
        k = max(k for k in self._kept if k <= collision)
        return k, self._kept[k]


@dataclass(frozen=True, eq=False)
class History:
    """What is needed to have any state of a run again; `lost_weight` above `dimension` of `levels` levels."""

    parameters: Parameters
    kind: type[Charge]
    levels: int
    dimension: int
    lost_weight: np.ndarray
    checkpoints: Checkpoints

    def at(self, collision: int) -> Charge:
        """The state after that collision, on all levels that were carried."""
        k, state = self.checkpoints.before(collision)
        charge = self.kind(self.parameters, resized(state, self.levels))
        self._forward(charge, k, collision)
        return charge

    def _forward(self, charge: Charge, k: int, end: int) -> None:
        while k < end:
            count = min(end - k, 1024)
            k += count
            trace = charge.advance(count, self.dimension)[-1, 0]
            if trace > 1e-3:
                charge.scale(float((1.0 - self.lost_weight[k]) / trace))

    def passive_energies(self, purity: np.ndarray) -> np.ndarray:
        """What no unitary can extract from the normalised state after each collision, to 1e-10."""
        passive, charge, now = np.zeros(len(purity)), self.at(0), 0
        # A purity of 1 - x leaves at most x beside the largest eigenvalue.
        mixed = np.flatnonzero((1.0 - purity) * self.dimension > _OVERLOOKED)
        while len(mixed):
            k, then = mixed[0], min(mixed[0] + 1, len(purity) - 1)
            self._forward(charge, now, k)
            state = charge.spectrum_state
            self._forward(charge, k, then)
            until, now = k + 1 + self._resting(charge.spectrum_state - state), then
            passive[k:until] = passive_energy(state[(slice(self.dimension),) * state.ndim])
            mixed = mixed[np.searchsorted(mixed, until) :]
        return np.asarray(passive / (1.0 - self.lost_weight))

    def _resting(self, change: np.ndarray) -> int:
        """Collisions in which the passive energy does not move, if the state changed so much in the last one.

        Collisions and damping bring any two states closer in trace norm, so no later step is longer than
        this one; levels times the trace norm bounds the change of the passive energy.
        """
        norm = np.abs(change).sum() if change.ndim == 1 else np.sqrt(self.levels) * np.linalg.norm(change)
        return int(_OVERLOOKED / max(self.dimension * norm, _OVERLOOKED / len(self.lost_weight)))
