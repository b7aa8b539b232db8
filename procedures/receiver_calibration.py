"""The receive line by substitution: a source of known power, far off the mode: the loop sends all back.

The laser stays off. The power goes up in steps of 1 dB; the logarithmic detector answers with a straight
line, the mixer with an amplitude that grows as the square root, until something compresses.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pymeasure.experiment import FloatParameter

from twin.calibration import carrier_amplitude, compression, conversion, log_line, reflected
from twin.receiver import Receiver

from .machinery.acquire import ROLES
from .machinery.records import settings
from .machinery.records.about import About
from .machinery.records.points import Point, Points, along
from .machinery.records.shot import Shot
from .machinery.scan import DarkWalk
from .machinery.storage.measured import Measured

POWER, FREQUENCY = "microwave.power", "microwave.frequency"
BACK_OFF = 10.0     # [dB] below the compression point a line is straight to some thousandths


class ReceiverCalibration(DarkWalk):
    """Step a known power through the receive line: slope, intercept, conversion, compression."""

    ROLES = (*ROLES, "microwave")
    ABOUT = About(swept="power of the microwave source, far off the mode",
                  read="burst channel and logarithmic detector, in the dark",
                  fitted="straight line of volts against dBm; amplitude against the root of the power; where "
                         "that compresses",
                  drawn="residuals against power in dBm")

    shots = settings.shots(default=45)
    frequency_offset = FloatParameter("Offset", units="Hz", default=6e6, minimum=-1e9, maximum=1e9,
                                      description="of the source from the line's frequency: many line widths")
    power_start = settings.power("power at the loop", -54.0, "First power")
    power_stop = settings.power("power at the loop", -10.0, "Last power")
    repetition_rate = settings.repetition_rate(default=20.0)

    def points(self) -> Points:
        return along("power", np.linspace(self.power_start, self.power_stop, self.shots))

    def prepare(self) -> None:
        bench = self.acquisition.bench
        source, line = bench.roles["microwave"], bench.description.receivers["burst"].frequency
        source.frequency, source.gated = line + self.frequency_offset, False
        source.power = self.power_start
        self._tone = {FREQUENCY: source.frequency, "microwave.output": 1.0}
        self.acquisition.switch_on("microwave")
        source.settle()

    def take(self, point: Point) -> None:
        source = self.acquisition.bench.roles["microwave"]
        source.power = point["power"]
        self.acquisition.take_dark(self._tone | {POWER: float(source.power)})

    def conclude(self) -> None:
        self.acquisition.bench.roles["microwave"].output = False

    def answer(self, measured: Measured) -> dict[str, Any]:
        """`slope` [V/dB] and `intercept` [dBm] of the log detector, `conversion` of the mixer, and, where
        something compresses, `compression_point` [dBm at the loop]."""
        receivers, answer = measured.description.receivers, dict[str, Any](verdict="OK")
        shots = sorted(measured.shots, key=lambda shot: shot.settings[POWER])
        powers = np.array([power_at_loop(receivers["burst"], shot) for shot in shots])
        if len(powers) < 5:
            return {"verdict": "too few steps"}
        straight = np.ones(len(powers), bool)
        if receivers["burst"].detector == "if":
            volts = np.array([carrier(receivers["burst"], shot) for shot in shots])
            answer |= compression(powers, volts)
            straight = powers < answer.get("compression_point", np.inf) - BACK_OFF
            answer |= conversion(powers[straight], volts[straight], receivers["burst"])
        if "log" in receivers and "log" in shots[0].waveforms:
            means = np.array([float(np.mean(shot.waveforms["log"].volts)) for shot in shots])
            answer |= log_line(powers[straight], means[straight], receivers["log"])
        return answer


def power_at_loop(receiver: Receiver, shot: Shot) -> float:
    """Power [dBm] that leaves the loop for the line."""
    return shot.settings[POWER] + reflected(receiver, shot.settings[FREQUENCY] - receiver.frequency)


def carrier(receiver: Receiver, shot: Shot) -> float:
    """Amplitude of the recorded carrier [V], which lies as far from the intermediate frequency as the source
    from the line."""
    away = shot.settings[FREQUENCY] - receiver.frequency
    return carrier_amplitude(shot.waveform.time, shot.waveform.volts, receiver.carrier_frequency + away)
