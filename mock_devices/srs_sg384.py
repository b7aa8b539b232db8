"""Stanford Research Systems SG384 signal generator: BNC to 62.5 MHz, type N 950 kHz to 4.05 GHz.

Commands, ranges and error numbers by the SG380 series manual. An output whose band does not hold the
frequency gives nothing, whatever ENBL, ENBR and ENBH say.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, ClassVar

from .clock import Settling
from .scpi import ScpiError
from .scpi_device import Command, Request, ScpiDevice, action, query, setting
from .scpi_values import Integer, Kind, Number
from .srs_errors import CODES, next_error
from .tone import Tone
from .virtual_cavity import VirtualCavity

TYPE_N = (950e3, 4.05e9)  # [Hz]
SETTLING = 8e-3  # [s] to within 1 ppm of a new frequency
CLOCK, DOUBLER, IQ = 1, 2, 3  # options: rear clock outputs, 8.1 GHz, I/Q modulation
NO_OPTION = {CLOCK: -301, DOUBLER: -302, IQ: -303}
_CODES = CODES | {NO_OPTION[CLOCK]: 14, NO_OPTION[DOUBLER]: 15, NO_OPTION[IQ]: 16}  # numbers of LERR?
EXTERNAL_TIMEBASE, OWN_OVEN, NO_TIMEBASE = 3, 1, 32  # TIMB? with and without 10 MHz, its bit of INSR?
PULSE, IQ_MODULATION, EXTERNAL_SOURCE = 4, 6, 5

_SWITCH = Integer(0, 1)


@dataclass(frozen=True)
class Optional:
    """A setting that needs an option: for all its values, or only for those that `when` is true of."""

    header: str
    name: str
    kind: Kind
    default: Any
    option: int
    when: Callable[[Any], bool] = lambda value: True

    def commands(self) -> tuple[Command, Command]:
        """The header's set and query."""
        return action(self.header, self._put, self.kind), query(self.header, self._get)

    def _put(self, device: SrsSG384, request: Request) -> None:
        (value,) = request.values
        self._check(device, value)
        device.settings[self.name] = value
        device.changed(self.name)

    def _get(self, device: SrsSG384, request: Request) -> str:
        value = device.settings[self.name]
        self._check(device, value)
        return self.kind.show(value)

    def _check(self, device: SrsSG384, value: Any) -> None:
        if self.when(value) and self.option not in device.options:
            raise ScpiError(NO_OPTION[self.option], f"option {self.option} is not installed")


OPTIONAL = (
    Optional("FREQ", "frequency", Number("HZ", 0.0, 8.1e9, ".12g"), 10e6, DOUBLER, lambda f: f > TYPE_N[1]),
    Optional("TYPE", "modulation_type", Integer(0, 6), 1, IQ, lambda kind: kind == IQ_MODULATION),
    Optional("AMPH", "amplitude_doubler", Number("DBM", -10.0, 13.0, ".2f"), -10.0, DOUBLER),
    Optional("ENBH", "output_doubler", _SWITCH, 0, DOUBLER),
    Optional("AMPC", "amplitude_clock", Number("V", 0.4, 1.0, ".2f"), 0.4, CLOCK),
    Optional("ENBC", "output_clock", _SWITCH, 0, CLOCK),
    Optional("OFSC", "offset_clock", Number("V", -2.0, 2.0, ".3f"), 0.0, CLOCK),
)


class SrsSG384(ScpiDevice):
    """Frequency, levels and switches of the outputs, phase, modulation. Type N feeds cavity or coil."""

    identity: ClassVar = "Stanford Research Systems,SG384,s/nSIMULATED-384,ver1.24.26"
    reply_end: ClassVar = b"\r\n"
    message_ends: ClassVar = b"\r\n"
    fused_headers: ClassVar = True
    commands: ClassVar = (
        *(command for optional in OPTIONAL for command in optional.commands()),
        setting("PHAS", "phase", Number("DEG", -360.0, 360.0, ".4f"), 0.0),
        action("RPHS", lambda self, request: None),
        setting("AMPL", "amplitude_bnc", Number("DBM", -47.0, 13.0, ".2f"), 0.0),
        setting("AMPR", "amplitude", Number("DBM", -110.0, 16.5, ".2f"), -110.0),
        setting("ENBL", "output_bnc", _SWITCH, 0),
        setting("ENBR", "output", _SWITCH, 0),
        setting("OFSL", "offset_bnc", Number("V", -1.5, 1.5, ".3f"), 0.0),
        setting("OFSD", "offset_rear", Number("V", -10.0, 10.0, ".3f"), 0.0),
        setting("NOIS", "noise_mode", _SWITCH, 0),
        setting("MODL", "modulation", _SWITCH, 0),
        setting("MFNC", "modulation_function", Integer(0, 5), 0),
        setting("SFNC", "sweep_function", Integer(0, 5), 0),
        setting("PFNC", "pulse_function", Integer(3, 5), 3),
        setting("RATE", "rate", Number("HZ", 1e-6, 50e3, ".6f"), 1000.0),
        setting("COUP", "coupling", _SWITCH, 1),
        setting("ADEP", "am_depth", Number("", 0.0, 100.0, ".1f"), 100.0),
        setting("FDEV", "fm_deviation", Number("HZ", 0.1, 32e6, ".6f"), 1000.0),
        setting("PDEV", "pm_deviation", Number("DEG", 0.0, 360.0, ".2f"), 10.0),
        setting("SDEV", "sweep_deviation", Number("HZ", 0.1, 2e9, ".6f"), 1e6),
        setting("PPER", "pulse_period", Number("S", 1e-6, 10.0, ".9f"), 1e-3),
        setting("PWID", "pulse_width", Number("S", 1e-7, 10.0, ".9f"), 1e-6),
        query("OPTN", lambda self, request: str(int(request.values[0] in self.options)), Integer(1, 3)),
        query("TIMB", lambda self, request: str(EXTERNAL_TIMEBASE if self.reference else OWN_OVEN)),
        query("INSR", lambda self, request: str(0 if self.reference else NO_TIMEBASE)),
        query("TEMP", lambda self, request: "45.0"),
        query("LERR", lambda self, request: next_error(request.session, _CODES)),
        action("LOCL", lambda self, request: None),
        action("REMT", lambda self, request: None),
    )

    def __init__(self, role: str, cavity: VirtualCavity,
                 options: tuple[int, ...] = (CLOCK, DOUBLER, IQ)) -> None:
        self.role, self.cavity, self.options = role, cavity, options
        self.reference = cavity.world.shared_reference  # 10 MHz at the rear
        self.settling = Settling(cavity.clock, SETTLING)
        super().__init__()

    def restore(self) -> None:
        super().restore()
        self.settings |= {optional.name: optional.default for optional in OPTIONAL}
        self.changed("output")

    def pending(self) -> Future[Any] | None:
        """*OPC? waits until the synthesiser has settled."""
        return self.settling.waiting

    def changed(self, name: str) -> None:
        s = self.settings
        if name == "frequency":
            self.settling.begin()
        low, high = TYPE_N
        pulsed = bool(s["modulation"]) and s["modulation_type"] == PULSE
        self.cavity.tones[self.role] = Tone(
            s["frequency"], s["amplitude"], bool(s["output"]) and low <= s["frequency"] <= high,
            gated=pulsed and s["pulse_function"] == EXTERNAL_SOURCE)
