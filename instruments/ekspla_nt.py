"""Driver of EKSPLA NT-series pulsed OPO lasers (NT242, NT230, NT900): registers in ASCII over TCP.

Register names as in publicly visible clients of the protocol; replies end with CR LF ETX, writes are
answered by an empty line, refusals begin with three apostrophes.

It knows OFF, Adjust and MAX and no energy in joules: the energy is set through the Q-switch delay of
the timing. It has no watchdog and no shutter sensor; interlock and key are hardware and stay so.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from .errors import ProtocolError, Refused
from .scpi_instrument import Guarded

REFUSAL = "'''"
LEVELS = ("OFF", "Adjust", "MAX")
MODE = "/M_CPU800/18/Continuous %2F Burst mode %2F Trigger burst"


def number(reply: str) -> str:
    """The number in a reply such as `590.0nm`; the reply itself where there is none."""
    found = re.match(r"\s*([-+]?\d+(\.\d*)?([eE][-+]?\d+)?)", reply)
    return found.group(1) if found else reply


class EksplaNT(Guarded, Instrument):
    """An EKSPLA NT laser. Safe state: output energy level OFF and emission OFF, both read back."""

    session_settings: ClassVar[dict[str, str]] = {
        "read_termination": "\r\n\x03", "write_termination": "\r",
        "hello": "/CPU8000/16/Serial number", "error_query": ""}

    state = Instrument.measurement(
        "/CPU8000/16/Power", """Get the state of the power supply ("ON", "OFF" or "FAULT").""", cast=str)

    fault_code = Instrument.measurement(
        "/CPU8000/16/Fault code", """Get the fault code (str), "0" for none.""", cast=str)

    display_current = Instrument.measurement(
        "/CPU8000/16/Display Current", """Get the pump current in A.""", preprocess_reply=number)

    serial_number = Instrument.measurement(
        "/CPU8000/16/Serial number", """Get the serial number (str).""", cast=str, maxsplit=0)

    propagation = Instrument.control(
        "/M_CPU800/18/Power", "/M_CPU800/18/Power/%s", """Control emission (bool).""",
        validator=strict_discrete_set, values={True: "ON", False: "OFF"}, map_values=True, cast=str,
        check_set_errors=True)

    energy_level = Instrument.control(
        "/M_CPU800/18/Output Energy level", "/M_CPU800/18/Output Energy level/%s",
        """Control the output energy level ("OFF", "Adjust" or "MAX").""",
        validator=strict_discrete_set, values=LEVELS, cast=str, check_set_errors=True)

    mode = Instrument.control(
        MODE, MODE.replace("%", "%%") + "/%s", """Control the mode ("Continuous", "Burst" or "Trigger").""",
        validator=strict_discrete_set, values=("Continuous", "Burst", "Trigger"), cast=str,
        check_set_errors=True)

    frequency_divider = Instrument.control(
        "/M_CPU800/18/Frequency divider", "/M_CPU800/18/Frequency divider/%d",
        """Control by how much the repetition rate is divided (1 to 5000).""",
        validator=strict_range, values=[1, 5000], preprocess_reply=number, cast=int, check_set_errors=True)

    burst_length = Instrument.control(
        "/M_CPU800/18/Burst length", "/M_CPU800/18/Burst length/%d",
        """Control the pulses of a burst (1 to 50000).""",
        validator=strict_range, values=[1, 50000], preprocess_reply=number, cast=int, check_set_errors=True)

    burst_pulses_left = Instrument.measurement(
        "/M_CPU800/18/Burst pulses to go", """Get the pulses left of a burst (int).""",
        preprocess_reply=number, cast=int)

    q_switch_adjustment = Instrument.measurement(
        "/M_CPU800/18/QSW Adjustment output delay", """Get the Q-switch delay of the level Adjust (str).""",
        cast=str)

    repetition_rate = Instrument.measurement(
        "/M_CPU800/18/Repetition rate", """Get the repetition rate in Hz.""", preprocess_reply=number)

    synchronisation = Instrument.measurement(
        "/M_CPU800/18/Synchronization mode", """Get the synchronisation mode (str).""", cast=str)

    wavelength = Instrument.control(
        "/MaxiOPG/31/WaveLength", "/MaxiOPG/31/WaveLength/%.2f",
        """Control the wavelength of the OPO in m (210 nm to 2600 nm).""",
        validator=strict_range, values=[210e-9, 2600e-9], dynamic=True, preprocess_reply=number,
        set_process=lambda metres: metres * 1e9, get_process=lambda nanometres: nanometres / 1e9,
        check_set_errors=True)

    def __init__(self, adapter: Any, name: str = "EKSPLA NT laser", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)

    @property
    def identity(self) -> str:
        """Get what the laser says it is: it knows no *IDN?, only a serial number."""
        return f"EKSPLA,NT,{self.serial_number},"

    @property
    def emission(self) -> str:
        """Get the emission state: "off", "on" or "fault"."""
        if self.state == "FAULT":
            return "fault"
        return "on" if self.propagation else "off"

    def arm(self, energy_level: str = "MAX") -> str:
        """Ready to fire one pulse at each Q-switch trigger; returns the emission read back."""
        if self.state == "FAULT":
            raise self.error(Refused, f"it reports the fault {self.fault_code!r}", "no fault",
                             "clear the cause and reset it at the laser; this program resets no interlock")
        self.put("mode", "Continuous")
        self.put("frequency_divider", 1)
        self.put("energy_level", energy_level)
        self.put("propagation", True)
        return self.emission

    def disarm(self) -> None:
        """No emission whatever the timing does; both switches are tried, then read back."""
        with self.turn():
            try:
                self.put("energy_level", "OFF")
            finally:
                self.put("propagation", False)

    def settings(self) -> dict[str, float | str | bool]:
        """Energy level, emission, repetition rate [Hz] and wavelength [m], read back."""
        return {"energy_level": self.energy_level, "emission": self.emission,
                "repetition_rate": self.repetition_rate, "wavelength": self.wavelength}

    def hear(self) -> str:
        """Read a reply; Refused where the laser refuses."""
        reply = super().hear().strip()
        if reply.startswith(REFUSAL):
            raise self.error(Refused, f"it answers {reply!r}", "", "correct the value")
        return reply

    def check_errors(self) -> list:
        """Read the empty line that answers a write; Refused where the laser refuses."""
        reply = self.hear()
        if reply:
            raise self.error(ProtocolError, f"{reply!r} answers a write", "an empty line")
        return []

    def _to_safe_state(self) -> None:
        self.disarm()

    def _read_safe_state(self) -> tuple[bool, str]:
        level, emission = self.energy_level, self.emission
        return level == "OFF" and emission != "on", f"energy level {level}, emission {emission}"
