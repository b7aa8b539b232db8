"""Keysight Infiniium S-series digitiser: arms, is triggered by the bench's wiring, hands out int16 blocks.

The word on the wire is code - 2^(bits-1), left to the driver to scale with YINCrement (one LSB) and YORigin
(offset + LSB/2, the centre of code 2^(bits-1)). An average has sixteen bits whatever the converter has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from .acquisition import averaged
from .front_end import Channel, Timebase
from .oscilloscope import Oscilloscope
from .scpi import Argument, ScpiError, block, indefinite_block
from .scpi_device import Later, Request, action, query, setting
from .scpi_values import Boolean, Choice, Integer, Number
from .virtual_cavity import VirtualCavity
from .waveform_measurements import MEASUREMENTS, measure, root_mean_square

_CHANNELS = range(1, 5)
_V = Number("V", -1e3, 1e3, "+.8E")
_FORM = "+.8E"
_INPUT = Choice("AUX", "CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4")
_SOURCE = Choice(*(f"CHANnel{n}" for n in _CHANNELS))
DIVISIONS = 8
MEMORY = 20_000_000  # samples of a channel, all segments together; a record of them costs some 3 GB and 10 s
FASTEST, WIDEST = 20e9, 2.5e9  # [Sa/s], [Hz]
_FIFTY_OHM = ("DC50", "DCF")
_DC_BLOCKED = ("AC", "LFR1", "LFR2")


class _Bandwidth(Number):
    """A bandwidth, or AUTO: no filter but the input's own."""

    def read(self, argument: Argument) -> float:
        return self.maximum if argument.value in ("AUTO", "auto") else super().read(argument)


def _limits(text: str) -> Callable[[Any, Request], str]:
    """What a setting's :TESTLIMITS? answers."""
    return lambda self, request: f"1,<numeric>{text}"


_PART = Choice("DISPlay", "CYCLe")
_OF_RECORD = {"VAVerage": (_PART,)}  # measured over a part of the record, which is named first


def _measured(name: str) -> Callable[[Any, Request], Later]:
    """What :MEASure:<name>? answers."""
    return lambda self, request: self.measured(request, lambda v, interval: measure(name, v, interval))


class KeysightInfiniium(Oscilloscope):
    """MSOS254A. `:SINGle` or `:DIGitize` arms; records are there once their physics is done.

    `:ACQuire:MODE SEGMented` makes one arming take a trigger per segment, `:ACQuire:AVERage` one per
    record that is averaged; both at once are refused (-221). High resolution and peak detection are
    accepted and sample as the plain modes do.
    """

    identity: ClassVar = "KEYSIGHT TECHNOLOGIES,MSOS254A,SIMULATED-MY0002,06.20"
    commands: ClassVar = (
        setting(":ACQuire:SRATe[:ANALog]", "sample_rate", Number("SA/S", 1e3, FASTEST, _FORM), 500e6),
        query(":ACQuire:SRATe[:ANALog]:TESTLIMITS", _limits("1.00E+03:2.00E+10")),
        setting(":ACQuire:POINts[:ANALog]", "points", Integer(16, MEMORY), 20_000),
        query(":ACQuire:POINts[:ANALog]:TESTLIMITS", _limits(f"16:{MEMORY}")),
        setting(":ACQuire:BANDwidth", "bandwidth", _Bandwidth("HZ", 10e6, WIDEST, _FORM), WIDEST),
        query(":ACQuire:BANDwidth:TESTLIMITS", _limits("1.00E+07:2.50E+09")),
        setting(":ACQuire:MODE", "mode", Choice("RTIMe", "HRESolution", "PDETect", "ETIMe", "SEGMented",
                                                "SEGHres", "SEGPdetect"), "RTIM"),
        setting(":ACQuire:SEGMented:COUNt", "segment_count", Integer(2, 65_536), 2),
        setting(":ACQuire:SEGMented:INDex", "segment_index", Integer(1, 65_536), 1),
        setting(":ACQuire:AVERage", "average", Boolean(), False),
        setting(":ACQuire[:AVERage]:COUNt", "average_count", Integer(2, 65_534), 16),
        setting(":ACQuire:INTerpolate", "interpolate", Boolean(), False),
        setting(":CHANnel<n>:DISPlay", "channel{0}.display", Boolean(), True, _CHANNELS),
        setting(":CHANnel<n>:RANGe", "channel{0}.range", Number("V", 8e-3, 80.0, _FORM), 1.6, _CHANNELS),
        action(":CHANnel<n>:SCALe", lambda self, request: self.set_scale(request), Number("V", 1e-3, 10.0),
               suffixes=(_CHANNELS,)),
        query(":CHANnel<n>:SCALe", lambda self, request: self.scale(request.suffixes[0]),
              suffixes=(_CHANNELS,)),
        setting(":CHANnel<n>:OFFSet", "channel{0}.offset", _V, 0.0, _CHANNELS),
        setting(":CHANnel<n>:INPut", "channel{0}.input",
                Choice("DC50", "DC", "DCFifty", "AC", "LFR1", "LFR2"), "DC50", _CHANNELS),
        setting(":TIMebase:RANGe", "time_range", Number("S", 1e-9, 200.0, _FORM), 40e-6),
        setting(":TIMebase:POSition", "time_position", Number("S", -200.0, 200.0, _FORM), -2e-6),
        setting(":TIMebase:REFerence", "time_reference", Choice("LEFT", "CENTer", "RIGHt"), "LEFT"),
        setting(":TIMebase:ROLL:ENABLE", "roll", Boolean(), False),
        setting(":TRIGger:MODE", "trigger_mode", Choice("EDGE"), "EDGE"),
        setting(":TRIGger:EDGE:SOURce", "trigger_source",
                Choice("AUX", "LINE", "CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4"), "AUX"),
        setting(":TRIGger:EDGE:SLOPe", "trigger_slope", Choice("POSitive", "NEGative", "EITHer"), "POS"),
        setting(":TRIGger:SWEep", "trigger_sweep", Choice("AUTO", "TRIGgered"), "TRIG"),
        action(":TRIGger:LEVel", lambda self, request: self.set_level(request), _INPUT, _V),
        query(":TRIGger:LEVel", lambda self, request: _V.show(self.settings[f"level.{request.values[0]}"]),
              _INPUT),
        setting(":WAVeform:SOURce", "source", _SOURCE, "CHAN1"),
        setting(":WAVeform:FORMat", "format", Choice("WORD", "BYTE", "ASCii"), "WORD"),
        setting(":WAVeform:BYTeorder", "order", Choice("MSBFirst", "LSBFirst"), "MSBF"),
        setting(":WAVeform:STReaming", "streaming", Boolean(), False),
        setting(":WAVeform:SEGMented:ALL", "all_segments", Boolean(), False),
        setting(":SYSTem:HEADer", "header", Boolean(), False),
        setting(":MEASure:SOURce", "measure_source", _SOURCE, "CHAN1"),
        *(query(f":MEASure:{name}", _measured(name), *_OF_RECORD.get(name, ()), _SOURCE,
                optional=1 + len(_OF_RECORD.get(name, ()))) for name in MEASUREMENTS),
        query(":MEASure:VRMS", lambda self, request: self.root_mean_square(request), _PART,
              Choice("AC", "DC"), _SOURCE, optional=3),
        action(":SINGle", lambda self, request: self.arm(self.wanted())),
        action(":DIGitize", lambda self, request: self.arm(self.wanted()), *[_SOURCE] * 4, optional=4),
        action(":RUN", lambda self, request: self.arm(self.wanted())),
        action(":STOP", lambda self, request: self.disarm()),
        action(":CDISplay", lambda self, request: self.forget()),
        query(":AER", lambda self, request: self.read_flag("arm_event")),
        query(":ADER", lambda self, request: self.read_flag("done_event")),
        query(":ASTate", lambda self, request: "ARM" if self.waiting else "ADONE"),
        query(":RSTate", lambda self, request: "SING" if self.waiting else "STOP"),
        query(":WAVeform:SEGMented:COUNt", lambda self, request: str(self.segments)),
        query(":WAVeform:SEGMented:TTAG", lambda self, request: f"{self.time_tag():+.12E}"),
        query(":WAVeform:POINts", lambda self, request: str(self.timebase().points)),
        query(":WAVeform:XINCrement", lambda self, request: f"{self.timebase().interval:.11E}"),
        query(":WAVeform:XORigin", lambda self, request: f"{self.timebase().start:.11E}"),
        query(":WAVeform:XREFerence", lambda self, request: "0"),
        query(":WAVeform:YINCrement", lambda self, request: f"{self.y_increment():.11E}"),
        query(":WAVeform:YORigin", lambda self, request: f"{self.y_origin():.11E}"),
        query(":WAVeform:YREFerence", lambda self, request: "0"),
        query(":WAVeform:PREamble", lambda self, request: self.preamble()),
        query(":WAVeform:DATA", lambda self, request: self.data(request), Integer(1), Integer(1), optional=2),
    )

    def __init__(self, cavity: VirtualCavity, bits: int = 10) -> None:
        self.bits = bits
        self._averages = 1
        super().__init__(cavity)

    def restore(self) -> None:
        super().restore()
        self.settings |= {f"level.{name}": 0.0 for name in _INPUT.names}

    # --- settings as the front end wants them -------------------------------------------------------

    def set_scale(self, request: Request) -> None:
        """Volts per division; the range is eight of them."""
        self.settings[f"channel{request.suffixes[0]}.range"] = request.values[0] * DIVISIONS

    def scale(self, number: int) -> str:
        """Volts per division of a channel."""
        return f"{self.settings[f'channel{number}.range'] / DIVISIONS:{_FORM}}"

    def set_level(self, request: Request) -> None:
        """Trigger level of one source [V]."""
        self.settings[f"level.{request.values[0]}"] = request.values[1]

    def set_timebase(self) -> Timebase:
        s = self.settings
        interval = 1.0 / s["sample_rate"]
        share = {"LEFT": 0.0, "CENT": 0.5, "RIGH": 1.0}[s["time_reference"]]
        start = s["time_position"] - share * s["time_range"]
        return Timebase(round(start / interval) * interval, interval, s["points"])

    def set_channels(self) -> dict[int, Channel]:
        bandwidth = self.settings["bandwidth"]
        return {n: self._set_channel(n, bandwidth if bandwidth < WIDEST else float("inf"))
                for n in _CHANNELS if self.settings[f"channel{n}.display"]}

    def _set_channel(self, number: int, bandwidth: float) -> Channel:
        full_scale, offset, termination = (
            self.settings[f"channel{number}.{name}"] for name in ("range", "offset", "input"))
        return Channel(full_scale, offset, self.bits, 1.0 if termination in _FIFTY_OHM else 2.0,
                       termination in _DC_BLOCKED, bandwidth)

    def wanted(self) -> int:
        """Triggers that one arming takes, as it is set; ScpiError -221 where settings conflict."""
        s = self.settings
        segmented = s["mode"].startswith("SEG")
        if segmented and s["average"]:
            raise ScpiError(-221, "segments cannot be averaged")
        if segmented and s["segment_count"] * s["points"] > MEMORY:
            raise ScpiError(-221, f"{s['segment_count']} times {s['points']} samples; there are {MEMORY}")
        return s["segment_count"] if segmented else self._set_averages()

    def _set_averages(self) -> int:
        return self.settings["average_count"] if self.settings["average"] else 1

    def arm(self, wanted: int) -> None:
        super().arm(wanted)
        self._averages = self._set_averages()

    # --- measuring --------------------------------------------------------------------------------------

    def measured(self, request: Request, find: Callable[[np.ndarray, float], float]) -> Later:
        """`find` of the named channel's record, or of :MEASure:SOURce; parts of it are taken to be all."""
        named = [v for v in request.values if v.startswith("CHAN")]
        number = int((named or [self.settings["measure_source"]])[0][-1])
        held, channel, interval = self.held(), self.channel(number), self.timebase().interval

        def reply(_: None) -> str:
            codes = np.mean([record[number] for record in held.records()[:self.averages]], axis=0)
            volts = channel.offset + (codes + 0.5) * channel.lsb - 0.5 * channel.full_scale
            return f"{find(volts, interval):+.8E}"

        return Later(held.done, reply)

    def root_mean_square(self, request: Request) -> Later:
        """:MEASure:VRMS? [part, AC or DC, channel]."""
        return self.measured(request, lambda volts, _: root_mean_square(volts, "AC" in request.values))

    # --- handing out ------------------------------------------------------------------------------------

    @property
    def averages(self) -> int:
        """Records that are averaged into the one held, or as set."""
        return self._averages if self.acquisition else self._set_averages()

    @property
    def source(self) -> int:
        """Number of the channel that is read."""
        return int(self.settings["source"][-1])

    def y_increment(self) -> float:
        """Volts of one step of a word [V]; an average has sixteen bits."""
        channel = self.channel(self.source)
        return channel.full_scale / 2**16 if self.averages > 1 else channel.lsb

    def y_origin(self) -> float:
        """Volts of word 0 [V]."""
        channel = self.channel(self.source)
        return channel.offset + 0.5 * channel.lsb

    def preamble(self) -> str:
        """Format, type, points, count; X increment, origin, reference; Y the same; what Infiniium adds."""
        timebase, channel = self.timebase(), self.channel(self.source)
        kind = "2" if self.averages > 1 else "1"
        return ",".join((
            "2", kind, str(timebase.points), str(self.averages), f"{timebase.interval:.11E}",
            f"{timebase.start:.11E}", "0", f"{self.y_increment():.11E}", f"{self.y_origin():.11E}", "0", "2",
            f"{timebase.points * timebase.interval:.11E}", f"{timebase.start:.11E}",
            f"{channel.full_scale:.11E}", f"{channel.offset:.11E}", '"22 NOV 2026"', '"12:00:00:00"',
            '"MSOS254A:SIMULATED-MY0002"', "0", "100", "2", "1", "2.5E+9", "0", "1"))

    def data(self, request: Request) -> Later:
        """The selected channel's records, waiting for their physics if the triggers have come."""
        held, number, settings, averages = self.held(), self.source, dict(self.settings), self.averages
        channel, increment, origin = self.channel(number), self.y_increment(), self.y_origin()
        chosen = range(self.segments) if settings["all_segments"] else (self.selected(),)
        first = request.values[0] - 1 if request.values else 0
        points = slice(first, first + request.values[1] if len(request.values) > 1 else None)

        def encode(_: None) -> bytes | str:
            records = [codes[number] for codes in held.records()]
            half = 1 << (channel.bits - 1)
            if averages > 1:
                return _encoded(averaged(records, channel)[points], settings, increment, origin, 16)
            words = np.concatenate([records[segment][points] - half for segment in chosen])
            return _encoded(words, settings, increment, origin, channel.bits)

        return Later(held.done, encode)


def _encoded(words: np.ndarray, settings: dict[str, Any], increment: float, origin: float,
             bits: int) -> bytes | str:
    """Words as the settings of :WAVeform say: ASCII volts, bytes, words of either order, streamed or not."""
    if settings["format"] == "ASC":
        return ",".join(f"{v:.5E}" for v in words * increment + origin)
    if settings["format"] == "BYTE":
        data = (words >> max(0, bits - 8)).astype(np.int8).tobytes()
    else:
        data = words.astype("<i2" if settings["order"] == "LSBF" else ">i2").tobytes()
    return indefinite_block(data) if settings["streaming"] else block(data)
