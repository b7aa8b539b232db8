"""Wall time for what only the console and watchdogs see: blade travel, sweep time, safety timers.

Physical time of shots is never taken from here; it follows from commands and shot numbers alone.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol


class Clock(Protocol):
    """Seconds that rise, and a way to be called later."""

    def now(self) -> float: ...

    def later(self, seconds: float, act: Callable[[], None]) -> None: ...


class RealClock:
    """Wall time on the running asyncio loop; `scale` > 1 makes the bench's own delays shorter."""

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale

    def now(self) -> float:
        return time.monotonic() * self._scale

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(seconds / self._scale, act)


class HandTurnedClock:
    """Time that moves when `advance` is called."""

    def __init__(self) -> None:
        self._now = 0.0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        return self._now

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self._now + seconds, next(self._order), act))

    def advance(self, seconds: float) -> None:
        """Moves time on and calls what falls due, in order."""
        end = self._now + seconds
        while self._queue and self._queue[0][0] <= end:
            self._now, _, act = heapq.heappop(self._queue)
            act()
        self._now = end


class Settling:
    """A synthesiser on its way to a new frequency, which it reaches `time` [s] after each `begin`."""

    def __init__(self, clock: Clock, time: float) -> None:
        self._clock, self._time = clock, time
        self._under_way: Future[Any] | None = None

    def begin(self) -> None:
        """A new frequency has been set."""
        self._under_way = done_after(self._clock, self._time)

    @property
    def waiting(self) -> Future[Any] | None:
        """Done when it has settled; None when it has already."""
        return None if self._under_way is None or self._under_way.done() else self._under_way


def done_after(clock: Clock, seconds: float, result: Any = None) -> Future[Any]:
    """A future that is done `seconds` from now."""
    future: Future[Any] = Future()
    clock.later(seconds, lambda: future.set_result(result) if not future.done() else None)
    return future
