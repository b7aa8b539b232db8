"""Driver of the Thorlabs PM100 family (PM100D, PM100USB, PM103E) with a pyroelectric energy head.

Written anew because upstream's `ThorlabsPM100USB` talks to the instrument while it is constructed.

It measures or lets the beam pass: on the bench it sits on a pick-off, and what it says must be
multiplied by the pick-off ratio. It has no emission; its safe state is that it answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from pymeasure.instruments import Instrument, SCPIMixin
from pymeasure.instruments.validators import strict_range

from .errors import ProtocolError
from .scpi_instrument import Guarded

POWER_SENSOR, ENERGY_SENSOR = 1, 2      # flags of SYST:SENS:IDN?
NO_READING = 9e37                       # SCPI's infinities and not-a-number


@dataclass(frozen=True, slots=True)
class Sensor:
    """The head that is plugged in."""

    name: str
    serial: str
    calibration: str
    flags: int

    @property
    def measures_energy(self) -> bool:
        """Whether it is an energy head."""
        return bool(self.flags & ENERGY_SENSOR)


class ThorlabsPM100(Guarded, SCPIMixin, Instrument):
    """The PM100 as an energy meter."""

    models = "PM10"
    session_settings: ClassVar[dict[str, str]] = {"read_termination": "\n", "write_termination": "\n"}

    wavelength = Instrument.control(
        "SENS:CORR:WAV?", "SENS:CORR:WAV %.4f", """Control the wavelength of the head's calibration in m.""",
        validator=strict_range, values=[100e-9, 30e-6], dynamic=True,
        set_process=lambda metres: metres * 1e9, get_process=lambda nanometres: nanometres / 1e9,
        check_set_errors=True)

    energy = Instrument.measurement(
        "MEAS:ENER?", """Measure the energy of a pulse in J; the real instrument waits for the next pulse.""")

    power = Instrument.measurement(
        "MEAS:POW?", """Measure the power in W (power heads only).""")

    reading = Instrument.measurement(
        "FETC?", """Get the last reading again, in J for an energy head.""")

    def __init__(self, adapter: Any, name: str = "Thorlabs PM100", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)

    @property
    def sensor(self) -> Sensor:
        """Get the head that is plugged in."""
        answer = [part.strip().strip('"') for part in self.ask("SYST:SENS:IDN?").split(",")]
        if len(answer) < 6 or not answer[5].isdigit():
            raise self.spoilt(f"{answer!r} came", "name, serial, calibration, type, subtype, flags")
        return Sensor(answer[0], answer[1], answer[2], int(answer[5]))

    def last_energy(self) -> float:
        """Energy of the last pulse [J] as the head saw it; ProtocolError where there is no reading."""
        joules = self.reading
        if not isinstance(joules, float) or not math.isfinite(joules) or abs(joules) > NO_READING:
            raise self.error(ProtocolError, f"{joules!r} came as an energy", "joules",
                             "check that an energy head is plugged in and a pulse has reached it")
        return joules

    def settings(self) -> dict[str, float | str | bool]:
        """Wavelength [m], read back."""
        return {"wavelength": self.wavelength}

    def _to_safe_state(self) -> None:
        """Nothing of it can do harm."""

    def _read_safe_state(self) -> tuple[bool, str]:
        return True, f"measures only; {self.identity} answers"
