"""Lake Shore 224 temperature monitor: a platinum sensor at the cavity on input A, nothing on the others.

It has no error queue: a mistake sets a bit of *ESR? and is otherwise passed over in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from .scpi_device import ScpiDevice, action, query
from .scpi_values import Choice, Text
from .virtual_cavity import VirtualCavity

INPUTS = ("A", "B", "C1", "C2", "C3", "C4", "C5", "D1", "D2", "D3", "D4", "D5")
WIRED = "A"
ICE = 273.15  # [K]
RESISTANCE, LINEAR, SQUARE = 100.0, 3.9083e-3, -5.775e-7  # platinum by IEC 60751 above 0 degrees Celsius
NOISE = 0.5e-3  # [K] rms of one reading
OVERRANGE = 128  # RDGST? of an open input, in sensor units
_INPUT = Choice(*INPUTS)
_INPUT_OR_ALL = Choice("0", *INPUTS)


class LakeShore224(ScpiDevice):
    """Temperatures in kelvin, degrees and ohms; what the cavity's drift follows is on input A."""

    identity: ClassVar = "LSCI,MODEL224,SIMULATED-224,1.0"
    reply_end: ClassVar = b"\r\n"
    message_ends: ClassVar = b"\r\n"
    commands: ClassVar = (
        query("KRDG", lambda self, request: self.readings(request.values[0], lambda kelvin: kelvin),
              _INPUT_OR_ALL),
        query("CRDG", lambda self, request: self.readings(request.values[0], lambda kelvin: kelvin - ICE),
              _INPUT_OR_ALL),
        query("SRDG", lambda self, request: self.readings(request.values[0], ohms), _INPUT_OR_ALL),
        query("RDGST", lambda self, request: f"{0 if request.values[0] == WIRED else OVERRANGE:03d}", _INPUT),
        action("INNAME", lambda self, request: self.name(*request.values), _INPUT, Text(15)),
        query("INNAME", lambda self, request: self.settings[f"name{request.values[0]}"], _INPUT),
    )

    def __init__(self, cavity: VirtualCavity) -> None:
        self.cavity = cavity
        super().__init__()

    def restore(self) -> None:
        super().restore()
        self.settings |= {f"name{number}": f"Input {number}" for number in INPUTS}

    def name(self, number: str, text: str) -> None:
        """What the display calls an input."""
        self.settings[f"name{number}"] = text

    def readings(self, number: str, unit: Callable[[float], float]) -> str:
        """One input's reading, or all twelve for input 0; an input with nothing on it reads 0."""
        kelvin = self.cavity.temperature + NOISE * self.cavity.sweep_noise("thermometer").normal()
        wanted = INPUTS if number == "0" else (number,)
        return ",".join(f"{unit(kelvin) if n == WIRED else 0.0:+.4f}" for n in wanted)


def ohms(kelvin: float) -> float:
    """Resistance of the sensor: R0 (1 + A t + B t^2), t in degrees Celsius."""
    celsius = kelvin - ICE
    return RESISTANCE * (1.0 + LINEAR * celsius + SQUARE * celsius**2)
