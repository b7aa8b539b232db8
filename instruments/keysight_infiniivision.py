"""Driver of Keysight InfiniiVision oscilloscopes (1000 X to 6000 X): records of eight-bit codes.

PyMeasure's KeysightDSOX1102G knows no trigger and reads text only. Commands: InfiniiVision 1000 X-Series
programmer's guide (:TRIGger, :WAVeform, :AER?, :OPERegister:CONDition?).

It cannot choose its sample rate: that follows from screen, channels and memory, and a record is every
n-th sample. It takes one record per arming, no segments and no averages, and sets no impedance: most have
1 Mohm only, so end the cables in 50 ohm feed-throughs. Its reference cannot be asked whether it is locked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from . import keysight_oscilloscope as shared
from .keysight_oscilloscope import TRIGGER_LEVEL, KeysightOscilloscope, channel_number
from .scpi_instrument import SWITCH
from .waveform import Waveform

CHANNELS = (1, 2)
BITS, MIDDLE = 8, 128
HOLE, BELOW = 0, 1      # codes of a sample that is missing, and of one below the range
RUNNING = 8             # bit of the operation status register


class AnalogChannel(shared.AnalogChannel):
    """One analogue input."""

    coupling = Instrument.control(
        ":CHAN{ch}:COUP?", ":CHAN{ch}:COUP %s", """Control the coupling ("AC" or "DC").""",
        validator=strict_discrete_set, values=("AC", "DC"), cast=str, check_set_errors=True)

    impedance = Instrument.measurement(
        ":CHAN{ch}:IMP?", """Get the input impedance in ohm.""", values={50.0: "FIFT", 1e6: "ONEM"},
        map_values=True, preprocess_reply=lambda reply: reply.strip()[:4].upper(), cast=str)

    probe = Instrument.control(
        ":CHAN{ch}:PROB?", ":CHAN{ch}:PROB %.9g", """Control the attenuation that a probe is said to have.""",
        validator=strict_range, values=[0.1, 1e4], check_set_errors=True)

    bandwidth_limited = Instrument.control(
        ":CHAN{ch}:BWL?", ":CHAN{ch}:BWL %d", """Control whether a 25 MHz low-pass is in the way (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    inverted = Instrument.control(
        ":CHAN{ch}:INV?", ":CHAN{ch}:INV %d", """Control whether the signal is turned upside down (bool).""",
        validator=strict_discrete_set, values=SWITCH, map_values=True, cast=int, check_set_errors=True)

    def show_plainly(self) -> None:
        """Direct coupling, no probe, no low-pass, not inverted."""
        self.coupling, self.probe, self.bandwidth_limited, self.inverted = "DC", 1.0, False, False


class KeysightInfiniiVision(KeysightOscilloscope):
    """The InfiniiVision as a digitiser. It emits nothing; its safe state is stopped, data kept."""

    models = r"(?i)(DSO|MSO|EDU)-?X ?[1-6]"

    channels = Instrument.MultiChannelCreator(AnalogChannel, list(CHANNELS))

    acquisition_rate = Instrument.measurement(
        ":ACQ:SRAT?", """Get the rate in Sa/s at which it samples with what is set.""")

    acquisition_type = Instrument.control(
        ":ACQ:TYPE?", ":ACQ:TYPE %s", """Control the acquisition ("normal", "average", ...).""",
        validator=strict_discrete_set, map_values=True, cast=str, check_set_errors=True,
        values={"normal": "NORM", "average": "AVER", "high resolution": "HRES", "peak": "PEAK"})

    mode = Instrument.control(
        ":ACQ:MODE?", ":ACQ:MODE %s", """Control the acquisition mode ("real time" or "segmented").""",
        validator=strict_discrete_set, values={"real time": "RTIM", "segmented": "SEGM"}, map_values=True,
        preprocess_reply=lambda reply: reply.strip()[:4].upper(), cast=str, check_set_errors=True)

    points = Instrument.control(
        ":WAV:POIN?", ":WAV:POIN %d", """Control the samples of a record (int).""",
        validator=strict_range, values=[100, 1_000_000], cast=lambda reply: int(float(reply)), dynamic=True,
        check_set_errors=True)

    points_mode = Instrument.control(
        ":WAV:POIN:MODE?", ":WAV:POIN:MODE %s", """Control what is read ("NORM", "MAX" or "RAW").""",
        validator=strict_discrete_set, values=("NORM", "MAX", "RAW"), cast=str, check_set_errors=True)

    timebase_mode = Instrument.control(
        ":TIM:MODE?", ":TIM:MODE %s", """Control the timebase ("MAIN", "WIND", "XY" or "ROLL").""",
        validator=strict_discrete_set, values=("MAIN", "WIND", "XY", "ROLL"), cast=str, check_set_errors=True)

    trigger_source = Instrument.control(
        ":TRIG:EDGE:SOUR?", ":TRIG:EDGE:SOUR %s", """Control the source of the edge ("EXT", "CHAN1", ...).""",
        validator=strict_discrete_set, values=("EXT", "LINE", *(f"CHAN{n}" for n in CHANNELS)), cast=str,
        check_set_errors=True)

    trigger_slope = Instrument.control(
        ":TRIG:EDGE:SLOP?", ":TRIG:EDGE:SLOP %s", """Control the slope ("POS", "NEG" or "EITH").""",
        validator=strict_discrete_set, values=("POS", "NEG", "EITH"), cast=str, check_set_errors=True)

    trigger_sweep = Instrument.control(
        ":TRIG:SWE?", ":TRIG:SWE %s", """Control whether it waits for triggers ("triggered" or "auto").""",
        validator=strict_discrete_set, values={"triggered": "NORM", "auto": "AUTO"}, map_values=True,
        cast=str, check_set_errors=True)

    trigger_level = Instrument.control(
        ":TRIG:EDGE:LEV?", ":TRIG:EDGE:LEV %.6g", """Control the level of the edge in V.""",
        validator=strict_range, values=[-8, 8], dynamic=True, check_set_errors=True)

    acquired = Instrument.measurement(
        ":OPER:COND?", """Get whether no acquisition is under way (bool).""", cast=int,
        get_process=lambda status: not status & RUNNING)

    source = Instrument.control(
        ":WAV:SOUR?", ":WAV:SOUR CHAN%d", """Control the channel whose record is read (int).""",
        validator=strict_discrete_set, values=CHANNELS, preprocess_reply=channel_number, cast=int,
        check_set_errors=True)

    def __init__(self, adapter: Any, name: str = "Keysight InfiniiVision", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)
        self._points: int | None = None

    @property
    def sample_rate(self) -> float:
        """Get the samples per second of a record, those that are left out not counted."""
        return self.points / self.timebase_range

    @property
    def pretrigger(self) -> float:
        """Get the seconds of a record before the trigger, as `configure` sets them."""
        return 0.5 * self.timebase_range - self.timebase_position

    def configure(self, sample_rate: float, points: int, pretrigger: float,
                  channels: Mapping[str, tuple[int, float, float]], bits: int = BITS,
                  segments: int = 1, averages: int = 1) -> dict[str, float | str | bool]:
        """Set up records of `points` samples that begin `pretrigger` [s] before the trigger.

        `channels`: name -> (number, full scale [V], offset [V]); others are switched off. Returns what was
        read back, names as in `settings`. ValueError for other bits than 8, segments and averages; NotTaken
        where `sample_rate` [Sa/s] is not the rate of the instrument over a whole number.
        """
        if (bits, segments, averages) != (BITS, 1, 1):
            raise ValueError(f"bits, segments and averages: found {bits}, {segments} and {averages}; this "
                             f"digitiser has {BITS} bits and takes 1 record, of 1 trigger, per arming")
        self.write("*CLS")
        self.stop()
        length = points / sample_rate
        self._set_channels(channels)
        for number in self._names.values():
            self.channels[number].show_plainly()
        plan = {"acquisition_type": "normal", "mode": "real time", "timebase_mode": "MAIN",
                "timebase_reference": "centre", "timebase_range": length, "trigger_mode": "EDGE",
                "trigger_source": "EXT", "trigger_slope": "POS", "trigger_sweep": "triggered",
                "trigger_level": TRIGGER_LEVEL, "points_mode": "RAW"}
        for name, value in plan.items():
            self.put(name, value)
        self.put("timebase_position", 0.5 * length - pretrigger, absolute=1e-12)
        self._set_points(points, sample_rate)
        self._send_all(":WAV:FORM BYTE", ":WAV:UNS 1")
        return self.settings()

    def _set_points(self, points: int, sample_rate: float) -> None:
        """The samples of a record; they must be every n-th of those that it takes."""
        rate = self.acquisition_rate
        if abs(rate / sample_rate - max(1, round(rate / sample_rate))) > 1e-6:
            raise self.not_taken("acquisition_rate", rate, f"a multiple of {sample_rate:g} Sa/s")
        self._points = self.put("points", points)

    def read_channel(self, number: int, name: str = "") -> Waveform:
        """One channel's record. ProtocolError where it is not as long as was set, or has holes."""
        with self.turn():
            scale = self._preamble(number)
            if self._points not in (None, scale.points):
                raise self.spoilt(f"a preamble of {scale.points} samples came", f"{self._points} samples")
            self.write(":WAV:DATA?")
            sent = np.frombuffer(self.read_block(scale.points), dtype=np.uint8)
        if np.any(sent == HOLE):
            raise self.spoilt(f"a record with {np.count_nonzero(sent == HOLE)} holes came", "every sample")
        codes = np.where(sent == BELOW, 0, sent).astype(np.int16) - MIDDLE
        return Waveform(codes, scale.volts_per_code, scale.volts_at_zero + MIDDLE * scale.volts_per_code,
                        scale.start, scale.interval, channel=name or f"CHAN{number}", bits=BITS)
