"""What an oscilloscope has taken since it was armed: one record per trigger, until it has all it wants.

Triggers come on the event loop, records are filled in a worker thread; `done` is what *OPC? waits for.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future

import numpy as np

from .front_end import Channel, Timebase

Codes = dict[int, np.ndarray]
"""Codes (points,) by input."""


class Acquisition:
    """One arming that takes `wanted` triggers; `rearm` [s] after a record it is deaf.

    `taken` [s, physical time of each trigger]; timebase and channels are those of the first trigger.
    """

    def __init__(self, wanted: int = 1, rearm: float = 0.0) -> None:
        self.wanted, self.rearm = wanted, rearm
        self.ready = False
        self.timebase: Timebase | None = None
        self.channels: dict[int, Channel] = {}
        self.taken: list[float] = []
        self.done: Future[None] = Future()
        self._records: list[Future[Codes]] = []
        self._stopped = False
        self._settling = threading.Lock()

    @property
    def waiting(self) -> bool:
        """True while a trigger would be, or will be, taken."""
        return not self._stopped and len(self.taken) < self.wanted

    def take(self, time: float, timebase: Timebase, channels: dict[int, Channel]) -> Future[Codes] | None:
        """A trigger at `time` [s]: the record to fill; None if it is not armed yet or deaf just now."""
        if not (self.waiting and self.ready):
            return None
        if self.timebase is None:
            self.timebase, self.channels = timebase, channels
        length = self.timebase.points * self.timebase.interval
        if self.taken and time - self.taken[-1] < length + self.rearm:
            return None
        record: Future[Codes] = Future()
        self.taken.append(time)
        self._records.append(record)
        record.add_done_callback(lambda _: self._settle())
        return record

    def stop(self) -> None:
        """No further trigger; what has been taken stays, and whoever waits is let go once it is there."""
        self._stopped = True
        self._settle()

    def _settle(self) -> None:
        with self._settling:
            if not self.waiting and not self.done.done() and all(r.done() for r in self._records):
                self.done.set_result(None)

    def records(self) -> list[Codes]:
        """What was taken, first trigger first; raises what went wrong in the physics. Ask once it is done."""
        return [record.result() for record in self._records]


def averaged(records: list[np.ndarray], channel: Channel) -> np.ndarray:
    """Words of sixteen bits that several records average to; on a rail where any of them was.

    A mean has digits that no single code has; a rail hides how far away the signal was, so that a mean with
    one in it means nothing.
    """
    codes = np.array(records)
    half = 1 << (channel.bits - 1)
    words = np.rint((codes.mean(axis=0) - half) * 2 ** (16 - channel.bits))
    words = np.where((codes == 0).any(axis=0), -(2**15), words)
    return np.where((codes == 2 * half - 1).any(axis=0), 2**15 - 1, words).astype(np.int16)
