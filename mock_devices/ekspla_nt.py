"""EKSPLA NT-series tunable laser, its ASCII registers over TCP: `/module/id/register[/value]`, CR in.

Replies are a value with its unit, `\\r\\n\\x03` behind it; a write is answered by an empty line. There is no
*IDN?: who it is, is composed from registers. Sources: the public client and simulator of the LSST laser.
"""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from .laser import Laser
from .scpi import Framer, ScpiError
from .virtual_cavity import VirtualCavity

REPLY_END = b"\r\n\x03"
MODE = "/M_CPU800/18/Continuous %2F Burst mode %2F Trigger burst"
BURST_LENGTH = "/M_CPU800/18/Burst length"
FLASHING_CURRENT = "19"  # [A] through the lamps while the laser is on
ERRORS = {8: "Timeout waiting for device answer", 11: "Violating top value limit",
          12: "Violating bottom value limit", 13: "Wrong value, not included in allowed values list",
          14: "Unknown module or register", 15: "Register is read only", 16: "Message too long",
          17: "Interlock is open"}


class RegisterError(Exception):
    """A refused read or write; `code` as in ERRORS."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Register:
    """One register: its text value, what it may become. No choices and no range: read only."""

    value: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    range: tuple[float, float] | None = None

    def accept(self, text: str) -> None:
        """Writes it; RegisterError with the laser's own code if it may not be."""
        if self.range is not None:
            self.value = f"{self._within(text):g}"
        elif self.choices:
            known = {c.upper(): c for c in self.choices}
            if text.upper() not in known:
                raise RegisterError(13)
            self.value = known[text.upper()]
        else:
            raise RegisterError(15)

    def _within(self, text: str) -> float:
        assert self.range is not None
        try:
            number = float(text.removesuffix(self.unit))
        except ValueError:
            raise RegisterError(13) from None
        if not number <= self.range[1]:
            raise RegisterError(11)
        if number < self.range[0]:
            raise RegisterError(12)
        return number


def _registers() -> dict[str, Register]:
    return {
        "/CPU8000/16/Power": Register("ON"),
        "/CPU8000/16/Display Current": Register("19", "A"),
        "/CPU8000/16/Fault code": Register("0"),
        "/CPU8000/16/Serial number": Register("SIMULATED-NT242-1"),
        "/M_CPU800/17/Power": Register("ON"),
        "/M_CPU800/17/Display Current": Register("19", "A"),
        "/M_CPU800/17/Fault code": Register("0"),
        "/M_CPU800/18/Power": Register("OFF", choices=("ON", "OFF")),
        "/M_CPU800/18/Display Current": Register("19", "A"),
        "/M_CPU800/18/Fault code": Register("0"),
        MODE: Register("Trigger", choices=("Continuous", "Burst", "Trigger")),
        "/M_CPU800/18/Output Energy level": Register("OFF", choices=("OFF", "Adjust", "MAX")),
        "/M_CPU800/18/Frequency divider": Register("1", range=(1, 5000)),
        BURST_LENGTH: Register("1", range=(1, 50000)),
        "/M_CPU800/18/Burst pulses to go": Register("0"),
        "/M_CPU800/18/QSW Adjustment output delay": Register("0", "us"),
        "/M_CPU800/18/Repetition rate": Register("10", "Hz"),
        "/M_CPU800/18/Synchronization mode": Register("External"),
        "/MaxiOPG/31/WaveLength": Register("590.0", "nm", range=(300.0, 1100.0)),
        "/MaxiOPG/31/Configuration":
            Register("No SCU", choices=("SCU", "F1 SCU", "F2 SCU", "No SCU", "F1 No SCU", "F2 No SCU")),
        "/MiniOPG/56/Error Code": Register("0"),
        "/TK6/32/Display temperature": Register("21", "C"),
        "/TK6/32/Set temperature": Register("21", "C"),
        "/11PMKu/54/Power": Register("ON"),
        "/HV40W/41/HV voltage": Register("0", "V"),
        "/DelayLin/40/Error Code": Register("0"),
        "/LDCO48BP/30/Display temperature": Register("25", "C"),
    }


@dataclass
class Session:
    """One client; the laser keeps no errors, it answers them."""

    framer: Framer
    refused: int = 0


class EksplaNT:
    """The laser's registers in front of the shared `Laser`."""

    def __init__(self, cavity: VirtualCavity) -> None:
        self.laser: Laser = cavity.laser
        self._cavity = cavity
        self.registers = _registers()
        self.sessions: list[Session] = []

    def open_session(self) -> Session:
        """A new client. Half a day's silence of all of them is not awaited: see Laser.watchdog."""
        session = Session(Framer(b"\r", limit=4096, blocks=False))
        self.sessions.append(session)
        self.laser.clients = len(self.sessions)
        return session

    def close_session(self, session: Session) -> None:
        """A client has gone; with the last one, the laser's watchdog starts."""
        self.sessions.remove(session)
        self.laser.clients = len(self.sessions)

    def report(self, session: Session, error: ScpiError) -> None:
        """An oversized message; the next answer says so."""
        session.refused = 16

    def execute(self, session: Session, message: bytes) -> Generator[Future[Any], None, bytes]:
        """Answers one register read or write."""
        yield from ()
        try:
            if session.refused:
                code, session.refused = session.refused, 0
                raise RegisterError(code)
            return self._answer(message.decode("latin-1").strip()).encode("latin-1") + REPLY_END
        except RegisterError as error:
            return f"'''Error: ({error.code}) {ERRORS[error.code]}".encode() + REPLY_END

    def _answer(self, text: str) -> str:
        parts = text.split("/")
        if len(parts) not in (4, 5) or parts[0]:
            raise RegisterError(14)
        path = self._known("/".join(parts[:4]))
        register = self.registers[path]
        if len(parts) == 4:
            self._refresh()
            return register.value + register.unit
        before = register.value
        register.accept(parts[4])
        try:
            self._apply(path, register.value)
        except RegisterError:
            register.value = before
            raise
        return ""

    def _known(self, path: str) -> str:
        for name in self.registers:
            if name.lower() == path.lower():
                return name
        raise RegisterError(14)

    def _apply(self, path: str, value: str) -> None:
        laser = self.laser
        if path == "/M_CPU800/18/Power":
            if value == "ON" and laser.fault:
                raise RegisterError(17)
            laser.power = value == "ON"
            burst = self.registers[MODE].value == "Burst"
            laser.left = int(self.registers[BURST_LENGTH].value) if burst else None
        elif path == MODE and value != "Burst":
            laser.left = None
        elif path == "/M_CPU800/18/Output Energy level":
            laser.level = value
        elif path == "/MaxiOPG/31/WaveLength":
            laser.wavelength = float(value) * 1e-9

    def _refresh(self) -> None:
        """Registers that move by themselves: the interlock, the watchdog and the pulses drive them."""
        laser, registers = self.laser, self.registers
        registers["/M_CPU800/18/Power"].value = "ON" if laser.power else "OFF"
        registers["/M_CPU800/18/Output Energy level"].value = laser.level
        registers["/CPU8000/16/Power"].value = "FAULT" if laser.fault else "ON"
        for module in ("CPU8000/16", "M_CPU800/18"):
            registers[f"/{module}/Fault code"].value = str(laser.fault)
            registers[f"/{module}/Display Current"].value = FLASHING_CURRENT if laser.power else "0"
        rate = self._cavity.repetition_rate / float(registers["/M_CPU800/18/Frequency divider"].value)
        registers["/M_CPU800/18/Repetition rate"].value = f"{rate:g}"
        registers["/M_CPU800/18/Burst pulses to go"].value = str(laser.left or 0)
