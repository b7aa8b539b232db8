"""One trigger, one record: when it is due, and what is done about a trigger that was missed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from instruments.errors import NoTrigger

from ..records.events import Event, Notice
from ..records.failures import BenchFailure
from .bench import Bench
from .watched_limits import WatchedLimits

_PATIENCE = 2.0  # [s] beyond one period of the laser
_MISSED_IN_A_ROW = 3
_POLL = 0.02  # [s] between two looks at the abort button while waiting


class Firing:
    """Shots at the laser's own pace, never above the bench's limit; late ones are not caught up."""

    def __init__(self, bench: Bench, limits: WatchedLimits, note: Callable[[Event], None]) -> None:
        self._bench, self._limits, self._note = bench, limits, note
        self._period = self._due = 0.0

    def start(self, period: float | None = None) -> None:
        """The next shot is due now; those after it `period` [s] apart, None: as before."""
        self._period = self._period if period is None else period
        self._due = time.monotonic()

    def look_at_laser(self, heed: Callable[[], None]) -> None:
        """BenchFailure for a laser that went off by itself (interlock, fault); nothing arms it again."""
        emission = self._bench.roles["pump"].emission
        if emission != "on":
            heed()
            raise BenchFailure(f"pump: its emission reads {emission!r} between two shots; look for an open "
                               "interlock or a fault on the laser, and reset it by hand")

    def record(self, number: int, heed: Callable[[], None]) -> dict[str, Any]:
        """Waveforms by channel of the next shot. `heed` raises when somebody wants something else first."""
        digitiser, timing = self._bench.roles["digitiser"], self._bench.roles["timing"]
        for _ in range(_MISSED_IN_A_ROW):
            self._wait(heed)
            digitiser.arm()
            self._limits.before_shot(time.monotonic())
            timing.fire()  # never sent again: after an error nobody knows whether a pulse went out
            try:
                digitiser.wait(self._period + _PATIENCE)
                return dict(digitiser.read())
            except NoTrigger as missed:
                self._note(Notice(f"a trigger was missed before shot {number}: {missed}"))
        raise BenchFailure(f"digitiser: {_MISSED_IN_A_ROW} shots in a row gave no trigger; check the cable "
                           "from the timing's digitiser output to the trigger input, and its level")

    def _wait(self, heed: Callable[[], None]) -> None:
        self._due = max(self._due, self._limits.earliest)
        while (left := self._due - time.monotonic()) > 0.0:
            heed()
            time.sleep(min(left, _POLL))
        heed()
        self._due = max(self._due, time.monotonic()) + self._period
