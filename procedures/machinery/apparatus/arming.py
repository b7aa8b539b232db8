"""How a run arms the bench, in two steps, and how it makes it safe again.

Leave is given once per run, with who, when and why in events.jsonl, is good for a minute and used once.
Making safe withdraws it, and nothing renews it: after a trip a person starts a new run. No interlock is
reset here.
"""

from __future__ import annotations

import getpass
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..records.events import Armed, Event, SafeState
from ..records.failures import BenchFailure, StateUnknown
from . import safety

VALID = 60.0
"""[s] from the leave to its use."""


class Arming:
    """Pump, shutter and timing of `roles` in the hands of one run; `note` writes down what is done.

    `clock` [s] is monotonic, so that a stepped clock makes no leave young.
    """

    def __init__(self, roles: Mapping[str, Any], note: Callable[[Event], None],
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._roles, self._note, self._clock = roles, note, clock
        self._given: float | None = None  # when leave was given, until it is used
        self._over = threading.Event()  # set for good as soon as anybody makes the bench safe
        self._making_safe = threading.Lock()
        self._state: SafeState | None = None  # None: something may be on

    def start_from_safe(self) -> None:
        """Nobody knows what was done since; StateUnknown when the bench cannot be read back safe."""
        state = safety.make_safe(self._roles)
        if not state.verified:
            raise StateUnknown(f"the bench is not started: {state.message}")

    def ask(self, reason: str, settings: Mapping[str, Any],
            limits: Mapping[str, tuple[float, float]]) -> None:
        """The first step: leave to arm, written down. BenchFailure while laser or safety chain forbid it."""
        if self._roles["pump"].emission == "fault":
            raise BenchFailure("pump: it reports a fault or an open interlock; a person clears the cause and "
                               "resets it at the laser, since this program resets no interlock")
        if "interlock" in self._roles and not self._roles["interlock"].closed:
            opened = ", ".join(self._roles["interlock"].open_contacts)
            raise BenchFailure(f"interlock: the safety chain is open at {opened}; a person closes it and "
                               "resets it")
        energies = [float(value) for name, value in settings.items() if name.startswith("pump_energy")]
        self._note(Armed(_user(), socket.gethostname(), reason, max(energies, default=0.0),
                         float(settings["repetition_rate"]), dict(limits)))
        self._given = self._clock()

    def arm(self) -> None:
        """The second step: shutter open, laser armed, timing released. BenchFailure without a good leave."""
        self._use_leave()
        self._state = None
        if "shutter" in self._roles:
            self._roles["shutter"].open()
        self._roles["pump"].arm("MAX")
        self._roles["timing"].release()
        self.still_allowed()

    def release_timing(self) -> None:
        """Digitiser and gate alone, for records without laser: lamp and Q-switch get no trigger either."""
        self.still_allowed()
        self._state = None
        self._roles["timing"].release_dark()
        self.still_allowed()

    def _use_leave(self) -> None:
        self.still_allowed()
        given, self._given = self._given, None
        if given is None:
            raise BenchFailure("the bench is not armed: no leave was given since it was armed last")
        if (age := self._clock() - given) > VALID:
            raise BenchFailure(f"the bench is not armed: leave was given {age:.0f} s ago and is good for "
                               f"{VALID:g} s; start a new run")

    def hold(self) -> None:
        """Safe, until somebody asks for leave again and uses it; StateUnknown when it cannot be read back."""
        with self._making_safe:
            self._given = None
            self._state = safety.make_safe(self._roles)
            self._note(self._state)
        if not self._state.verified:
            raise StateUnknown(f"the run was to be held: {self._state.message}")

    @contextmanager
    def without_light(self) -> Iterator[None]:
        """Lamp and Q-switch get no trigger in here, nor after an exception, since every one of those leads to
        the safe state; the laser itself stays as it is."""
        self.still_allowed()
        self._roles["timing"].release_dark()
        yield
        self.still_allowed()
        self._roles["timing"].release()
        self.still_allowed()

    def still_allowed(self) -> None:
        """BenchFailure once anybody has made the bench safe: what this run turns on now would stay on."""
        if self._over.is_set():
            raise BenchFailure("the bench was made safe in the meantime, and nothing of this run arms it "
                               "again; start a new run")

    def make_safe(self) -> SafeState:
        """The verified safe state, once; told to all who watch. Never raises for an instrument."""
        self._over.set()
        with self._making_safe:
            if self._state is None or not self._state.verified:
                self._state = safety.make_safe(self._roles)
                self._note(self._state)
            return self._state

    def cut_short(self) -> None:
        """From another thread, at any time: everything off at once.

        The procedure, whatever it is in the middle of, still ends by itself through `make_safe`.
        """
        self._over.set()
        with self._making_safe:
            safety.make_safe(self._roles)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user number without a name, as in a container
        return "unknown"
