"""Keysight Infiniium S-series digitiser: arms, is triggered by the bench's wiring, hands out int16 blocks.

The word on the wire is code - 2^(bits-1), left to the driver to scale with YINCrement (one LSB) and YORigin
(offset + LSB/2, the centre of code 2^(bits-1)).
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, ClassVar

import numpy as np

from .front_end import Channel, Timebase
from .scpi import ScpiError, block
from .scpi_device import Later, Request, ScpiDevice, action, query, setting
from .scpi_values import Boolean, Choice, Integer, Number
from .virtual_cavity import VirtualCavity

_CHANNELS = range(1, 5)
_V = Number("V", -1e3, 1e3, "+.8E")
_FORM = "+.8E"
_INPUT = Choice("AUX", "CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4")
DIVISIONS = 8


class KeysightInfiniium(ScpiDevice):
    """MSOS254A with 10 bits. `:SINGle` or `:DIGitize` arms; the record is there once its physics is done."""

    identity: ClassVar = "KEYSIGHT TECHNOLOGIES,MSOS254A,SIMULATED-MY0002,06.20"
    commands: ClassVar = (
        setting(":ACQuire:SRATe[:ANALog]", "sample_rate", Number("SA/S", 1e3, 20e9, _FORM), 500e6),
        setting(":ACQuire:POINts[:ANALog]", "points", Integer(16, 100_000_000), 20_000),
        setting(":ACQuire:MODE", "mode", Choice("RTIMe", "HRESolution", "SEGMented", "ETIMe"), "RTIM"),
        setting(":ACQuire:AVERage", "average", Boolean(), False),
        setting(":ACQuire:INTerpolate", "interpolate", Boolean(), False),
        setting(":CHANnel<n>:DISPlay", "channel{0}.display", Boolean(), True, _CHANNELS),
        setting(":CHANnel<n>:RANGe", "channel{0}.range", Number("V", 8e-3, 80.0, _FORM), 1.6, _CHANNELS),
        action(":CHANnel<n>:SCALe", lambda self, request: self.set_scale(request), Number("V", 1e-3, 10.0),
               suffixes=(_CHANNELS,)),
        query(":CHANnel<n>:SCALe", lambda self, request: self.scale(request.suffixes[0]),
              suffixes=(_CHANNELS,)),
        setting(":CHANnel<n>:OFFSet", "channel{0}.offset", _V, 0.0, _CHANNELS),
        setting(":CHANnel<n>:INPut", "channel{0}.input", Choice("DC50", "DC", "DCFifty", "AC"), "DC50",
                _CHANNELS),
        setting(":TIMebase:RANGe", "time_range", Number("S", 1e-9, 200.0, _FORM), 40e-6),
        setting(":TIMebase:POSition", "time_position", Number("S", -200.0, 200.0, _FORM), -2e-6),
        setting(":TIMebase:REFerence", "time_reference", Choice("LEFT", "CENTer", "RIGHt"), "LEFT"),
        setting(":TRIGger:MODE", "trigger_mode", Choice("EDGE"), "EDGE"),
        setting(":TRIGger:EDGE:SOURce", "trigger_source",
                Choice("AUX", "LINE", "CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4"), "AUX"),
        setting(":TRIGger:EDGE:SLOPe", "trigger_slope", Choice("POSitive", "NEGative", "EITHer"), "POS"),
        setting(":TRIGger:SWEep", "trigger_sweep", Choice("AUTO", "TRIGgered"), "TRIG"),
        action(":TRIGger:LEVel", lambda self, request: self.set_level(request), _INPUT, _V),
        query(":TRIGger:LEVel", lambda self, request: _V.show(self.levels[request.values[0]]), _INPUT),
        setting(":WAVeform:SOURce", "source", Choice(*(f"CHANnel{n}" for n in _CHANNELS)), "CHAN1"),
        setting(":WAVeform:FORMat", "format", Choice("WORD", "BYTE", "ASCii"), "WORD"),
        setting(":WAVeform:BYTeorder", "order", Choice("MSBFirst", "LSBFirst"), "MSBF"),
        setting(":WAVeform:STReaming", "streaming", Boolean(), False),
        setting(":SYSTem:HEADer", "header", Boolean(), False),
        action(":SINGle", lambda self, request: self.arm()),
        action(":DIGitize", lambda self, request: self.arm()),
        action(":RUN", lambda self, request: self.arm()),
        action(":STOP", lambda self, request: self.disarm()),
        action(":CDISplay", lambda self, request: self.forget()),
        query(":AER", lambda self, request: self.read_flag("arm_event")),
        query(":ADER", lambda self, request: self.read_done()),
        query(":RSTate", lambda self, request: "SING" if self.armed else "STOP"),
        query(":WAVeform:POINts", lambda self, request: str(self.timebase().points)),
        query(":WAVeform:XINCrement", lambda self, request: f"{self.timebase().interval:.11E}"),
        query(":WAVeform:XORigin", lambda self, request: f"{self.timebase().start:.11E}"),
        query(":WAVeform:XREFerence", lambda self, request: "0"),
        query(":WAVeform:YINCrement", lambda self, request: f"{self.channel().lsb:.11E}"),
        query(":WAVeform:YORigin", lambda self, request: f"{self.y_origin():.11E}"),
        query(":WAVeform:YREFerence", lambda self, request: "0"),
        query(":WAVeform:PREamble", lambda self, request: self.preamble()),
        query(":WAVeform:DATA", lambda self, request: self.data(request), Integer(1), Integer(1), optional=2),
    )

    def __init__(self, cavity: VirtualCavity, bits: int = 10) -> None:
        self.cavity, self.bits = cavity, bits
        self.armed: Future[Any] | None = None
        self.record: Future[Any] | None = None
        self.arm_event = self.done_event = False
        self.levels: dict[str, float] = {}
        self._arming: Future[Any] | None = None
        self._taken: tuple[Timebase, dict[int, Channel]] | None = None
        super().__init__()
        cavity.digitiser = self

    def restore(self) -> None:
        super().restore()
        self.levels = dict.fromkeys(("AUX", "CHAN1", "CHAN2", "CHAN3", "CHAN4"), 0.0)
        self.forget()

    # --- settings as the front end wants them -------------------------------------------------------

    def set_scale(self, request: Request) -> None:
        """Volts per division; the range is eight of them."""
        self.settings[f"channel{request.suffixes[0]}.range"] = request.values[0] * DIVISIONS

    def scale(self, number: int) -> str:
        """Volts per division of a channel."""
        return f"{self.settings[f'channel{number}.range'] / DIVISIONS:{_FORM}}"

    def set_level(self, request: Request) -> None:
        """Trigger level of one source [V]."""
        self.levels[request.values[0]] = request.values[1]

    def _set_timebase(self) -> Timebase:
        s = self.settings
        interval = 1.0 / s["sample_rate"]
        share = {"LEFT": 0.0, "CENT": 0.5, "RIGH": 1.0}[s["time_reference"]]
        start = s["time_position"] - share * s["time_range"]
        return Timebase(round(start / interval) * interval, interval, s["points"])

    def _set_channels(self) -> dict[int, Channel]:
        return {n: Channel(self.settings[f"channel{n}.range"], self.settings[f"channel{n}.offset"], self.bits)
                for n in _CHANNELS if self.settings[f"channel{n}.display"]}

    def timebase(self) -> Timebase:
        """That of the record held, else what is set."""
        return self._taken[0] if self._taken else self._set_timebase()

    def channel(self) -> Channel:
        """Scale of the selected source, of the record held or as set."""
        number = int(self.settings["source"][-1])
        channels = self._taken[1] if self._taken else self._set_channels()
        if number not in channels:
            raise ScpiError(-221, f"channel {number} is not displayed")
        return channels[number]

    def y_origin(self) -> float:
        """Volts of word 0 [V]."""
        channel = self.channel()
        return channel.offset + 0.5 * channel.lsb

    # --- acquiring ------------------------------------------------------------------------------------

    def arm(self) -> None:
        """Waits for a trigger; what was there is gone."""
        self.disarm()
        self.forget()
        self.armed = Future()
        latency = self.cavity.faults.lasting.get("arm_race", 0.0)
        if latency:
            self._arming = waiting = self.armed
            self.cavity.clock.later(latency, lambda: self._ready(waiting))
        else:
            self._ready(self.armed)

    def _ready(self, waiting: Future[Any]) -> None:
        """From now on a trigger is taken."""
        if waiting is self.armed:
            self._arming, self.arm_event = None, True

    def disarm(self) -> None:
        """:STOP: no longer waiting; whoever waits for the record is let go."""
        if self.armed is not None:
            self.armed.set_result(None)
            self.armed = None

    def forget(self) -> None:
        """No record."""
        self.disarm()
        self.record, self._taken, self.done_event = None, None, False

    def triggered(self) -> tuple[Timebase, dict[int, Channel], Future[Any]] | None:
        """The trigger came: what to record, and the future to fill; None if not armed."""
        if self.armed is None or self._arming is self.armed:
            return None
        self._taken = (self._set_timebase(), self._set_channels())
        self.record, self.armed = self.armed, None
        self.record.add_done_callback(self._finished)
        return *self._taken, self.record

    def _finished(self, record: Future[Any]) -> None:
        if record is self.record:
            self.done_event = True

    def pending(self) -> Future[Any] | None:
        waiting = self.armed if self.armed is not None else self.record
        return waiting if waiting is not None and not waiting.done() else None

    def read_flag(self, name: str) -> str:
        """An event register: reading clears it."""
        value = getattr(self, name)
        setattr(self, name, False)
        return str(int(value))

    def read_done(self) -> str:
        """:ADER?: 1 once when a record has become complete."""
        return self.read_flag("done_event")

    # --- handing out ------------------------------------------------------------------------------------

    def preamble(self) -> str:
        """Format, type, points, count; X increment, origin, reference; Y the same; what Infiniium adds."""
        timebase, channel = self.timebase(), self.channel()
        return ",".join((
            "2", "1", str(timebase.points), "1", f"{timebase.interval:.11E}", f"{timebase.start:.11E}", "0",
            f"{channel.lsb:.11E}", f"{self.y_origin():.11E}", "0", "2",
            f"{timebase.points * timebase.interval:.11E}", f"{timebase.start:.11E}",
            f"{channel.full_scale:.11E}", f"{channel.offset:.11E}", '"22 NOV 2026"', '"12:00:00:00"',
            '"MSOS254A:SIMULATED-MY0002"', "0", "100", "2", "1", "2.5E+9", "0", "1"))

    def data(self, request: Request) -> Later:
        """The selected channel's record, waiting for its physics if the trigger has come."""
        if self.record is None:
            raise ScpiError(-230, "no record; arm with :SINGle, then trigger")
        channel, form, order = self.channel(), self.settings["format"], self.settings["order"]
        number = int(self.settings["source"][-1])
        first = request.values[0] - 1 if request.values else 0
        count = request.values[1] if len(request.values) > 1 else None

        def encode(records: dict[int, np.ndarray] | None) -> bytes | str:
            if records is None:
                raise ScpiError(-230, "the acquisition was stopped")
            words = records[number][first:None if count is None else first + count] - 2 ** (channel.bits - 1)
            if form == "ASC":
                volts = words * channel.lsb + channel.offset + 0.5 * channel.lsb
                return ",".join(f"{v:.5E}" for v in volts)
            if form == "BYTE":
                shift = max(0, channel.bits - 8)
                return block((words >> shift).astype(np.int8).tobytes())
            return block(words.astype("<i2" if order == "LSBF" else ">i2").tobytes())

        return Later(self.record, encode)

