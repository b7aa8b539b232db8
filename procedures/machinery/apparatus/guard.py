"""The guard as its controller sees it: started, fed with a heartbeat, told of runs, and sent home.

A thread that holds no lock and touches no instrument sends the beats, another hears the answers; what the
guard does when they stop is in guard_process.py. A guard that has gone is never replaced within a run:
without one no run goes on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..records.failures import BenchFailure
from .bench_lock import guard_file
from .safety import ORDER
from .software_instruments import own_group

INTERVAL = 0.1
"""[s] between two beats."""

_START_TIME = 30.0  # [s] for a crowded machine; an idle one needs less than one
_SILENCE = 2.0  # [s] without an answer after which the guard counts as lost
_END_TIME = 2.0  # [s] for a guard that was told that all is well


class Guard:
    """One guard process for the bench of `description`. `holding`: it stands for the bench's own safety.

    A guard that only shows what it would do (`maserbench check`) holds nothing and is in nobody's way.
    """

    def __init__(self, description: Any, holding: bool = True) -> None:
        path = guard_file(description)
        self.log = path.with_suffix(".log")
        with self.log.open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", f"{__package__}.guard_process"], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, text=True, **own_group())
        self._began = self._answered = time.monotonic()
        self._ready, self._ending = threading.Event(), threading.Event()
        self._gone, self._last_words = False, ""
        self.rehearsal: dict[str, Any] = {}
        self.gaps: Counter[int] = Counter()
        """How often the time between two beats was so many hundredths of a second, rounded down: of the run
        under way, or else of the last one, since silence counts during a run only."""
        self.longest_gap = 0.0
        """[s] between two beats of that run."""
        self._counting = False
        self._say(json.dumps(order_for(description, path if holding else None)))
        self._threads = [threading.Thread(target=work, name=name, daemon=True)
                         for work, name in ((self._beat, "heartbeat"), (self._hear, "guard"))]
        for thread in self._threads:
            thread.start()

    def connect(self) -> None:
        """Have it make its own connections: after the controller's, should an instrument take one only."""
        self._say("connect")

    def await_ready(self) -> dict[str, Any]:
        """Before anything is armed. {connections, later, seconds, found, start}: what the guard can reach.

        `seconds` is how long it takes to read everything back over its own connections, `start` [s] how long
        it took until it was on guard. BenchFailure without a guard.
        """
        if not self._ready.wait(_START_TIME) or not self.rehearsal:
            raise BenchFailure(f"the guard process did not start, and nothing is done without it; {self.log} "
                               "may say why")
        return self.rehearsal

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def problem(self) -> str:
        """Why this guard protects nobody any more; "" while it does."""
        if self._gone:
            return f"the guard process has ended ({self._last_words or f'see {self.log}'})"
        silent = time.monotonic() - self._answered if self._ready.is_set() else 0.0
        return f"the guard process has not answered for {silent:.1f} s" if silent > _SILENCE else ""

    def require(self) -> None:
        """BenchFailure unless the guard is there and answers."""
        if self.problem:
            raise BenchFailure(f"{self.problem}; without a guard no run goes on, so open the bench "
                               "anew")

    def announce(self, run: Path | None) -> None:
        """The folder of the run under way, where the guard writes what it had to do; None after its end."""
        self._say(f"run {run}" if run else "run")
        self._counting = run is not None
        if run is not None:
            self.gaps, self.longest_gap = Counter(), 0.0

    def close(self) -> None:
        """Send the guard home: the bench is safe, and it does nothing. One that still starts is ended."""
        self._ending.set()
        self._threads[0].join(_END_TIME)  # before its pipe is closed and the number given to another file
        self._say("end")
        if self._threads[0].is_alive() or not self._ready.is_set():
            self._process.kill()
        try:
            self._process.wait(_END_TIME)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._threads[1].join(_END_TIME)
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                pipe.close()  # type: ignore[union-attr]
            except OSError:
                pass  # a line that a dead process never read
        with suppress(OSError):
            if not self.log.stat().st_size:
                self.log.unlink()

    def _say(self, line: str) -> None:
        """One write, which no other thread's can cut in two; `problem` tells of a guard that has gone."""
        try:
            os.write(self._process.stdin.fileno(), line.encode() + b"\n")  # type: ignore[union-attr]
        except OSError:
            pass

    def _beat(self) -> None:
        last = time.monotonic()
        while not self._ending.wait(INTERVAL):
            self._say("")
            now = time.monotonic()
            if self._counting:
                self.longest_gap = max(self.longest_gap, now - last)
                self.gaps[int(100.0 * (now - last))] += 1
            last = now

    def _hear(self) -> None:
        for line in self._process.stdout:  # type: ignore[union-attr]
            self._answered = time.monotonic()
            if line.startswith("ready "):
                self.rehearsal = json.loads(line[6:]) | {"start": self._answered - self._began}
                self._ready.set()
            elif line.strip():
                self._last_words, self._gone = line.strip(), True  # it has acted, and ends
        self._gone = True
        self._ready.set()


def order_for(description: Any, lock: Path | None) -> dict[str, Any]:
    """What the guard must know: drivers and resources of the roles that have a safe state."""
    roles = {role: {"driver": declared.driver, "resource": declared.resource}
             for role, declared in description.roles.items() if role in ORDER}
    return {"roles": roles, "visa": description.visa, "lock": str(lock) if lock else ""}


def rehearse(description: Any) -> dict[str, Any]:
    """What a guard of this bench could reach, and how fast; it commands nothing. BenchFailure without one."""
    guard = Guard(description, holding=False)
    try:
        guard.connect()
        return guard.await_ready()
    finally:
        guard.close()
