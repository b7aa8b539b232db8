"""Driver of the SRS SG384 (SG382, SG386) signal generator on its type-N output, 950 kHz to 4.05 GHz.

Serves both microwave roles: at 1.45 GHz for the cavity, at 107 MHz for the coil. Commands and error
numbers: SG380 series manual, "Remote programming". PyMeasure's `SG380` knows neither level nor switch.

It cannot measure what it emits. Outside an output's band that output gives nothing and says nothing: 107
MHz is beyond the BNC, so the driver uses type N throughout and keeps the BNC switched off.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pymeasure.instruments import Instrument, SCPIMixin
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from .scpi_instrument import SWITCH, Guarded
from .srs_errors import NumberedErrors

EXTERNAL = 3        # TIMB? of a generator that follows the 10 MHz at its rear

ERRORS = {
    10: "illegal value", 11: "illegal mode", 12: "not allowed", 13: "recall failed", 14: "no clock option",
    15: "no RF doubler option", 16: "no IQ option", 17: "failed self test", 30: "lost data",
    32: "no listener", 110: "illegal command", 111: "undefined command", 112: "illegal query",
    113: "illegal set", 114: "null parameter", 115: "extra parameters", 116: "missing parameters",
    117: "parameter overflow", 118: "invalid floating-point number", 120: "invalid integer",
    121: "integer overflow", 122: "invalid hexadecimal", 126: "syntax error", 170: "communication error",
    171: "over run", 254: "too many errors",
}

LOWEST = -110.0  # [dBm]


class SG384(NumberedErrors, Guarded, SCPIMixin, Instrument):
    """The SG384. Safe state: type-N and BNC outputs off, both read back."""

    models = r"SG38[246]"
    session_settings: ClassVar[dict[str, str]] = {
        "read_termination": "\r\n", "write_termination": "\r\n", "error_query": "LERR?"}
    errors = ERRORS

    frequency = Instrument.control(
        "FREQ?", "FREQ %.6f", """Control the frequency in Hz (950 kHz to 4.05 GHz, as type N has it).""",
        validator=strict_range, values=[950e3, 4.05e9], dynamic=True, check_set_errors=True)

    phase = Instrument.control(
        "PHAS?", "PHAS %.1f", """Control the carrier's phase in degrees (-360 to 360).""",
        validator=strict_range, values=[-360, 360], check_set_errors=True)

    power = Instrument.control(
        "AMPR?", "AMPR %.2f", """Control the level of the type-N output in dBm (-110 to 16.5).""",
        validator=strict_range, values=[LOWEST, 16.5], dynamic=True, check_set_errors=True)

    output = Instrument.control(
        "ENBR?", "ENBR %d", """Control whether the type-N output is on (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    power_bnc = Instrument.control(
        "AMPL?", "AMPL %.2f", """Control the level of the BNC output in dBm (-47 to 13).""",
        validator=strict_range, values=[-47, 13], check_set_errors=True)

    output_bnc = Instrument.control(
        "ENBL?", "ENBL %d", """Control whether the BNC output is on (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    modulation = Instrument.control(
        "MODL?", "MODL %d", """Control whether the output is modulated (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    modulation_type = Instrument.control(
        "TYPE?", "TYPE %d", """Control what is modulated (str: AM, FM, PM, sweep, pulse or blank).""",
        validator=strict_discrete_set, map_values=True, cast=int, check_set_errors=True,
        values={"AM": 0, "FM": 1, "PM": 2, "sweep": 3, "pulse": 4, "blank": 5})

    modulation_function = Instrument.control(
        "MFNC?", "MFNC %d", """Control the shape of AM, FM and PM (str).""",
        validator=strict_discrete_set, map_values=True, cast=int, check_set_errors=True,
        values={"sine": 0, "ramp": 1, "triangle": 2, "square": 3, "noise": 4, "external": 5})

    pulse_function = Instrument.control(
        "PFNC?", "PFNC %d", """Control what makes the pulses (str: "square", "noise" or "external").""",
        validator=strict_discrete_set, values={"square": 3, "noise": 4, "external": 5}, map_values=True,
        cast=int, check_set_errors=True)

    modulation_rate = Instrument.control(
        "RATE?", "RATE %.6f", """Control the rate of AM, FM and PM in Hz (1 uHz to 50 kHz).""",
        validator=strict_range, values=[1e-6, 50e3], check_set_errors=True)

    modulation_depth = Instrument.control(
        "ADEP?", "ADEP %.1f", """Control the depth of AM in percent (0 to 100).""",
        validator=strict_range, values=[0, 100], check_set_errors=True)

    modulation_deviation = Instrument.control(
        "FDEV?", "FDEV %.6f", """Control the deviation of FM in Hz (0.1 Hz to 32 MHz).""",
        validator=strict_range, values=[0.1, 32e6], check_set_errors=True)

    timebase = Instrument.measurement(
        "TIMB?", """Get what the frequency follows (str: "crystal", "oven", "rubidium" or "external").""",
        values={"crystal": 0, "oven": 1, "rubidium": 2, "external": EXTERNAL}, map_values=True, cast=int)

    def __init__(self, adapter: Any, name: str = "SRS SG384", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)

    @property
    def reference_locked(self) -> bool:
        """Get whether it follows the bench's 10 MHz (bool)."""
        return self.timebase == "external"

    @property
    def gated(self) -> bool:
        """Control whether the output follows the bench's gate (bool)."""
        return self.modulation and self.modulation_type == "pulse" and self.pulse_function == "external"

    @gated.setter
    def gated(self, on: bool) -> None:
        self.put("modulation_type", "pulse")
        self.put("pulse_function", "external")
        self.put("modulation", on)

    def settle(self) -> None:
        """Return once a new frequency has settled (about 8 ms)."""
        self.ask("*OPC?")

    def silence(self) -> None:
        """Output off, and the lowest level: an output that is off still leaks."""
        self.put("output", False)
        self.put("power", LOWEST)

    def settings(self) -> dict[str, float | str | bool]:
        """Frequency [Hz], power [dBm] and output of type N, and the timebase, read back."""
        return {"frequency": self.frequency, "power": self.power, "output": self.output,
                "gated": self.gated, "timebase": self.timebase}

    def _to_safe_state(self) -> None:
        with self.turn():
            try:
                self.put("output", False)
            finally:
                self.put("output_bnc", False)

    def _read_safe_state(self) -> tuple[bool, str]:
        type_n, bnc = self.output, self.output_bnc
        return not (type_n or bnc), f"type N {'on' if type_n else 'off'}, BNC {'on' if bnc else 'off'}"
