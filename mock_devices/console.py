"""The back door: one line in, one line out, the same on stdin and on its loopback port.

It shows what the bench really does, pulls plugs, injects faults, and tells the virtual bench of runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from twin.bench_faults import CATALOGUE, FaultOrder, read_order
from twin.bench_roles import GATES
from twin.quantity import nearest

from .scpi import Framer, ScpiError
from .scpi_device import ScpiDevice
from .virtual_cavity import VirtualCavity


class Plug(Protocol):
    """An endpoint, as far as the console pulls it."""

    device: Any

    def unplug(self) -> None: ...

    def plug(self) -> None: ...


@dataclass
class Session:
    """One who speaks to the console."""

    framer: Framer


class Console:
    """Answers `state`, `unplug`, `plug`, `gate`, `inject`, `begin`, `repetition` and `stop`."""

    def __init__(self, cavity: VirtualCavity, plugs: Mapping[str, Plug], stop: Callable[[], None]) -> None:
        self._cavity, self._plugs, self._stop = cavity, plugs, stop
        self._safe_since: float | None = cavity.clock.now()
        self.sessions = 0
        cavity.erring = self._err

    # --- as a device on a port -----------------------------------------------------------------------

    def open_session(self) -> Session:
        self.sessions += 1
        return Session(Framer(b"\n", limit=4096, blocks=False))

    def close_session(self, session: Session) -> None:
        self.sessions -= 1

    def report(self, session: Session, error: ScpiError) -> None:
        """An oversized line is dropped."""

    def execute(self, session: Session, message: bytes) -> Generator[Future[Any], None, bytes]:
        """One line answered."""
        yield from ()
        return self.answer(message.decode("utf-8", "replace")).encode() + b"\n"

    # --- lines ---------------------------------------------------------------------------------------

    def answer(self, line: str) -> str:
        """`ok`, JSON, or `error TEXT`; always exactly one line."""
        word, _, rest = line.strip().partition(" ")
        known = {"state": self._state, "unplug": self._unplug, "plug": self._plug, "gate": self._gate,
                 "inject": self._inject, "begin": self._begin, "repetition": self._repetition,
                 "stop": self._end}
        if word not in known:
            return f"error unknown command {word!r}; known: {', '.join(known)}"
        try:
            return known[word](rest.strip())
        except (ValueError, OSError) as error:
            return "error " + " ".join(str(error).split())

    def look(self) -> None:
        """To be called after every message and now and then: since when has it been continuously safe?"""
        if not self._cavity.safe():
            self._safe_since = None
        elif self._safe_since is None:
            self._safe_since = self._cavity.clock.now()

    def _state(self, _: str) -> str:
        self.look()
        cavity = self._cavity
        since = 0.0 if self._safe_since is None else cavity.clock.now() - self._safe_since
        shutter = ("open" if cavity.blade.open else "closed") if cavity.blade.present else "none"
        return json.dumps({"laser": cavity.laser.state(), "shutter": shutter,
                           "rf": "on" if cavity.rf_on else "off", "since": round(since, 3),
                           "shots": cavity.laser.pulses})

    def _role(self, role: str) -> Plug:
        if role not in self._plugs:
            raise ValueError(f"no role {role!r} here; served: {', '.join(self._plugs)}")
        return self._plugs[role]

    def _unplug(self, role: str) -> str:
        self._role(role).unplug()
        return "ok"

    def _plug(self, role: str) -> str:
        self._role(role).plug()
        return "ok"

    def _gate(self, where: str) -> str:
        if where not in GATES:
            raise ValueError(f"gate: {nearest(where, GATES)}")
        self._cavity.gate = where
        return "ok"

    def _begin(self, text: str) -> str:
        run, _, seed = text.rpartition(" ")
        if not run or not seed.lstrip("+").isdecimal():
            raise ValueError(f"begin {text}: expected begin RUN SEED, the seed a whole number from 0")
        self._cavity.begin(run.strip(), int(seed))
        return "ok"

    def _repetition(self, text: str) -> str:
        rate = float(text)
        if not 1e-3 <= rate <= 1e6:
            raise ValueError(f"repetition {text}: expected 1e-3 .. 1e6 Hz")
        self._cavity.repetition_rate = rate
        return "ok"

    def _end(self, _: str) -> str:
        self._stop()
        return "ok"

    def _inject(self, text: str) -> str:
        if text == "list":
            severity = {name: f"{fault.severity:g}: {fault.meaning}" for name, fault in CATALOGUE.items()}
            seen_by = {name: fault.seen_by for name, fault in CATALOGUE.items()}
            return json.dumps({"names": list(CATALOGUE), "severity": severity, "seen_by": seen_by})
        if not text:
            raise ValueError("inject: expected inject list or inject NAME [severity=X] [at=...] [role=ROLE]")
        self.inject(read_order(text))
        return "ok"

    def inject(self, order: FaultOrder) -> None:
        """A fault from now on, or when its moment comes; ValueError for a role that is not served."""
        if order.kind in ("line", "queue"):
            self._role(order.role)
        self._cavity.inject(order)

    def _err(self, role: str, code: int) -> None:
        device = self._role(role).device
        if isinstance(device, ScpiDevice):
            device.push_error(code)
