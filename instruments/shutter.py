"""Driver of the beam shutter with its own sensor (ours: a few lines of SCPI on a small controller).

What counts is the sensor, never the command. It cannot say how fast the blade moved, nor whether the
beam is blocked when the blade is bent.
"""

from __future__ import annotations

import time
from typing import Any, ClassVar

from pymeasure.instruments import Instrument, SCPIMixin
from pymeasure.instruments.validators import strict_discrete_set

from .errors import InstrumentTimeout
from .scpi_instrument import Guarded

TRAVEL_TIME = 2.0        # [s] after which a blade that has not arrived is stuck
SAFE_TRAVEL_TIME = 0.4   # [s] that the safe state waits for a moving blade
POLL = 0.005             # [s]


class Shutter(Guarded, SCPIMixin, Instrument):
    """The shutter. Safe state: the sensor says closed."""

    models = "(?i)shutter"
    session_settings: ClassVar[dict[str, str]] = {"read_termination": "\n", "write_termination": "\n"}

    commanded = Instrument.control(
        "SHUT:STAT?", "SHUT:STAT %s", """Control what the blade is told to be ("open" or "closed").""",
        validator=strict_discrete_set, values={"open": "OPEN", "closed": "CLOS"}, map_values=True,
        cast=str, check_set_errors=True)

    sensor = Instrument.measurement(
        "SHUT:SENS?", """Get where the sensor sees the blade ("open", "closed" or "moving").""",
        values={"open": "OPEN", "closed": "CLOS", "moving": "MOV"}, map_values=True, cast=str)

    def __init__(self, adapter: Any, name: str = "Beam shutter", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)

    def open(self) -> None:
        """Open and return once the sensor sees it; InstrumentTimeout for a blade that does not arrive."""
        self._move("open")

    def close(self) -> None:
        """Close and return once the sensor sees it; InstrumentTimeout for a blade that does not arrive."""
        self._move("closed")

    def settings(self) -> dict[str, float | str | bool]:
        """What was commanded and what the sensor sees."""
        return {"commanded": self.commanded, "sensor": self.sensor}

    def _move(self, where: str) -> None:
        self.put("commanded", where)
        found = self._settled(TRAVEL_TIME, where)
        if found != where:
            raise self.error(InstrumentTimeout, f"{TRAVEL_TIME:g} s after the command the sensor says "
                             f"{found!r}", repr(where), "look at the blade; keep the laser off")

    def _settled(self, patience: float, where: str) -> str:
        """Where the sensor sees the blade, after waiting for it to be at `where`."""
        deadline = time.monotonic() + patience
        while (found := self.sensor) != where and time.monotonic() < deadline:
            time.sleep(POLL)
        return found

    def _to_safe_state(self) -> None:
        self.put("commanded", "closed")

    def _read_safe_state(self) -> tuple[bool | None, str]:
        found = self._settled(SAFE_TRAVEL_TIME, "closed")
        return found == "closed", f"sensor: {found}"
