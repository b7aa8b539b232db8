"""Ctrl-Z in a terminal holds a run; the word `arm` lets it go on.

Ctrl-Z would otherwise stop this process with the laser armed, and the guard would end the run. The word is
typed by a person who has looked at the bench: it is the leave without which nothing is armed again.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from typing import Any

from procedures.machinery.hold import Hold
from procedures.machinery.records import events

WORD = "arm"
_POLL = 0.2  # [s] between two looks at whether there is still a run to be held


class Hand:
    """Call it with every event of a run; use it as a context around the run. `hold` goes to the run."""

    def __init__(self) -> None:
        self.hold = Hold()
        self._over = threading.Event()
        self._before: Any = None

    def __enter__(self) -> Hand:
        if hasattr(signal, "SIGTSTP") and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTSTP, lambda *_: self.hold.hold())
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        if self._before is not None:
            signal.signal(signal.SIGTSTP, self._before)

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.Paused):
            threading.Thread(target=self._listen, name="leave to go on", daemon=True).start()

    def _listen(self) -> None:
        print(f"held: the bench is in its safe state. Look at it, then type {WORD} and Enter to arm the "
              "laser again and go on; Ctrl-C ends the run", file=sys.stderr, flush=True)
        typed = b""
        while not self._over.is_set() and self.hold.wanted:
            if not select.select([0], [], [], _POLL)[0]:
                continue
            read = os.read(0, 1024)
            if not read:
                return  # nobody can type here: the run stays held until it is ended
            *lines, typed = (typed + read).split(b"\n")
            if any(line.strip().lower() == WORD.encode() for line in lines):
                self.hold.go_on()
            elif lines:
                print(f"still held: only the word {WORD} arms the laser", file=sys.stderr, flush=True)
