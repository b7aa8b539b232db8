"""Driver of the Lake Shore 224 temperature monitor (raw socket, port 7777), sensor of the cavity on input A.

Commands: Model 224 user's manual, "Remote interface operation". PyMeasure's `LakeShore224` takes an open
input's 0 K for a temperature; this one asks for the status of the reading first.

It cannot heat or cool, and it keeps no error queue: a command that it does not take sets one bit.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pymeasure.instruments import Instrument, SCPIMixin

from .errors import ProtocolError
from .scpi_instrument import Guarded

COMMAND_ERROR, EXECUTION_ERROR = 32, 16     # bits of *ESR?
STATUS = {1: "invalid reading", 16: "temperature below the curve", 32: "temperature above the curve",
          64: "sensor reads zero", 128: "sensor out of range, or none"}


def strict_length(text: str, bounds: tuple[int, int]) -> str:
    """A validator: text of so many characters, without quotes; ValueError for any other."""
    shortest, longest = bounds
    if not shortest <= len(text) <= longest or '"' in text:
        raise ValueError(f"{text!r} is no text of {shortest} to {longest} characters without quotes")
    return text


class LakeShore224(Guarded, SCPIMixin, Instrument):
    """The 224, input A. It emits nothing; its safe state is that it answers."""

    models = "MODEL224"
    session_settings: ClassVar[dict[str, str]] = {
        "read_termination": "\r\n", "write_termination": "\n", "error_query": "*ESR?"}

    status = Instrument.measurement(
        "RDGST? A", """Get what is wrong with the reading, as bits (int), 0 for nothing.""", cast=int)

    kelvin = Instrument.measurement("KRDG? A", """Measure the temperature in K, whatever its status.""")

    resistance = Instrument.measurement("SRDG? A", """Measure the sensor in ohm.""")

    input_name = Instrument.control(
        "INNAME? A", 'INNAME A,"%s"', """Control the input's name (str, 1 to 15 characters).""",
        validator=strict_length, values=(1, 15), cast=str, maxsplit=0,
        check_set_errors=True)

    def __init__(self, adapter: Any, name: str = "Lake Shore 224", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)

    @property
    def temperature(self) -> float:
        """Measure the temperature in K; ProtocolError where the reading has no good status."""
        with self.turn():
            status, kelvin = self.status, self.kelvin
        if status:
            wrong = ", ".join(text for bit, text in STATUS.items() if status & bit) or f"status {status}"
            raise self.error(ProtocolError, f"the reading is not valid: {wrong}", "a temperature",
                             "look at the sensor and its cable")
        return kelvin

    def settings(self) -> dict[str, float | str | bool]:
        """Name of the input and its temperature [K], read back."""
        return {"input_name": self.input_name, "temperature": self.temperature}

    def _queue_entry(self) -> str:
        events = int(self.ask("*ESR?"))
        said = {COMMAND_ERROR: "it does not know the command", EXECUTION_ERROR: "it cannot carry it out"}
        return ", ".join(text for bit, text in said.items() if events & bit)

    def _to_safe_state(self) -> None:
        """Nothing of it can do harm."""

    def _read_safe_state(self) -> tuple[bool, str]:
        return True, f"measures only; {self.identity} answers"
