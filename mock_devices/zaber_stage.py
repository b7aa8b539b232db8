"""Zaber X-LSM025A linear stage under piston or loop: Zaber's ASCII protocol, `/1 1 move abs 10000`.

Every message is answered by `@01 1 OK|RJ IDLE|BUSY FLAG DATA`. The stage takes its time; for the cavity
what it carries has arrived as soon as it is sent, so that no shot depends on wall time.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass

from .carried import Carried
from .scpi import Framer, ScpiError
from .virtual_cavity import VirtualCavity

MICROSTEP = 0.047625e-6  # [m]
TRAVEL = 533333  # microsteps of 25.4 mm
SPEED_UNIT = 1.6384  # maxspeed counts microsteps per 1/SPEED_UNIT s
RANGES = {"maxspeed": (1, 1048576), "accel": (1, 32767), "limit.min": (0, TRAVEL), "limit.max": (0, TRAVEL)}
_MESSAGE = re.compile(r"/\s*(?:(\d+)\s*(?:(\d)\b)?)?\s*(.*)")


class Rejected(Exception):
    """A message that is answered by RJ and this word."""


@dataclass
class Session:
    """One client."""

    framer: Framer


class ZaberStage:
    """Device 1 with axis 1; moves what it carries, and with it frequency or coupling of the mode."""

    def __init__(self, cavity: VirtualCavity, carried: Carried) -> None:
        self.cavity, self.carried = cavity, carried
        self.settings = {"maxspeed": 153600, "accel": 205, "limit.min": 0, "limit.max": TRAVEL}
        self._from = self._target = round(carried.parked / MICROSTEP)
        self._started = cavity.clock.now()
        self._speed = 0.0
        self._carried_before = carried.position
        self._clients: list[Session] = []

    # --- as a device on a port -----------------------------------------------------------------------

    def open_session(self) -> Session:
        self._clients.append(Session(Framer(b"\r\n", limit=256, blocks=False)))
        return self._clients[-1]

    def close_session(self, session: Session) -> None:
        self._clients.remove(session)

    def report(self, session: Session, error: ScpiError) -> None:
        """An oversized line is dropped, as the stage does."""

    def execute(self, session: Session, message: bytes) -> Generator[Future[None], None, bytes]:
        """One message answered; none for other devices on the line, or for what is no message."""
        yield from ()
        hit = _MESSAGE.fullmatch(message.decode("latin-1").strip())
        if hit is None or hit[1] not in (None, "0", "00", "1", "01"):
            return b""
        axis, words = int(hit[2] or 0), hit[3].split()
        try:
            if axis > 1:
                raise Rejected("BADAXIS")
            flag, data = "OK", self._carry_out(words)
        except Rejected as reason:
            flag, data = "RJ", str(reason)
        state = "BUSY" if self.moving else "IDLE"
        return f"@01 {axis} {flag} {state} -- {data}\r\n".encode("latin-1")

    # --- messages ------------------------------------------------------------------------------------

    def _carry_out(self, words: list[str]) -> str:
        match words:
            case []:
                return "0"
            case ["get", name]:
                return self._get(name)
            case ["set", name, number]:
                return self._set(name, number)
            case ["move", "abs", number]:
                return self._move(_whole(number))
            case ["move", "rel", number]:
                return self._move(self.steps + _whole(number))
            case ["move", "min"]:
                return self._move(self.settings["limit.min"])
            case ["move", "max"]:
                return self._move(self.settings["limit.max"])
            case ["home"]:
                return self._move(0)
            case ["stop"] | ["estop"]:
                return self._move(self.steps)
            case ["warnings", *_]:
                return "00"
        raise Rejected("BADCOMMAND")

    def _get(self, name: str) -> str:
        known = {"pos": self.steps, "deviceid": 50081, "version": "7.35", "system.serial": "SIMULATED-100001",
                 **self.settings}
        if name not in known:
            raise Rejected("BADCOMMAND")
        return str(known[name])

    def _set(self, name: str, number: str) -> str:
        if name not in RANGES:
            raise Rejected("BADCOMMAND")
        low, high = RANGES[name]
        if not low <= _whole(number) <= high:
            raise Rejected("BADDATA")
        self.settings[name] = _whole(number)
        return "0"

    # --- motion --------------------------------------------------------------------------------------

    @property
    def _share(self) -> float:
        """How much of the way is done, 0 to 1, at the speed that was set when the move began."""
        way = abs(self._target - self._from)
        return 1.0 if way == 0 else min(1.0, (self.cavity.clock.now() - self._started) * self._speed / way)

    @property
    def moving(self) -> bool:
        """Whether it is under way."""
        return self._share < 1.0

    @property
    def steps(self) -> int:
        """Where it is now [microsteps]."""
        return round(self._from + self._share * (self._target - self._from))

    def _move(self, target: int) -> str:
        if not self.settings["limit.min"] <= target <= self.settings["limit.max"]:
            raise Rejected("BADDATA")
        if self.moving:  # broken off half way: what it carries has come no further than the stage
            self.carried.position = self._carried_before
            self.carried.follow(self.steps * MICROSTEP)
        self._from, self._target, self._started = self.steps, target, self.cavity.clock.now()
        self._speed = self.settings["maxspeed"] / SPEED_UNIT
        self._carried_before = self.carried.position
        self.carried.follow(target * MICROSTEP)
        self.carried.act_on(self.cavity)
        self.cavity.note_bench()
        return "0"


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,12}", text):
        raise Rejected("BADDATA")
    return int(text)
