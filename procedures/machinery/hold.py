"""A person's hand on a run that is under way: hold it, let it go on.

Holding is a wish that anybody may have at any time. Going on is leave to arm the laser again, which only a
person gives: nothing in this program calls `go_on` by itself.
"""

from __future__ import annotations

import threading


class Hold:
    """Thread-safe; one for each run."""

    def __init__(self) -> None:
        self._wanted = threading.Event()

    @property
    def wanted(self) -> bool:
        """Whether the run is to stand still, with its laser off."""
        return self._wanted.is_set()

    def hold(self) -> None:
        """No further shot; the bench goes into its safe state and waits there."""
        self._wanted.set()

    def go_on(self) -> None:
        """Leave to arm again, given by a person who has looked at the bench."""
        self._wanted.clear()
