"""The shutter's blade: it takes time to move, and a sensor of its own tells where it is."""

from __future__ import annotations

from .clock import Clock

TRAVEL = 0.015  # [s]


class Blade:
    """Commanded open or shut; `stuck` keeps it where it is, whatever is commanded.

    A spring shuts it when its supply goes (`release`); it stays shut until that is there again (`rearm`).
    """

    def __init__(self, clock: Clock, present: bool = True) -> None:
        self._clock = clock
        self._commanded = False
        self._since = -1e9
        self.stuck = self._released = False
        self.present = present

    def command(self, open: bool) -> None:
        """Sends the blade on its way."""
        open = open and not self._released
        if open != self._commanded and not self.stuck:
            self._commanded, self._since = open, self._clock.now()

    def release(self) -> None:
        """The supply has gone: shut, and no command opens it."""
        self._released = True
        self.command(False)

    def rearm(self) -> None:
        """The supply is there again; it opens at the next command."""
        self._released = False

    @property
    def _moving(self) -> bool:
        return self._clock.now() - self._since < TRAVEL

    @property
    def open(self) -> bool:
        """True when light may pass: not surely shut. A bench without a shutter has an open beam path."""
        return not self.present or self._commanded or self._moving

    def sensor(self) -> str:
        """OPEN, CLOS or MOV."""
        if self._moving:
            return "MOV"
        return "OPEN" if self._commanded else "CLOS"
