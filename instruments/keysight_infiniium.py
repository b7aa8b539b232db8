"""Driver of Keysight Infiniium oscilloscopes (S, MXR, EXR, UXR): one record of raw codes per trigger.

PyMeasure has none. Commands: Keysight Infiniium programmer's guide (:ACQuire, :WAVeform, :AER?,
:ADER?). Records come as definite blocks of 16-bit words, low byte first.

It cannot say how many bits its converter has (`configure` is told), and one record is one trigger:
segmented memory is not used here.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from pymeasure.instruments import Instrument, SCPIMixin
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from .errors import InstrumentTimeout, NoTrigger, ProtocolError
from .scpi_instrument import Guarded, GuardedChannel
from .waveform import Waveform

TRIGGER_LEVEL = 1.25                # [V] half of what the delay generator gives
ARM_TIME = 2.0                      # [s] within which it must be ready for a trigger
FIRST_POLL, SLOWEST_POLL = 2e-4, 5e-3      # [s]
CHANNELS = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Preamble:
    """What the codes of a record mean: samples, time [s] and volts [V]."""

    points: int
    interval: float
    start: float
    volts_per_code: float
    volts_at_zero: float

    @classmethod
    def of(cls, fields: list) -> Preamble | list:
        """From the fields of :WAV:PRE?; the fields themselves where they are too few or no numbers.

        In order: format, type, points, count, X increment, origin, reference, Y the same, and more.
        """
        if len(fields) < 10 or not all(isinstance(field, float) for field in fields[:10]):
            return fields
        _, _, points, _, interval, start, first, volts, zero, reference = fields[:10]
        return cls(int(points), interval, start - first * interval, volts, zero - reference * volts)


class AnalogChannel(GuardedChannel):
    """One analogue input."""

    display = Instrument.control(
        ":CHAN{ch}:DISP?", ":CHAN{ch}:DISP %d", """Control whether the channel is on (bool).""",
        validator=strict_discrete_set, values={False: 0, True: 1}, map_values=True, cast=int,
        check_set_errors=True)

    full_scale = Instrument.control(
        ":CHAN{ch}:RANG?", ":CHAN{ch}:RANG %.9g", """Control the full scale of eight divisions in V.""",
        validator=strict_range, values=[8e-3, 40], dynamic=True, check_set_errors=True)

    scale = Instrument.control(
        ":CHAN{ch}:SCAL?", ":CHAN{ch}:SCAL %.9g", """Control the volts per division in V.""",
        validator=strict_range, values=[1e-3, 5], dynamic=True, check_set_errors=True)

    offset = Instrument.control(
        ":CHAN{ch}:OFFS?", ":CHAN{ch}:OFFS %.9g", """Control the voltage at the centre of the screen in V.""",
        validator=strict_range, values=[-40, 40], dynamic=True, check_set_errors=True)

    input = Instrument.control(
        ":CHAN{ch}:INP?", ":CHAN{ch}:INP %s", """Control coupling and impedance ("DC50", "DC", "AC").""",
        validator=strict_discrete_set, values=("DC50", "DC", "AC"), cast=str, check_set_errors=True)


class KeysightInfiniium(Guarded, SCPIMixin, Instrument):
    """The Infiniium as a digitiser. It emits nothing; its safe state is stopped, data kept."""

    models = r"(?i)[DM]SO|MXR|EXR|UXR|infiniium"
    session_settings: ClassVar[dict[str, str]] = {"read_termination": "\n", "write_termination": "\n"}

    channels = Instrument.MultiChannelCreator(AnalogChannel, list(CHANNELS))

    sample_rate = Instrument.control(
        ":ACQ:SRAT:ANAL?", ":ACQ:SRAT:ANAL %.12g", """Control the sample rate in Sa/s.""",
        validator=strict_range, values=[10, 20e9], dynamic=True, check_set_errors=True)

    points = Instrument.control(
        ":ACQ:POIN:ANAL?", ":ACQ:POIN:ANAL %d", """Control the samples of a record (int).""",
        validator=strict_range, values=[16, 100_000_000], cast=lambda reply: int(float(reply)), dynamic=True,
        check_set_errors=True)

    mode = Instrument.control(
        ":ACQ:MODE?", ":ACQ:MODE %s", """Control the acquisition mode ("real time" or "segmented").""",
        validator=strict_discrete_set, values={"real time": "RTIM", "segmented": "SEGM"}, map_values=True,
        preprocess_reply=lambda reply: reply.strip()[:4].upper(), cast=str, check_set_errors=True)

    timebase_range = Instrument.control(
        ":TIM:RANG?", ":TIM:RANG %.12g", """Control the time across the screen in s.""",
        validator=strict_range, values=[50e-12, 200], dynamic=True, check_set_errors=True)

    timebase_position = Instrument.control(
        ":TIM:POS?", ":TIM:POS %.12g", """Control the time from the trigger to the reference in s.""",
        check_set_errors=True)

    timebase_reference = Instrument.control(
        ":TIM:REF?", ":TIM:REF %s", """Control where the reference is ("left", "centre" or "right").""",
        validator=strict_discrete_set, values={"left": "LEFT", "centre": "CENT", "right": "RIGH"},
        map_values=True, preprocess_reply=lambda reply: reply.strip()[:4].upper(), cast=str,
        check_set_errors=True)

    trigger_mode = Instrument.control(
        ":TRIG:MODE?", ":TRIG:MODE %s", """Control the trigger mode ("EDGE").""",
        validator=strict_discrete_set, values=("EDGE",), cast=str, check_set_errors=True)

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

    interpolation = Instrument.control(
        ":ACQ:INT?", ":ACQ:INT %d", """Control whether points are put in between the samples (bool).""",
        validator=strict_discrete_set, values={False: 0, True: 1}, map_values=True, cast=int,
        check_set_errors=True)

    averaging = Instrument.control(
        ":ACQ:AVER?", ":ACQ:AVER %d", """Control whether records are averaged (bool).""",
        validator=strict_discrete_set, values={False: 0, True: 1}, map_values=True, cast=int,
        check_set_errors=True)

    armed = Instrument.measurement(
        ":AER?", """Get whether it has become ready for a trigger (bool); asking clears it.""",
        cast=int, get_process=bool)

    acquired = Instrument.measurement(
        ":ADER?", """Get whether an acquisition has been completed (bool); asking clears it.""",
        cast=int, get_process=bool)

    source = Instrument.control(
        ":WAV:SOUR?", ":WAV:SOUR CHAN%d", """Control the channel whose record is read (int).""",
        validator=strict_discrete_set, values=CHANNELS,
        preprocess_reply=lambda reply: reply.strip().upper().removeprefix("CHANNEL").removeprefix("CHAN"),
        cast=int, check_set_errors=True)

    preamble = Instrument.measurement(
        ":WAV:PRE?", """Get what the codes of the selected record mean (Preamble).""", separator=",",
        get_process_list=lambda fields: Preamble.of(fields))

    def __init__(self, adapter: Any, name: str = "Keysight Infiniium", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)
        self._names: dict[str, int] = {}
        self._bits = 16
        self._read: dict[str, np.ndarray] = {}      # codes since the last arming, and before it
        self._before: dict[str, np.ndarray] = {}

    def configure(self, sample_rate: float, points: int, pretrigger: float,
                  channels: Mapping[str, tuple[int, float, float]],
                  bits: int = 10) -> dict[str, float | str | bool]:
        """Set up records of `points` samples that begin `pretrigger` [s] before the trigger.

        `channels`: name -> (number, full scale [V], offset [V]); others are switched off. `bits` of the
        converter. Returns what was read back, names as in `settings`.
        """
        self.write("*CLS")
        self.write(":SYST:HEAD OFF")
        self.stop()
        plan = {"mode": "real time", "interpolation": False, "averaging": False, "sample_rate": sample_rate,
                "points": points, "timebase_reference": "left", "timebase_range": points / sample_rate,
                "trigger_mode": "EDGE", "trigger_source": "AUX", "trigger_sweep": "triggered",
                "trigger_level": TRIGGER_LEVEL}
        for name, value in plan.items():
            self.put(name, value)
        self.put("timebase_position", -pretrigger, absolute=1e-12)
        self._set_channels({number: (range_, offset) for number, range_, offset in channels.values()})
        self.data_as_words()
        self._names = {name: number for name, (number, _, _) in channels.items()}
        self._bits = bits
        return self.settings()

    def _set_channels(self, wanted: Mapping[int, tuple[float, float]]) -> None:
        for number, channel in self.channels.items():
            channel.display = number in wanted
            if number in wanted:
                self._set_channel(channel, *wanted[number])

    def _set_channel(self, channel: AnalogChannel, full_scale: float, offset: float) -> None:
        channel.input = "DC50"
        channel.full_scale, channel.offset = full_scale, offset
        found = channel.full_scale, channel.offset
        if not np.allclose(found, (full_scale, offset), rtol=1e-6, atol=1e-9):
            raise self.not_taken(f"channel {channel.id} (full scale, offset)", found, (full_scale, offset))

    def data_as_words(self) -> None:
        """Records as 16-bit words, low byte first, as definite blocks."""
        for command in (":WAV:FORM WORD", ":WAV:BYT LSBF", ":WAV:STR OFF"):
            self.write(command)
            self.check_errors()

    def arm(self) -> None:
        """Ready for one trigger; returns once it would be taken, so that no shot is fired too early."""
        self._before, self._read = self._read or self._before, {}
        with self.turn():
            self.armed, self.acquired      # noqa: B018 - asking clears what earlier shots left
            self.write(":SING")
            self.check_errors()
        if not self._poll("armed", ARM_TIME):
            raise self.error(InstrumentTimeout, f"it was not ready for a trigger after {ARM_TIME:g} s", "",
                             "see its screen, and check the length of the record before the trigger")

    def wait(self, timeout: float) -> None:
        """Returns once the record is complete; NoTrigger after `timeout` [s]."""
        if not self._poll("acquired", timeout):
            raise self.error(NoTrigger, f"no record was complete {timeout:g} s after arming", "a trigger",
                             "check that the timing is released and its EF output reaches AUX")

    def _poll(self, event: str, timeout: float) -> bool:
        deadline, pause = time.monotonic() + timeout, FIRST_POLL
        while not getattr(self, event):
            if time.monotonic() >= deadline:
                return False
            time.sleep(pause)
            pause = min(2 * pause, SLOWEST_POLL)
        return True

    def read(self, names: Iterable[str] | None = None) -> dict[str, Waveform]:
        """The record of the named channels, of all configured ones without names (answers are `hear`d).

        ProtocolError where the record is, bit for bit, the one before the last arming: noise never repeats.
        """
        found = {name: self.read_channel(self._names[name], name) for name in names or self._names}
        self._read |= {name: record.codes for name, record in found.items()}
        if all(name in self._before and np.array_equal(record.codes, self._before[name])
               and np.ptp(record.codes) for name, record in found.items()):
            raise self.error(ProtocolError, "the record is the previous one, bit for bit", "a new record",
                             "do not use this shot; check that the digitiser is triggered")
        return found

    def read_channel(self, number: int, name: str = "") -> Waveform:
        """One channel's record. ProtocolError where the block is not as long as the record."""
        with self.turn():
            self.source = number
            scale = self.preamble
            if not isinstance(scale, Preamble):
                raise self.spoilt(f"{scale!r} came as a preamble", "25 numbers separated by commas")
            self.write(":WAV:DATA?")
            codes = np.frombuffer(self.read_block(2 * scale.points), dtype="<i2")
        return Waveform(codes, scale.volts_per_code, scale.volts_at_zero, scale.start, scale.interval,
                        channel=name or f"CHAN{number}", bits=self._bits)

    def stop(self) -> None:
        """Wait for no trigger any more; the data stay."""
        self.write(":STOP")
        self.check_errors()

    def settings(self) -> dict[str, float | str | bool]:
        """Sample rate [Sa/s], points, seconds before the trigger, full scales and offsets [V], read back."""
        found = {"sample_rate": self.sample_rate, "points": self.points,
                 "pretrigger": -self.timebase_position}
        for name, number in self._names.items():
            channel = self.channels[number]
            found |= {f"{name}.full_scale": channel.full_scale, f"{name}.offset": channel.offset}
        return found

    def _to_safe_state(self) -> None:
        self.stop()

    def _read_safe_state(self) -> tuple[bool, str]:
        return True, f"receives only; {self.identity} answers"
