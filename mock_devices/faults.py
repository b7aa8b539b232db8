"""Which faults are on: what was ordered, when each strikes (seeded), and what waits for a reply.

Names and the line that orders one are in `twin.bench_faults`. Physical faults are asked for once per shot
by the virtual cavity; faults of the line wait for the next reply of their role. `Faults` knows nothing of
sockets or physics; it only says what is on.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.bench_faults import FaultOrder, read_order

_BLOCKS = ("half_block", "wrong_length")


@dataclass
class Injection:
    """An order that waits for its moment; `standing` ones are the bench file's and begin anew with a run."""

    order: FaultOrder
    standing: bool = False
    done: bool = False

    def strikes(self, shot: int, trigger: int, time: float, seed: int) -> bool:
        """Whether it strikes this trigger of a run, which may become its record number `shot`."""
        kind, value = self.order.at
        if kind == "probability":
            stream = np.random.SeedSequence((seed, zlib.crc32(self.order.name.encode()), trigger))
            return bool(np.random.default_rng(stream).random() < value)
        due = {"shot": shot == value, "time": time >= value, "now": True}[kind]
        return due and not self.done


class Faults:
    """What has been injected, what lasts and what waits for a reply.

    `standing` are the orders of the bench file: they hold for every run from its beginning.
    """

    def __init__(self, standing: Sequence[FaultOrder] = ()) -> None:
        self._standing = tuple(standing)
        self._injections: list[Injection] = []
        self.lasting: dict[str, float] = {}
        self._line: list[FaultOrder] = []
        self._of_the_file: set[str] = set()

    def begin(self) -> None:
        """A run: the bench file's faults as if none had struck yet; what was injected stays as it is."""
        for name in self._of_the_file:
            self.lasting.pop(name, None)
        self._of_the_file.clear()
        self._injections = [i for i in self._injections if not i.standing]
        for order in self._standing:
            self._start(Injection(order, standing=True))

    def inject(self, line: str) -> FaultOrder:
        """Reads a line and starts what it orders; ValueError with advice."""
        order = read_order(line)
        self.start(order)
        return order

    def start(self, order: FaultOrder) -> None:
        """From now on it waits for its moment, or it strikes now."""
        self._start(Injection(order))

    def _start(self, injection: Injection) -> None:
        order = injection.order
        waits = order.at[0] != "now" or order.kind == "shot"
        if waits or (injection.standing and order.kind == "queue"):
            self._injections.append(injection)
        elif order.kind == "lasting":
            self._last(injection)
        elif order.kind == "line":
            self._line.append(order)

    def _last(self, injection: Injection) -> None:
        name, severity = injection.order.name, injection.order.severity
        if severity == 0.0:
            self.lasting.pop(name, None)
            return
        self.lasting[name] = severity
        if injection.standing:
            self._of_the_file.add(name)

    def at_shot(self, shot: int, trigger: int, time: float, seed: int) -> dict[str, FaultOrder]:
        """What strikes at this trigger, by name; faults of the line begin to wait for a reply."""
        struck = {}
        for injection in self._injections:
            if not injection.strikes(shot, trigger, time, seed):
                continue
            injection.done = injection.order.at[0] != "probability"
            if injection.order.kind == "lasting":
                self._last(injection)
            elif injection.order.kind == "line":
                self._line.append(injection.order)
            struck[injection.order.name] = injection.order
        self._injections = [i for i in self._injections if not i.done]
        return struck

    def for_reply(self, role: str, message: bytes, reply: bytes) -> FaultOrder | None:
        """The fault that spoils this reply, taken off the list; some wait for a block."""
        for order in self._line:
            if order.role == role and reply and (reply.startswith(b"#") or order.name not in _BLOCKS):
                self._line.remove(order)
                return order
        return None
