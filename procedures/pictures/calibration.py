"""The receive line against known powers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from twin.receiver import IMPEDANCE

from ..machinery.drawing.picture import Axis, Mark, Panel, Picture, Series, line, points, residuals
from ..machinery.storage.measured import Measured
from ..receiver_calibration import carrier, power_at_loop


def receiver_calibration(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]
                         ) -> Picture | None:
    """Log detector's volts with its line and residual in decibels; amplitude of the mixer's carrier."""
    receivers, panels = measured.description.receivers, []
    powers = np.array([power_at_loop(receivers["burst"], shot) for shot in measured.shots])
    at = Axis("power at the loop", "dBm")
    compressed = answer.get("compression_point")
    marks = () if compressed is None else (Mark("1 dB compressed", x=compressed),)
    if "slope" in answer:
        log, slope = receivers["log"], answer["slope"]
        volts = np.array([float(np.mean(shot.waveforms["log"].volts)) for shot in measured.shots])
        arriving = powers + 10.0 * math.log10(log.gain)
        seen = 10.0 * np.log10(10.0 ** (arriving / 10.0) + 10.0 ** (log.floor / 10.0))
        fitted = slope * (seen - answer["intercept"])
        told = f"{1e3 * slope:.2f} mV/dB, intercept {answer['intercept']:.2f} dBm"
        panels = [Panel(at, Axis("log detector", "V"), (points("mean of a record", powers, volts),
                                                         line(told, powers, fitted)), marks),
                  residuals(at, powers, (volts - fitted) / slope, "dB")]
    if receivers["burst"].detector == "if":
        amplitudes = np.array([carrier(receivers["burst"], shot) for shot in measured.shots])
        series: list[Series] = [points("carrier", powers, amplitudes)]
        if "conversion" in answer:
            watts = receivers["burst"].gain * 1e-3 * 10.0 ** (powers / 10.0)
            series.append(line(f"conversion {answer['conversion']:.3f} V/V", powers,
                               answer["conversion"] * np.sqrt(2.0 * IMPEDANCE * watts)))
        panels.append(Panel(at, Axis("amplitude behind the mixer", "V", log=True), tuple(series), marks, 0.8))
    return Picture("receive line by substitution", tuple(panels)) if panels else None
