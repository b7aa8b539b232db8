"""Driver of the Keysight (Agilent) E8257D microwave source: PyMeasure's own, with checked sets.

Upstream's `frequency` sends seven digits, which is 1 kHz at 1.45 GHz and too coarse for a cavity of
170 kHz; and it asks no error queue. Both are put right here.

It cannot measure what it emits: `output` is the state of its switch, which leaks at 60 to 80 dB.
"""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

from pymeasure.instruments import Instrument
from pymeasure.instruments.agilent.agilent8257D import Agilent8257D
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from .scpi_instrument import SWITCH, Guarded

LOWEST = -135.0  # [dBm]
REFERENCE_UNLOCKED, UNLEVELLED = 0b10, 0b10     # of STATus:QUEStionable:FREQuency and :POWer


class KeysightE8257D(Guarded, Agilent8257D):
    """The E8257D with checked sets. Safe state: RF output off, read back."""

    models = r"E8257D|E8267D|8257D"
    session_settings: ClassVar[dict[str, str]] = {"read_termination": "\n", "write_termination": "\n"}

    frequency = Instrument.control(
        ":FREQ?;", ":FREQ %.3f Hz;", """Control the output frequency in Hz (250 kHz to 20 GHz).""",
        validator=strict_range, values=[250e3, 20e9], dynamic=True, check_set_errors=True)

    power = Instrument.control(
        ":POW?;", ":POW %g dBm;", """Control the output power in dBm (-135 to 25).""",
        validator=strict_range, values=[LOWEST, 25], dynamic=True, check_set_errors=True)

    output = Instrument.control(
        ":OUTPUT?", ":OUTPUT %d;", """Control whether the RF output is on (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    modulation = Instrument.control(
        ":OUTP:MOD?", ":OUTP:MOD %d;", """Control whether the output is modulated (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    pulse_source = Instrument.control(
        ":PULM:SOUR?", ":PULM:SOUR %s;", """Control what pulses it (str: "internal" or "external").""",
        validator=strict_discrete_set, values={"internal": "INT", "external": "EXT"}, map_values=True,
        cast=str, check_set_errors=True)

    pulse_modulation = Instrument.control(
        ":PULM:STAT?", ":PULM:STAT %d;", """Control whether the output is pulsed (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    reference = Instrument.measurement(
        ":ROSC:SOUR?", """Get which 10 MHz it follows (str: "internal" or "external").""",
        values={"internal": "INT", "external": "EXT"}, map_values=True, cast=str)

    frequency_status = Instrument.measurement(
        ":STAT:QUES:FREQ:COND?", """Get what is wrong with the frequency, as bits (int; 2: 10 MHz lost).""",
        cast=int)

    power_status = Instrument.measurement(
        ":STAT:QUES:POW:COND?", """Get what is wrong with the level, as bits (int; 2: not levelled).""",
        cast=int)

    def __init__(self, adapter: Any, name: str = "Keysight E8257D", **kwargs: Any) -> None:
        with warnings.catch_warnings():
            # Upstream asks to be told whether the 8257D speaks SCPI. It does.
            warnings.simplefilter("ignore", FutureWarning)
            super().__init__(adapter, name, **kwargs)

    @property
    def reference_locked(self) -> bool:
        """Get whether it follows the bench's 10 MHz and is locked to it (bool)."""
        return self.reference == "external" and not self.frequency_status & REFERENCE_UNLOCKED

    @property
    def levelled(self) -> bool:
        """Get whether it holds the level that was set (bool)."""
        return not self.power_status & UNLEVELLED

    @property
    def gated(self) -> bool:
        """Control whether the output follows the bench's gate (bool)."""
        return self.modulation and self.pulse_modulation and self.pulse_source == "external"

    @gated.setter
    def gated(self, on: bool) -> None:
        self.put("pulse_source", "external")
        self.put("pulse_modulation", on)
        self.put("modulation", on)

    def settle(self) -> None:
        """Return once a new frequency has settled (about 11 ms)."""
        self.ask("*OPC?")

    def silence(self) -> None:
        """Output off, and the lowest level: an output that is off still leaks."""
        self.put("output", False)
        self.put("power", LOWEST)

    def settings(self) -> dict[str, float | str | bool]:
        """Frequency [Hz], power [dBm] and output, read back."""
        return {"frequency": self.frequency, "power": self.power, "output": self.output,
                "gated": self.gated}

    def _to_safe_state(self) -> None:
        self.put("output", False)

    def _read_safe_state(self) -> tuple[bool, str]:
        on = self.output
        return not on, f"RF output {'on' if on else 'off'}"
