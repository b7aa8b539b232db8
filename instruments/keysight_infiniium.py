"""Driver of Keysight Infiniium oscilloscopes (S, MXR, EXR, UXR): raw codes, one record or many per arming.

PyMeasure has none. Commands: Keysight Infiniium programmer's guide (:ACQuire, :WAVeform, :AER?,
:ADER?). Records come as definite blocks of 16-bit words, low byte first.

It cannot say how many bits its converter has (`configure` is told), and cannot average segments.
Its 10 MHz input cannot be asked whether it is locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from . import keysight_oscilloscope as shared
from .errors import ProtocolError
from .keysight_oscilloscope import TRIGGER_LEVEL, KeysightOscilloscope, Preamble, channel_number, repeats
from .scpi_instrument import SWITCH
from .waveform import Segment, Waveform

CHANNELS = (1, 2, 3, 4)


class AnalogChannel(shared.AnalogChannel):
    """One analogue input."""

    input = Instrument.control(
        ":CHAN{ch}:INP?", ":CHAN{ch}:INP %s", """Control coupling and impedance ("DC50", "DC", "AC").""",
        validator=strict_discrete_set, values=("DC50", "DC", "AC"), cast=str, check_set_errors=True)

    @property
    def impedance(self) -> float:
        """Get the input impedance in ohm: 1 Mohm shows twice the volts that 50 ohm do."""
        return 50.0 if self.input.strip().upper().startswith(("DC50", "DCF")) else 1e6


class KeysightInfiniium(KeysightOscilloscope):
    """The Infiniium as a digitiser. It emits nothing; its safe state is stopped, data kept."""

    models = r"(?i)[DM]SO(?!-?X ?[1-6])|MXR|EXR|UXR|infiniium"      # an X and 1 to 6: an InfiniiVision

    forgetting = ":AER?;:ADER?"

    channels = Instrument.MultiChannelCreator(AnalogChannel, list(CHANNELS))

    sample_rate = Instrument.control(
        ":ACQ:SRAT:ANAL?", ":ACQ:SRAT:ANAL %.12g", """Control the sample rate in Sa/s.""",
        validator=strict_range, values=[10, 20e9], dynamic=True, check_set_errors=True)

    points = Instrument.control(
        ":ACQ:POIN:ANAL?", ":ACQ:POIN:ANAL %d", """Control the samples of a record (int).""",
        validator=strict_range, values=[16, 100_000_000], cast=lambda reply: int(float(reply)), dynamic=True,
        check_set_errors=True)

    bandwidth = Instrument.control(
        ":ACQ:BAND?", ":ACQ:BAND %.12g", """Control the bandwidth of all inputs in Hz.""",
        validator=strict_range, values=[10e6, 2.5e9], dynamic=True, check_set_errors=True)

    mode = Instrument.control(
        ":ACQ:MODE?", ":ACQ:MODE %s", """Control the acquisition mode ("real time" or "segmented").""",
        validator=strict_discrete_set, values={"real time": "RTIM", "segmented": "SEGM"}, map_values=True,
        preprocess_reply=lambda reply: reply.strip()[:4].upper(), cast=str, check_set_errors=True)

    segment_count = Instrument.control(
        ":ACQ:SEGM:COUN?", ":ACQ:SEGM:COUN %d", """Control the segments that one arming takes (int).""",
        validator=strict_range, values=[2, 65_536], cast=int, dynamic=True, check_set_errors=True)

    segment_index = Instrument.control(
        ":ACQ:SEGM:IND?", ":ACQ:SEGM:IND %d", """Control the segment that is looked at, from 1 (int).""",
        validator=strict_range, values=[1, 65_536], cast=int, dynamic=True, check_set_errors=True)

    all_segments = Instrument.control(
        ":WAV:SEGM:ALL?", ":WAV:SEGM:ALL %d", """Control whether all segments come in one block (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    segments_taken = Instrument.measurement(
        ":WAV:SEGM:COUN?", """Get how many segments have been taken since the last arming (int).""",
        cast=lambda reply: int(float(reply)))

    time_tag = Instrument.measurement(
        ":WAV:SEGM:TTAG?", """Get when the segment looked at was triggered, in s after the first.""")

    averaging = Instrument.control(
        ":ACQ:AVER?", ":ACQ:AVER %d", """Control whether records are averaged (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    average_count = Instrument.control(
        ":ACQ:AVER:COUN?", ":ACQ:AVER:COUN %d", """Control how many records are averaged (int).""",
        validator=strict_range, values=[2, 65_534], cast=int, dynamic=True, check_set_errors=True)

    interpolation = Instrument.control(
        ":ACQ:INT?", ":ACQ:INT %d", """Control whether points are put in between the samples (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    trigger_source = Instrument.control(
        ":TRIG:EDGE:SOUR?", ":TRIG:EDGE:SOUR %s", """Control the source of the edge ("AUX", "CHAN1", ...).""",
        validator=strict_discrete_set, values=("AUX", *(f"CHAN{n}" for n in CHANNELS)), cast=str,
        check_set_errors=True)

    trigger_sweep = Instrument.control(
        ":TRIG:SWE?", ":TRIG:SWE %s", """Control whether it waits for triggers ("triggered" or "auto").""",
        validator=strict_discrete_set, values={"triggered": "TRIG", "auto": "AUTO"}, map_values=True,
        preprocess_reply=lambda reply: reply.strip()[:4].upper(), cast=str, check_set_errors=True)

    trigger_level = Instrument.control(
        ":TRIG:LEV? AUX", ":TRIG:LEV AUX,%.6g", """Control the trigger level of the input AUX in V.""",
        validator=strict_range, values=[-5, 5], dynamic=True, check_set_errors=True)

    acquired = Instrument.measurement(
        ":ADER?", """Get whether an acquisition has been completed (bool); asking clears it.""",
        cast=int, get_process=bool)

    source = Instrument.control(
        ":WAV:SOUR?", ":WAV:SOUR CHAN%d", """Control the channel whose record is read (int).""",
        validator=strict_discrete_set, values=CHANNELS, preprocess_reply=channel_number, cast=int,
        check_set_errors=True)

    def __init__(self, adapter: Any, name: str = "Keysight Infiniium", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)
        self._bits, self._segments = 16, 1

    @property
    def pretrigger(self) -> float:
        """Get the seconds of a record before the trigger, as `configure` sets them."""
        return -self.timebase_position

    def configure(self, sample_rate: float, points: int, pretrigger: float,
                  channels: Mapping[str, tuple[int, float, float]], bits: int = 10,
                  segments: int = 1, averages: int = 1) -> dict[str, float | str | bool]:
        """Set up records of `points` samples that begin `pretrigger` [s] before the trigger.

        `channels`: name -> (number, full scale [V], offset [V]); others are switched off. `bits` of the
        converter. One arming takes `segments` triggers for as many records, or `averages` for one. Returns
        what was read back, names as in `settings`. ValueError where both are wanted.
        """
        if min(segments, averages) != 1:
            raise ValueError(f"segments and averages: found {segments} and {averages}, expected 1 for one of "
                             "them and 1 or more for the other; it cannot average segments")
        self.write("*CLS")
        self.write(":SYST:HEAD OFF")
        self.stop()
        plan = {"mode": "segmented" if segments > 1 else "real time", "averaging": averages > 1,
                "interpolation": False, "sample_rate": sample_rate, "points": points,
                "timebase_reference": "left", "timebase_range": points / sample_rate, "trigger_mode": "EDGE",
                "trigger_source": "AUX", "trigger_sweep": "triggered", "trigger_level": TRIGGER_LEVEL,
                "all_segments": segments > 1}
        plan |= {"segment_count": segments} if segments > 1 else {}
        plan |= {"average_count": averages} if averages > 1 else {}
        for name, value in plan.items():
            self.put(name, value)
        self.put("timebase_position", -pretrigger, absolute=1e-12)
        self._set_channels(channels)
        for number in self._names.values():
            self.channels[number].input = "DC50"
        self.data_as_words()
        self._bits, self._segments = 16 if averages > 1 else bits, segments
        return self.settings()

    def data_as_words(self) -> None:
        """Records as 16-bit words, low byte first, as definite blocks."""
        self._send_all(":WAV:FORM WORD", ":WAV:BYT LSBF", ":WAV:STR OFF")

    def _incomplete(self) -> str:
        if self._segments == 1:
            return super()._incomplete()
        return f"{self.segments_taken} of {self._segments} segments were taken"

    def read_channel(self, number: int, name: str = "") -> Waveform:
        """One channel's record. ProtocolError where the block is not as long as the record."""
        (record,) = self._records(number, name, 1)
        return record

    def read_segments(self, names: Iterable[str] | None = None) -> list[Segment]:
        """All segments of the named channels (of all configured ones), one block per channel.

        In the order of their triggers, with their time tags [s]. ProtocolError where a segment repeats the
        one before it, or its time tag does not come after the one before.
        """
        with self.turn():
            count = self.segments_taken
            tags = [self._tag(index) for index in range(1, count + 1)]
            records = {name: self._records(self._names[name], name, count) for name in names or self._names}
        found = [Segment(tag, {name: each[index] for name, each in records.items()})
                 for index, tag in enumerate(tags)]
        self._check_order(found)
        return found

    def _tag(self, index: int) -> float:
        """Time tag of one segment [s]; both messages in one, since there may be thousands."""
        answer = self.ask(f":ACQ:SEGM:IND {index};:WAV:SEGM:TTAG?")
        try:
            return float(answer)
        except ValueError:
            raise self.spoilt(f"{answer!r} came as a time tag", "seconds") from None

    def _check_order(self, segments: list[Segment]) -> None:
        before, last = self._before, -np.inf
        for index, segment in enumerate(segments, 1):
            if repeats(segment.waveforms, before) or not segment.time_tag > last:
                found = f"segment {index} of {len(segments)} ({segment.time_tag:g} s) repeats the one before"
                raise self.error(ProtocolError, found, "a new record at a later time",
                                 "do not use these shots; check that the digitiser is triggered")
            last, before = segment.time_tag, {n: w.codes for n, w in segment.waveforms.items()}
        self._read = dict(before)

    def _records(self, number: int, name: str, count: int) -> list[Waveform]:
        """`count` records of one channel, which come in one block."""
        with self.turn():
            scale: Preamble = self._preamble(number)
            self.write(":WAV:DATA?")
            codes = np.frombuffer(self.read_block(2 * scale.points * count), dtype="<i2")
        return [Waveform(record, scale.volts_per_code, scale.volts_at_zero, scale.start, scale.interval,
                         channel=name or f"CHAN{number}", bits=self._bits)
                for record in codes.reshape(count, scale.points)]
