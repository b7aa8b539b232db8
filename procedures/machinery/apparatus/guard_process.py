"""The guard: a process that makes the bench safe when its controller dies, however, or stalls.

`python -P -m procedures.machinery.apparatus.guard_process`, spoken to over its pipes in lines. The first line
in is an order (JSON). `connect`, said once the controller has its own connections, is answered by
`ready {JSON}`. From then on an empty line is a beat of the controller's heart, `run PATH` names the run under
way (`run` alone: none), `end` says goodbye; each is answered by an empty line. Until the heart stops it says
nothing to the instruments.

It arms nothing and resets nothing. It lives in a process group of its own and ends after what it does, which
it writes into the run's events.jsonl once the controller's lock on that is gone, and otherwise to its log.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from io import FileIO, RawIOBase
from pathlib import Path
from typing import Any

from ..records.events import SafeState, TakenOver
from ..storage.event_log import moment, note_afterwards
from ..storage.file_lock import hold
from .safety import ORDER, make_safe, read_back

STALL = 0.7
"""[s] without a beat, while a run is under way, after which the controller counts as lost.

Between runs the bench is off and nothing arms it, so that a busy window, or a machine that slept, is no
reason to act; a controller that dies is, at any time.
"""

_CONNECT_TIME = 1.0  # [s] for each connection
_ATTEMPTS = 5
_PAUSE = 0.1  # [s] between attempts
_LOCK_PATIENCE = 2.0  # [s] until a dead controller's lock on events.jsonl is surely gone


class GuardedBench:
    """The guard's own connections to all roles that have a safe state."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        from instruments import load_driver

        self._declared: Mapping[str, Mapping[str, str]] = order["roles"]
        self._visa: str = order["visa"]
        self._places = [role for role in ORDER if role in self._declared]
        self._drivers = {role: load_driver(self._declared[role]["driver"], role) for role in self._places}
        self.roles: dict[str, Any] = {}
        self.unreachable: dict[str, Exception] = {}

    def connect(self) -> None:
        """To instruments that serve several connections, so that the guard is there beforehand."""
        self._connect(role for role, driver in self._drivers.items()
                      if not getattr(driver, "one_session", False))

    def _connect(self, roles: Iterable[str]) -> None:
        from instruments import connect

        for role in roles:
            declared = self._declared[role]
            try:
                self.roles[role] = connect(declared["driver"], declared["resource"], role,
                                           timeout=_CONNECT_TIME, visa_library=self._visa)
                self.unreachable.pop(role, None)
            except Exception as failure:
                self.unreachable[role] = failure

    def look(self) -> dict[str, Any]:
        """What `ready` tells: which roles have a connection now, and how long [s] reading them back took."""
        began = time.monotonic()
        state = read_back(self.roles)
        return {"connections": list(self.roles), "found": state.message,
                "later": [role for role in self._places if role not in self.roles],
                "seconds": time.monotonic() - began}

    def make_safe(self) -> SafeState:
        """Through the connections that are there, then those that could only be made now; until verified."""
        for _ in range(_ATTEMPTS):
            state = make_safe(self.roles, self.unreachable)
            missing = [role for role in self._places if role not in self.roles]
            if state.verified and not missing:
                break
            self._connect(missing)
            time.sleep(_PAUSE)
        return state


def listen(source: RawIOBase) -> queue.SimpleQueue[str | None]:
    """The lines of `source` as they come; None when it ends."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in source:
            lines.put(line.decode("utf-8").rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, name="heartbeat", daemon=True).start()
    return lines


def watch(lines: queue.SimpleQueue[str | None], answer: Callable[[str], None]) -> tuple[str, Path | None]:
    """Wait until the heart stops: the reason, "" for a goodbye, and the folder of the run under way."""
    run: Path | None = None
    while True:
        try:
            line = lines.get(timeout=STALL if run else None)
        except queue.Empty:
            return f"the controlling program gave no sign of life for {STALL:g} s", run
        if line is None:
            return "the controlling program has died", run
        word, _, rest = line.partition(" ")
        if word == "end":
            return "", None
        if word == "run":
            run = Path(rest) if rest else None
        answer("")


def record(taken: TakenOver, run: Path | None) -> None:
    """Into the run's own events once nobody else writes there, and otherwise on stderr, which is the log."""
    end = time.monotonic() + _LOCK_PATIENCE
    while run is not None and time.monotonic() < end:
        try:
            note_afterwards(run, taken)
            return
        except OSError:
            time.sleep(_PAUSE)
    print(moment(), taken, file=sys.stderr, flush=True)


def _remove(path: Path) -> None:
    with suppress(OSError):  # an open file stays, where the system wants it so
        path.unlink()


def main() -> None:
    # Not through sys.stdin: a thread blocked inside its buffer aborts the interpreter's exit.
    lines = listen(FileIO(sys.stdin.fileno(), closefd=False))
    order = json.loads(lines.get() or "{}")
    if not order:
        return

    def answer(text: str) -> None:
        try:
            print(text, flush=True)
        except OSError:
            pass  # nobody reads any more; the end of stdin will say so

    with ExitStack() as held:
        if order["lock"]:
            hold(held.enter_context(open(order["lock"], "a")))
            held.callback(_remove, Path(order["lock"]))
        bench = GuardedBench(order)
        while (line := lines.get()) != "connect":
            if line in (None, "end"):
                return  # before anything was armed
        bench.connect()
        answer(f"ready {json.dumps(bench.look())}")
        reason, run = watch(lines, answer)
        if not reason:
            return
        began = time.monotonic()
        state = bench.make_safe()
        taken = TakenOver(reason, round(time.monotonic() - began, 3), state.verified, state.laser,
                          state.shutter, state.rf, state.message)
        answer(f"took over, because {reason}")
    record(taken, run)


if __name__ == "__main__":
    main()
