"""Keysight InfiniiVision DSOX1102G: two channels of 8 bits, 100 MHz, 2 GSa/s, 1 Mpt; the bench triggers EXT.

Its inputs have 1 Mohm; on this bench each carries a 50 ohm feed-through, so that it shows the volts that the
receiver gives into 50 ohm. Peak detection and high resolution are accepted and sample as NORMal does.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import ClassVar

from .front_end import Channel, Timebase
from .infiniivision_data import Coding, block_of_eight_digits
from .oscilloscope import Oscilloscope
from .scpi import ScpiError
from .scpi_device import Command, Later, Request, action, query, setting
from .scpi_values import Block, Boolean, Choice, Integer, Number, Text
from .virtual_cavity import VirtualCavity

_CHANNELS = range(1, 3)
_FORM = "+.8E"
_VOLTS = Number("V", -1e6, 1e6, _FORM)
_SOURCES = Choice("CHANnel1", "CHANnel2", "FUNCtion", "MATH", "FFT", "ABUS", "WMEMory1", "WMEMory2",
                  "EXTernal")
DIVISIONS, TIME_DIVISIONS = 8, 10
BITS = 8
FASTEST, MEMORY = 2e9, 1_000_000  # [Sa/s], samples; each is halved when both channels are on
BANDWIDTH, LIMITED = 100e6, 25e6  # [Hz]
SMALLEST, LARGEST = 8e-3, 40.0  # [V] full scale without a probe
SHOWN = 62_500  # samples of the record that NORMal hands out
_RUNNING, _WAITING = 8, 32  # bits of the operation status


def _of_channel(mnemonic: str, name: str, put: Callable[..., None], kind: Number) -> tuple[Command, Command]:
    """A setting of a channel that others depend on: `put(device, number, value)`."""

    def get(self: KeysightInfiniiVision, request: Request) -> str:
        return kind.show(self.settings[f"channel{request.suffixes[0]}.{name}"])

    header = f":CHANnel<n>:{mnemonic}"
    return (action(header, lambda self, request: put(self, request.suffixes[0], request.values[0]), kind,
                   suffixes=(_CHANNELS,)), query(header, get, suffixes=(_CHANNELS,)))


class KeysightInfiniiVision(Oscilloscope):
    """`:SINGle` or `:DIGitize` arms; only the second averages.

    It samples as fast as memory and screen allow; :WAVeform:POINts of that, evenly spread, are handed out.
    """

    identity: ClassVar = "KEYSIGHT TECHNOLOGIES,DSOX1102G,SIMULATED-CN0002,01.20.2019061038"
    commands: ClassVar = (
        setting(":ACQuire:TYPE", "type", Choice("NORMal", "AVERage", "HRESolution", "PEAK"), "NORM"),
        setting(":ACQuire:MODE", "mode", Choice("RTIMe", "SEGMented"), "RTIM"),
        setting(":ACQuire:COUNt", "average_count", Integer(2, 65_536), 8),
        setting(":ACQuire:SEGMented:COUNt", "segment_count", Integer(2, 50), 2),
        setting(":ACQuire:SEGMented:INDex", "segment_index", Integer(1, 50), 1),
        query(":ACQuire:SRATe", lambda self, request: f"{1.0 / self.timebase().interval:{_FORM}}"),
        query(":ACQuire:POINts", lambda self, request: str(self.timebase().points)),
        setting(":CHANnel<n>:DISPlay", "channel{0}.display", Boolean(), True, _CHANNELS),
        setting(":CHANnel<n>:BWLimit", "channel{0}.limited", Boolean(), False, _CHANNELS),
        setting(":CHANnel<n>:COUPling", "channel{0}.coupling", Choice("AC", "DC"), "DC", _CHANNELS),
        setting(":CHANnel<n>:IMPedance", "channel{0}.impedance", Choice("ONEMeg"), "ONEM", _CHANNELS),
        setting(":CHANnel<n>:INVert", "channel{0}.inverted", Boolean(), False, _CHANNELS),
        setting(":CHANnel<n>:LABel", "channel{0}.label", Text(), "CH", _CHANNELS),
        setting(":CHANnel<n>:UNITs", "channel{0}.units", Choice("VOLT", "AMPere"), "VOLT", _CHANNELS),
        setting(":CHANnel<n>:PROBe:SKEW", "channel{0}.skew", Number("S", -100e-9, 100e-9, _FORM), 0.0,
                _CHANNELS),
        setting(":CHANnel<n>:PROBe:STYPe", "channel{0}.signal", Choice("DIFFerential", "SINGle"), "SING",
                _CHANNELS),
        setting(":CHANnel<n>:OFFSet", "channel{0}.offset", _VOLTS, 0.0, _CHANNELS),
        *_of_channel("PROBe", "probe", lambda self, *to: self.set_probe(*to), Number("", 0.1, 1e4, _FORM)),
        *_of_channel("RANGe", "range", lambda self, *to: self.set_range(*to), Number("V", form=_FORM)),
        action(":CHANnel<n>:SCALe", lambda self, request: self.set_range(
            request.suffixes[0], request.values[0] * DIVISIONS), Number("V"), suffixes=(_CHANNELS,)),
        query(":CHANnel<n>:SCALe", lambda self, request: _VOLTS.show(
            self.settings[f"channel{request.suffixes[0]}.range"] / DIVISIONS), suffixes=(_CHANNELS,)),
        query(":CHANnel<n>", lambda self, request: self.describe_channel(request.suffixes[0]),
              suffixes=(_CHANNELS,)),
        setting(":TIMebase:MODE", "time_mode", Choice("MAIN", "WINDow", "XY", "ROLL"), "MAIN"),
        setting(":TIMebase:RANGe", "time_range", Number("S", 50e-9, 500.0, _FORM), 1e-3),
        setting(":TIMebase:POSition", "time_position", Number("S", -500.0, 500.0, _FORM), 0.0),
        setting(":TIMebase:REFerence", "time_reference", Choice("LEFT", "CENTer", "RIGHt"), "CENT"),
        action(":TIMebase:SCALe", lambda self, request: self.set_time_scale(request.values[0]),
               Number("S", 50e-9 / TIME_DIVISIONS, 500.0 / TIME_DIVISIONS)),
        query(":TIMebase:SCALe", lambda self, request: _VOLTS.show(
            self.settings["time_range"] / TIME_DIVISIONS)),
        query(":TIMebase", lambda self, request: self.describe_timebase()),
        setting(":TRIGger:MODE", "trigger_mode", Choice("EDGE"), "EDGE"),
        setting(":TRIGger[:EDGE]:SOURce", "trigger_source",
                Choice("CHANnel1", "CHANnel2", "EXTernal", "LINE"), "EXT"),
        setting(":TRIGger[:EDGE]:LEVel", "trigger_level", Number("V", -8.0, 8.0, _FORM), 0.0),
        setting(":TRIGger[:EDGE]:SLOPe", "trigger_slope", Choice("POSitive", "NEGative", "EITHer"), "POS"),
        setting(":TRIGger:SWEep", "trigger_sweep", Choice("AUTO", "NORMal"), "AUTO"),
        setting(":WAVeform:SOURce", "source", _SOURCES, "CHAN1"),
        setting(":WAVeform:FORMat", "format", Choice("BYTE", "WORD", "ASCii"), "BYTE"),
        setting(":WAVeform:BYTeorder", "order", Choice("MSBFirst", "LSBFirst"), "MSBF"),
        setting(":WAVeform:UNSigned", "unsigned", Boolean(), True),
        setting(":WAVeform:POINts:MODE", "points_mode", Choice("NORMal", "MAXimum", "RAW"), "NORM"),
        action(":WAVeform:POINts", lambda self, request: self.settings.update(points=request.values[0]),
               Integer(100, MEMORY)),
        query(":WAVeform:POINts", lambda self, request: str(self.handed_out()[0])),
        query(":WAVeform:PREamble", lambda self, request: self.preamble()),
        query(":WAVeform:DATA", lambda self, request: self.data()),
        query(":WAVeform:SEGMented:COUNt", lambda self, request: str(self.segments)),
        query(":WAVeform:SEGMented:TTAG", lambda self, request: f"{self.time_tag():+.12E}"),
        action(":SINGle", lambda self, request: self.arm(self.segments_wanted())),
        action(":RUN", lambda self, request: self.arm(self.segments_wanted())),
        action(":DIGitize", lambda self, request: self.arm(self.wanted()), *[_SOURCES] * 2, optional=2),
        action(":STOP", lambda self, request: self.disarm()),
        action(":AUToscale", lambda self, request: self.autoscale()),
        query(":AER", lambda self, request: self.read_flag("arm_event")),
        query(":OPERegister:CONDition", lambda self, request: str(self.condition())),
        query(":SYSTem:SETup", lambda self, request: block_of_eight_digits(
            json.dumps(self.settings).encode())),
        action(":SYSTem:SETup", lambda self, request: self.set_up(request.values[0]), Block()),
        action(":SYSTem:PRESet", lambda self, request: self.restore()),
    )

    def __init__(self, cavity: VirtualCavity) -> None:
        self._type, self._segmented = "NORM", False
        super().__init__(cavity)

    def restore(self) -> None:
        super().restore()
        self.settings["points"] = SHOWN
        for number in _CHANNELS:
            self.settings |= {f"channel{number}.probe": 1.0, f"channel{number}.range": 1.6}

    def changed(self, name: str) -> None:
        if name.endswith(".label"):
            self.settings[name] = self.settings[name][:10].upper()

    # --- settings that hang together --------------------------------------------------------------------

    def set_probe(self, number: int, attenuation: float) -> None:
        """The attenuation of a probe; what is shown grows with it."""
        ratio = attenuation / self.settings[f"channel{number}.probe"]
        self.settings[f"channel{number}.probe"] = attenuation
        for name in ("range", "offset"):
            self.settings[f"channel{number}.{name}"] *= ratio

    def set_range(self, number: int, volts: float) -> None:
        """Full scale of a channel [V], at the probe's tip."""
        probe = self.settings[f"channel{number}.probe"]
        if not SMALLEST * (1.0 - 1e-9) <= volts / probe <= LARGEST * (1.0 + 1e-9):
            raise ScpiError(-222, f"{volts:g} is not in {SMALLEST * probe:g} .. {LARGEST * probe:g} V")
        self.settings[f"channel{number}.range"] = volts

    def set_time_scale(self, seconds: float) -> None:
        """Seconds per division; the range is ten of them."""
        self.settings["time_range"] = seconds * TIME_DIVISIONS

    def set_up(self, data: bytes) -> None:
        """Everything as :SYSTem:SETup? has told it; ScpiError -224 for anything else."""
        try:
            wanted = json.loads(data)
            known = wanted.keys() == self.settings.keys()
        except (ValueError, AttributeError):
            known = False
        if not known:
            raise ScpiError(-224, "no setup of this instrument")
        self.settings = wanted

    def autoscale(self) -> None:
        """Ranges in which the records held fill most of the screen; without records nothing changes."""
        records = self.held().records() if self.segments and self.pending() is None else []
        for number, codes in records[0].items() if records else ():
            channel = self.channel(number)
            low, high = (channel.offset - 0.5 * channel.full_scale + channel.lsb * (float(edge) + 0.5)
                         for edge in (codes.min(), codes.max()))
            self.settings[f"channel{number}.offset"] = 0.5 * (low + high)
            smallest = SMALLEST * self.settings[f"channel{number}.probe"]
            self.set_range(number, max(1.25 * (high - low), smallest))

    def describe_channel(self, number: int) -> str:
        """All of a channel in one line, each with its header."""
        s = {name.partition(".")[2]: value for name, value in self.settings.items()
             if name.startswith(f"channel{number}.")}
        return (f":CHAN{number}:RANG {s['range']:+.2E};OFFS {s['offset']:+.5E};COUP {s['coupling']};"
                f"IMP {s['impedance']};DISP {s['display']:d};BWL {s['limited']:d};INV {s['inverted']:d};"
                f"LAB \"{s['label']}\";UNIT {s['units']};PROB {s['probe']:+.2E};"
                f"PROB:SKEW {s['skew']:+.2E};STYP {s['signal']}")

    def describe_timebase(self) -> str:
        """All of the timebase in one line, each with its header."""
        s = self.settings
        return (f":TIM:MODE {s['time_mode']};REF {s['time_reference']};MAIN:RANG {s['time_range']:+.8E};"
                f"POS {s['time_position']:+.8E}")

    # --- settings as the front end wants them -----------------------------------------------------------

    def set_timebase(self) -> Timebase:
        s = self.settings
        share = 2 if all(s[f"channel{n}.display"] for n in _CHANNELS) else 1
        interval = 1.0 / sample_rate(s["time_range"], FASTEST / share, MEMORY // share)
        before = {"LEFT": 0.1, "CENT": 0.5, "RIGH": 0.9}[s["time_reference"]] * s["time_range"]
        start = round((s["time_position"] - before) / interval) * interval
        return Timebase(start, interval, round(s["time_range"] / interval))

    def set_channels(self) -> dict[int, Channel]:
        return {n: self._set_channel(n) for n in _CHANNELS if self.settings[f"channel{n}.display"]}

    def _set_channel(self, number: int) -> Channel:
        full_scale, offset, probe, inverted, coupling, limited = (
            self.settings[f"channel{number}.{name}"]
            for name in ("range", "offset", "probe", "inverted", "coupling", "limited"))
        return Channel(full_scale, offset, BITS, -probe if inverted else probe, coupling == "AC",
                       LIMITED if limited else BANDWIDTH)

    # --- acquiring --------------------------------------------------------------------------------------

    def segments_wanted(self) -> int:
        """Triggers that :SINGle takes."""
        return self.settings["segment_count"] if self.settings["mode"] == "SEGM" else 1

    def wanted(self) -> int:
        """Triggers that :DIGitize takes; ScpiError -221 where settings conflict."""
        averages = self.settings["type"] == "AVER"
        if averages and self.settings["mode"] == "SEGM":
            raise ScpiError(-221, "segments cannot be averaged")
        return self.settings["average_count"] if averages else self.segments_wanted()

    def arm(self, wanted: int) -> None:
        super().arm(wanted)
        self._segmented, self._type = self.settings["mode"] == "SEGM", self.settings["type"]

    def condition(self) -> int:
        """Operation status: running until all is there, and whether a trigger is waited for."""
        running = self.pending() is not None
        return (_RUNNING if running else 0) + (_WAITING if running and self.waiting else 0)

    # --- handing out ------------------------------------------------------------------------------------

    def handed_out(self) -> tuple[int, int]:
        """Samples that :WAVeform:DATA? gives, and how many of the record stand for one of them."""
        available, wanted = self.timebase().points, self.settings["points"]
        if self.settings["points_mode"] == "NORM":
            wanted = min(wanted, SHOWN)
        stride = math.ceil(available / wanted)
        return math.ceil(available / stride), stride

    def coding(self) -> Coding:
        """How samples are coded, as it is set."""
        s = self.settings
        return Coding(s["format"], s["order"] == "LSBF", s["unsigned"], self._type)

    def source(self) -> int:
        """Number of the channel that is read; ScpiError -221 for a source that shows nothing."""
        name = self.settings["source"]
        if not name.startswith("CHAN"):
            raise ScpiError(-221, f"{name} is not displayed")
        return int(name[-1])

    def preamble(self) -> str:
        """What the samples mean."""
        points, stride = self.handed_out()
        return self.coding().preamble(self.timebase(), self.channel(self.source()), points, stride)

    def data(self) -> Later:
        """The selected channel's samples, waiting for their physics if the trigger has come."""
        held, number, coding = self.held(), self.source(), self.coding()
        channel, (_, stride) = self.channel(number), self.handed_out()
        chosen = slice(at := self.selected(), at + 1) if self._segmented else slice(None)
        return Later(held.done, lambda _: coding.encode(
            [codes[number] for codes in held.records()[chosen]], channel, stride))


def sample_rate(time_range: float, fastest: float, memory: int) -> float:
    """The fastest of 1, 2, 5, 10, ... Sa/s at which `time_range` [s] fits into `memory` samples."""
    limit = min(fastest, memory / time_range) * (1.0 + 1e-9)
    decade = 10.0 ** math.floor(math.log10(limit))
    return max(step * decade for step in (1.0, 2.0, 5.0) if step * decade <= limit)
