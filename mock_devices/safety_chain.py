"""The hardware chain of interlock, laser and shutter: opens by itself, latches, and only a person resets it.

No instrument and no program closes it again; they can only read that it is open.
"""

from __future__ import annotations

from .blade import Blade
from .laser import Laser


class SafetyChain:
    """While it is tripped the laser emits nothing and the blade is shut, whatever is commanded."""

    def __init__(self, laser: Laser, blade: Blade) -> None:
        self._laser, self._blade = laser, blade

    @property
    def tripped(self) -> bool:
        """True from the first opening on, however short, until `reset`."""
        return bool(self._laser.fault)

    def open(self, code: int) -> None:
        """A cover, the water or a temperature has opened the chain; `code` is what the laser reports."""
        self._laser.trip(code)
        self._blade.release()

    def reset(self) -> None:
        """A person has closed the chain and turned the key; nothing comes on by itself."""
        self._laser.reset()
        self._blade.rearm()
