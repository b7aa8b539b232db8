"""What drivers of Keysight oscilloscopes share: arming with a look at the armed bit, waiting, whole records.

The families differ in their acquisition and trigger commands and in how samples are coded; :AER?, the
preamble's order and the analogue channels are the same in all of them.
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
from .scpi_instrument import SWITCH, Guarded, GuardedChannel
from .waveform import Waveform

TRIGGER_LEVEL = 1.25                # [V] half of what the delay generator gives
ARM_TIME = 2.0                      # [s] within which it must be ready for a trigger
FIRST_POLL, SLOWEST_POLL = 2e-4, 5e-3      # [s]


@dataclass(frozen=True, slots=True)
class Preamble:
    """What the codes of a record mean: samples, time [s] and volts [V]."""

    points: int
    interval: float
    start: float
    volts_per_code: float
    volts_at_zero: float

    @classmethod
    def of(cls, answer: str) -> Preamble | None:
        """From the answer to :WAV:PRE?; None where its fields are too few or no numbers.

        In order: format, type, points, count, X increment, origin, reference, Y the same, and more.
        """
        fields = answer.split(",")[:10]
        try:
            _, _, points, _, interval, start, first, volts, zero, reference = map(float, fields)
        except ValueError:
            return None
        return cls(int(points), interval, start - first * interval, volts, zero - reference * volts)


def channel_number(reply: str) -> str:
    """The number in a reply such as `CHAN2` or `CHANnel2`."""
    return reply.strip().upper().removeprefix("CHANNEL").removeprefix("CHAN")


class AnalogChannel(GuardedChannel):
    """One analogue input."""

    display = Instrument.control(
        ":CHAN{ch}:DISP?", ":CHAN{ch}:DISP %d", """Control whether the channel is on (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    full_scale = Instrument.control(
        ":CHAN{ch}:RANG?", ":CHAN{ch}:RANG %.9g", """Control the full scale of eight divisions in V.""",
        validator=strict_range, values=[8e-3, 40], dynamic=True, check_set_errors=True)

    scale = Instrument.control(
        ":CHAN{ch}:SCAL?", ":CHAN{ch}:SCAL %.9g", """Control the volts per division in V.""",
        validator=strict_range, values=[1e-3, 5], dynamic=True, check_set_errors=True)

    offset = Instrument.control(
        ":CHAN{ch}:OFFS?", ":CHAN{ch}:OFFS %.9g", """Control the voltage at the centre of the screen in V.""",
        validator=strict_range, values=[-40, 40], dynamic=True, check_set_errors=True)

    def set_range(self, full_scale: float, offset: float) -> None:
        """Set full scale and offset [V]; NotTaken where they read back otherwise."""
        self.full_scale, self.offset = full_scale, offset
        found = self.full_scale, self.offset
        wanted = full_scale, offset
        if not np.allclose(found, wanted, rtol=1e-6, atol=1e-9):
            raise self.parent.not_taken(f"channel {self.id} (full scale, offset)", found, wanted)


class KeysightOscilloscope(Guarded, SCPIMixin, Instrument):
    """A Keysight oscilloscope as a digitiser. It emits nothing; its safe state is stopped, data kept.

    A family adds `acquired`, `configure` and `read_channel`. `forgetting` asks for the events of earlier
    shots, which clears them.
    """

    forgetting: ClassVar[str] = ":AER?"

    session_settings: ClassVar[dict[str, str]] = {"read_termination": "\n", "write_termination": "\n"}
    channels: Mapping[int, Any]

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

    armed = Instrument.measurement(
        ":AER?", """Get whether it has become ready for a trigger (bool); asking clears it.""",
        cast=int, get_process=bool)

    preamble = Instrument.measurement(
        ":WAV:PRE?", """Get what the codes of the selected record mean (Preamble).""", separator=None,
        cast=str, get_process=lambda answer: Preamble.of(answer))

    def __init__(self, adapter: Any, name: str, **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)
        self._names: dict[str, int] = {}
        self._read: dict[str, np.ndarray] = {}      # codes since the last arming, and before it
        self._before: dict[str, np.ndarray] = {}

    def read_channel(self, number: int, name: str = "") -> Waveform:
        """One channel's record. ProtocolError where the block is not as long as the record."""
        raise NotImplementedError(f"{type(self).__name__} cannot read records")

    def _set_channels(self, wanted: Mapping[str, tuple[int, float, float]]) -> None:
        """Switch on the inputs of {name: (number, full scale [V], offset [V])} and no others.

        Records of an earlier set-up are forgotten: software instruments give them again for the same seed.
        """
        ranges = {number: (full_scale, offset) for number, full_scale, offset in wanted.values()}
        for number, channel in self.channels.items():
            channel.display = number in ranges
            if number in ranges:
                channel.set_range(*ranges[number])
        self._names = {name: number for name, (number, _, _) in wanted.items()}
        self._read, self._before = {}, {}

    def _send_all(self, *commands: str) -> None:
        """Commands that no property stands for, each with a look at the error queue."""
        for command in commands:
            self.write(command)
            self.check_errors()

    def arm(self) -> None:
        """Ready for a trigger; returns once it would be taken, so that no shot is fired too early."""
        self._before, self._read = self._read or self._before, {}
        with self.turn():
            self.ask(self.forgetting)
            self._send_all(":SING")
        if not self._poll("armed", ARM_TIME):
            raise self.error(InstrumentTimeout, f"it was not ready for a trigger after {ARM_TIME:g} s", "",
                             "see its screen, and check the length of the record before the trigger")

    def wait(self, timeout: float) -> None:
        """Returns once the record is complete; NoTrigger after `timeout` [s]."""
        if not self._poll("acquired", timeout):
            raise self.error(NoTrigger, f"{self._incomplete()} {timeout:g} s after arming", "a trigger",
                             "check that the timing is released and its EF output reaches the trigger input")

    def _incomplete(self) -> str:
        return "no record was complete"

    def _poll(self, event: str, timeout: float) -> bool:
        began = time.monotonic()
        while not getattr(self, event):
            waited = time.monotonic() - began
            if waited >= timeout:
                return False
            time.sleep(min(max(waited / 3.0, FIRST_POLL), SLOWEST_POLL))
        return True

    def read(self, names: Iterable[str] | None = None) -> dict[str, Waveform]:
        """The record of the named channels, of all configured ones without names (answers are `hear`d).

        ProtocolError where the record is, bit for bit, the one before the last arming: noise never repeats.
        """
        found = {name: self.read_channel(self._names[name], name) for name in names or self._names}
        self._read |= {name: record.codes for name, record in found.items()}
        if repeats(found, self._before):
            raise self.error(ProtocolError, "the record is the previous one, bit for bit", "a new record",
                             "do not use this shot; check that the digitiser is triggered")
        return found

    def _preamble(self, number: int) -> Preamble:
        """Select a channel, make sure that it is selected, and learn what its codes mean: one exchange."""
        answer = self.ask(f":WAV:SOUR CHAN{number};SOUR?;PRE?")
        source, _, preamble = answer.partition(";")
        if source.strip().upper() not in (f"CHAN{number}", f"CHANNEL{number}"):
            raise self.not_taken("source", source, f"CHAN{number}")
        scale = Preamble.of(preamble)
        if scale is None:
            raise self.spoilt(f"{preamble!r} came as a preamble", "numbers separated by commas")
        return scale

    def stop(self) -> None:
        """Wait for no trigger any more; the data stay."""
        self._send_all(":STOP")

    def settings(self) -> dict[str, float | str | bool]:
        """Sample rate [Sa/s], points, seconds before the trigger, and of each channel full scale, offset [V]
        and impedance [ohm], read back."""
        found = {"sample_rate": self.sample_rate, "points": self.points, "pretrigger": self.pretrigger}
        for name, number in self._names.items():
            channel = self.channels[number]
            found |= {f"{name}.full_scale": channel.full_scale, f"{name}.offset": channel.offset,
                      f"{name}.impedance": channel.impedance}
        return found

    def _to_safe_state(self) -> None:
        self.stop()

    def _read_safe_state(self) -> tuple[bool, str]:
        return True, f"receives only; {self.identity} answers"


def repeats(found: Mapping[str, Waveform], before: Mapping[str, np.ndarray]) -> bool:
    """Whether every record is, bit for bit, the codes before it, and not flat in any channel."""
    return all(name in before and np.array_equal(record.codes, before[name]) and np.ptp(record.codes)
               for name, record in found.items())
