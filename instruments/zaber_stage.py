"""Driver of a Zaber linear stage (X-LSM, X-LSQ on a controller with Ethernet) that carries the tuning piston.

Zaber ASCII protocol: every message is answered by `@01 1 OK IDLE -- data`, RJ where it is refused. Raw
socket, port 55550.

It knows where the motor is, not where the piston is: between them lie 5 to 20 um of backlash, so a
position is always approached from below. It cannot feel the cavity.
"""

from __future__ import annotations

import re
import time
from typing import Any, ClassVar

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_range

from .errors import InstrumentTimeout, Refused
from .scpi_instrument import Guarded

MICROSTEP = 0.047625e-6     # [m] of the X-LSM series
SPEED_UNIT = 1.6384         # maxspeed counts microsteps per 1/SPEED_UNIT s
APPROACH = 50e-6            # [m] below the target from which it is approached; more than any backlash
POLL = 0.01                 # [s]
SPARE_TIME = 2.0            # [s] allowed to a motion beyond its own time
REPLY = re.compile(r"@(?P<device>\d\d) (?P<axis>\d) (?P<flag>OK|RJ) (?P<state>IDLE|BUSY) (?P<warning>\S\S)"
                   r"(?: (?P<data>.*))?")


def steps(metres: float) -> int:
    """The nearest whole microstep."""
    return round(metres / MICROSTEP)


class ZaberStage(Guarded, Instrument):
    """Axis 1 of device 1. Safe state: it stands still."""

    models = "@01"
    session_settings: ClassVar[dict[str, str]] = {
        "read_termination": "\r\n", "write_termination": "\n", "hello": "/1 get system.serial",
        "error_query": "", "varying": "IDLE|BUSY"}

    position = Instrument.measurement(
        "/1 1 get pos", """Get where the stage stands, in m.""", get_process=lambda found: found * MICROSTEP)

    speed = Instrument.control(
        "/1 1 get maxspeed", "/1 1 set maxspeed %d", """Control the speed of moves in m/s (3e-8 to 0.03).""",
        validator=strict_range, values=[3e-8, 0.03], check_set_errors=True,
        set_process=lambda speed: round(speed / MICROSTEP * SPEED_UNIT),
        get_process=lambda found: found * MICROSTEP / SPEED_UNIT)

    lowest = Instrument.measurement(
        "/1 1 get limit.min", """Get the lowest position in m.""",
        get_process=lambda found: found * MICROSTEP)

    highest = Instrument.measurement(
        "/1 1 get limit.max", """Get the highest position in m.""",
        get_process=lambda found: found * MICROSTEP)

    device_id = Instrument.measurement("/1 get deviceid", """Get the number of the model (int).""", cast=int)

    serial_number = Instrument.measurement(
        "/1 get system.serial", """Get the serial number (str).""", cast=str)

    def __init__(self, adapter: Any, name: str = "Zaber stage", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)
        self._moving = False

    @property
    def identity(self) -> str:
        """Get what the stage says it is: it knows no *IDN?, only numbers."""
        return f"Zaber,{self.device_id},{self.serial_number},"

    @property
    def moving(self) -> bool:
        """Get whether it is under way (bool)."""
        self.ask("/1 1")
        return self._moving

    def move_to(self, metres: float) -> float:
        """Go to a position [m] from below and stand still; returns it read back. ValueError out of range."""
        with self.turn():
            strict_range(metres, [self.lowest, self.highest])
            if self.position > metres:
                self._move(max(metres - APPROACH, self.lowest))
            self._move(metres)
            found = self.position
        if abs(found - metres) > MICROSTEP:
            raise self.not_taken("position", found, metres)
        return found

    def stop(self, patience: float = SPARE_TIME) -> None:
        """Stand still, wherever it is; InstrumentTimeout where it still moves after `patience` [s]."""
        with self.turn():
            self.ask("/1 1 stop")
            self._settle(patience)

    def settings(self) -> dict[str, float | str | bool]:
        """Position [m] and speed [m/s], read back."""
        return {"position": self.position, "speed": self.speed}

    def hear(self) -> str:
        """Read the data of a reply; Refused where the stage rejects."""
        reply = super().hear().strip()
        found = REPLY.fullmatch(reply)
        if found is None:
            raise self.spoilt(f"{reply!r} came", "a reply like '@01 1 OK IDLE -- 0'")
        self._moving = found["state"] == "BUSY"
        if found["flag"] == "RJ" or found["warning"].startswith("F"):
            raise self.error(Refused, f"it answers {reply!r}", "OK and no fault",
                             "correct the value, or look at the stage")
        return found["data"] or ""

    def check_errors(self) -> list:
        """Read the reply that answers a set; Refused where the stage rejects."""
        self.hear()
        return []

    def _move(self, metres: float) -> None:
        way = abs(metres - self.position)
        self.ask(f"/1 1 move abs {steps(metres)}")
        self._settle(way / self.speed + SPARE_TIME)

    def _settle(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while self.moving:
            if time.monotonic() > deadline:
                raise self.error(InstrumentTimeout, f"it still moves after {patience:.3g} s", "a stage that "
                                 "stands still", "look at the stage")
            time.sleep(POLL)

    def _to_safe_state(self) -> None:
        self.stop()

    def _read_safe_state(self) -> tuple[bool, str]:
        moving = self.moving
        return not moving, "it moves" if moving else "it stands still"
