"""Quantel Q-smart Nd:YAG laser: `COMMAND[ argument]` in; `COMMAND = value` and `OK`, `OK`, or `ERROR` out.

Commands, answers and states as in public clients of the real one; the words behind ERROR are ours. The lamp
stops when STATE has not been asked for WATCHDOG seconds, whatever else is said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass

from .laser import Laser
from .scpi import Framer, ScpiError
from .virtual_cavity import VirtualCavity

WATCHDOG = 3.0  # [s]
FAULT, READY, WAITING, PULSING = 0, 2, 4, 5  # states that this laser goes through
CONSTANT = {"MODEL": "Q-SMART 450 SIMULATED", "LVERS": "1.20", "PSVERS": "1.10", "CAPVSET": "1050",
            "LPW": "250", "PRF": "10.00"}
ICE = 273.15  # [K]
WATER, LAMP, WARMING = 2.0, 8.0, 120.0
"""The cooling water stands so far [K] above the room, the lamp warms it by so much, in such a time [s]."""
OVEN_GAIN = 500.0
"""The doubling crystal's oven leaves this part of what lies between its set point and the room."""
RANGES = {"QSPAR1": (0, 65535), "QSPAR2": (0, 65535), "QSPAR3": (0, 65535), "QDLY": (0, 255),
          "QDLYO": (-500, 500)}
MEASURED = ("CGTEMP", "TEMP1F", "STATE", "SSHOT")
SET_POINT = (45.0, 55.0)  # [degrees Celsius] of TEMP1S
TRIGGERS = ("II", "IE", "EI", "EE")  # lamp, Q-switch
_MESSAGE = re.compile(r"(?P<name>[A-Z0-9]+)(?:\s+(?P<argument>\S+))?")


class Refusal(Exception):
    """A message that is answered by ERROR and these words."""


@dataclass
class Session:
    """One client."""

    framer: Framer
    too_long: bool = False


class QuantelQSmart:
    """The laser's commands in front of the shared `Laser`; RUN powers it, QSW lets pulses out."""

    one_session = True  # as the Lantronix box in front of it

    def __init__(self, cavity: VirtualCavity) -> None:
        self.laser: Laser = cavity.laser
        self._cavity = cavity
        self.settings = {"QSPAR1": "0", "QSPAR2": "1", "QSPAR3": "1", "QDLY": "0", "QDLYO": "0",
                         "TEMP1S": "50.00", "TRIG": "II"}
        self._clock = cavity.clock
        self._asked = 0  # how often STATE has been
        self._first_shot = 0  # where USHOT counts from
        self.sessions: list[Session] = []

    # --- as a device on a port -----------------------------------------------------------------------

    def open_session(self) -> Session:
        """A new client."""
        self.sessions.append(Session(Framer(b"\r\n", limit=256, blocks=False)))
        self.laser.clients = len(self.sessions)
        return self.sessions[-1]

    def close_session(self, session: Session) -> None:
        """A client has gone; what it leaves running stops with the watchdog."""
        self.sessions.remove(session)
        self.laser.clients = len(self.sessions)

    def report(self, session: Session, error: ScpiError) -> None:
        """An oversized message; the next answer says so."""
        session.too_long = True

    def execute(self, session: Session, message: bytes) -> Generator[Future[None], None, bytes]:
        """Answers one question or carries out one order."""
        yield from ()
        try:
            if session.too_long:
                session.too_long = False
                raise Refusal("message too long")
            answer = self._carry_out(message.decode("latin-1").strip())
        except Refusal as reason:
            return f"ERROR {reason}\r\n".encode()
        return f"{answer}\r\nOK\r\n".encode() if answer else b"OK\r\n"

    # --- messages ------------------------------------------------------------------------------------

    def _carry_out(self, text: str) -> str:
        """The line with the value that was asked for, "" for an order."""
        hit = _MESSAGE.fullmatch(text)
        if hit is None:
            raise Refusal("unknown command")
        name, argument = hit["name"], hit["argument"]
        if argument is None and name in ("RUN", "STOP"):
            self._run(name == "RUN")
            return ""
        if argument is not None:
            self._set(name, argument)
            return ""
        return f"{name} = {self._value(name)}"

    def _value(self, name: str) -> str:
        if name == "STATE":
            self._beat()
            return str(self.state)
        if name == "SSHOT":
            return str(self.laser.pulses)
        if name == "USHOT":
            return str(self.laser.pulses - self._first_shot)
        if name == "QSW":
            return str(int(self.laser.level == "MAX"))
        if name == "CGTEMP":
            return f"{self._water():.1f}"
        if name == "TEMP1F":
            return f"{self._crystal():.2f}"
        known = CONSTANT | self.settings
        if name not in known:
            raise Refusal("unknown command")
        return known[name]

    def _set(self, name: str, argument: str) -> None:
        if name in RANGES:
            self.settings[name] = str(int(_number(argument, *RANGES[name])))
        elif name == "TEMP1S":
            self.settings[name] = f"{_number(argument, *SET_POINT):.2f}"
        elif name == "TRIG":
            self.settings[name] = _choice(argument, TRIGGERS)
        elif name == "QSW":
            self.laser.level = "MAX" if _choice(argument, ("0", "1")) == "1" else "OFF"
        elif name == "USHOT" and argument == "0":
            self._first_shot = self.laser.pulses
        else:
            raise Refusal("read only" if name in (*CONSTANT, *MEASURED) else "unknown command")

    def _room(self) -> float:
        """What the cavity's thermometer shows, too [degrees Celsius]."""
        return self._cavity.temperature - ICE

    def _water(self) -> float:
        warmed = LAMP * -math.expm1(-self._cavity.time / WARMING) if self.laser.power else 0.0
        return self._room() + WATER + warmed

    def _crystal(self) -> float:
        set_point = float(self.settings["TEMP1S"])
        return set_point + (self._room() - set_point) / OVEN_GAIN

    # --- the laser -----------------------------------------------------------------------------------

    @property
    def state(self) -> int:
        """What STATE says."""
        if self.laser.fault:
            return FAULT
        if not self.laser.power:
            return READY
        return PULSING if self.laser.armed else WAITING

    def _run(self, on: bool) -> None:
        if on and self.laser.fault:
            raise Refusal("interlock open")
        self.laser.power = on
        if on:
            self._beat()

    def _beat(self) -> None:
        """STATE has been asked, or the lamp has started: the watchdog begins anew."""
        self._asked += 1
        asked = self._asked
        if self.laser.power:
            self._clock.later(WATCHDOG, lambda: self._silence(asked))

    def _silence(self, asked: int) -> None:
        if asked == self._asked:
            self.laser.power = False


def _number(text: str, low: float, high: float) -> float:
    try:
        number = float(text)
    except ValueError:
        raise Refusal("wrong value") from None
    if not low <= number <= high:
        raise Refusal("out of range")
    return number


def _choice(text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise Refusal("wrong value")
    return text
