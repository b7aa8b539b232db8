"""What a T0 means: the delay generator's edges, and what digitiser and analyser do when one reaches them."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from .burst import Burst
from .front_end import Channel, Timebase

Taken = tuple[Timebase, dict[int, Channel], "Future[Any]"]
"""What an armed digitiser takes: the samples' times, its inputs, the future of the codes."""


@dataclass(frozen=True)
class Edges:
    """When the delay generator's outputs rise after T0 [s]; None for those that are inhibited."""

    lamp: float | None
    q_switch: float | None
    digitiser: float | None
    gate: float | None = None
    gate_end: float | None = None

    def gate_window(self, trigger: float) -> tuple[float, float] | None:
        """When the gate rises and falls after a trigger that comes at that time after T0 [s]."""
        if self.gate is None or self.gate_end is None or self.gate_end <= self.gate:
            return None
        return self.gate - trigger, self.gate_end - trigger


class Digitiser(Protocol):
    """Takes a record if it is armed."""

    def triggered(self) -> Taken | None: ...


class Analyser(Protocol):
    """Looks at a burst if a sweep waits for the trigger or is under way."""

    @property
    def watching(self) -> bool: ...

    def triggered(self, burst: Future[Burst] | None) -> None: ...
