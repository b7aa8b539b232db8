"""The cavity's decay by letting it ring: a tone fills the mode, the gate cuts it off, the field dies away.

The laser stays off. The source is pulsed by the output GH, so that its falling edge and not the source's own
switch ends the tone; from then on the loop radiates the mode alone, whose amplitude falls as
exp(-kappa t/2), 4.343 kappa in decibels per second. It is read where phase and noise are known best, in the
envelope of the burst channel, so that no detector's slope enters.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pymeasure.experiment import Procedure

from twin.bench_description import BenchDescription

from .machinery import settings
from .machinery.acquire import Acquisition
from .machinery.bursts import burst_envelope
from .machinery.measured import Measured
from .machinery.rows import COLUMNS
from .machinery.shot import Shot
from .machinery.straight_line import straight_line

FILLED, CUT = -30e-6, 1e-6  # [s after the trigger] the gate rises and falls
_FILTER = 0.2e-6  # [s] after the cut in which the envelope's filter still sees the tone
_CLEAR = 10.0  # times the noise of the envelope, down to which its logarithm is straight


class RingDown(Procedure):
    """Fill the cavity through the gate, cut the tone off and watch it ring: decay of the cavity."""

    ROLES = ("timing", "digitiser", "microwave")
    GATE = "microwave"
    DATA_COLUMNS = COLUMNS
    acquisition: Acquisition

    shots = settings.shots(default=10)
    power = settings.power(default=-8.0)
    repetition_rate = settings.repetition_rate()

    def startup(self) -> None:
        self.acquisition.begin(self, light=False)

    def execute(self) -> None:
        bench = self.acquisition.bench
        mode = bench.description.receivers["burst"].frequency
        tone = bench.radiate("microwave", mode, self.power, gated=True)
        for _ in range(self.shots):
            if self.should_stop():
                return
            self.acquisition.take_dark(tone, gate=(FILLED, CUT))
        self.acquisition.finish()

    def shutdown(self) -> None:
        self.acquisition.end()

    def answer(self, measured: Measured) -> dict[str, Any]:
        """`cavity_decay` [rad/s], the mean over all records; {} where nothing rang."""
        found = [decay(measured.description, shot) for shot in measured.shots]
        pairs = np.array([pair for pair in found if pair is not None]).reshape(-1, 2)
        if not len(pairs):
            return {}
        weight = pairs[:, 1] ** -2
        mean = float(np.sum(weight * pairs[:, 0]) / np.sum(weight))
        return {"cavity_decay": mean, "cavity_decay_sigma": float(np.sum(weight)) ** -0.5}


def decay(description: BenchDescription, shot: Shot) -> tuple[float, float] | None:
    """kappa [rad/s] and its error from one record; None where too little of the decay stands clear."""
    time, volts, sigma = burst_envelope(description, shot)
    cut = shot.settings["timing.gate_stop"] - shot.settings["timing.digitiser_delay"] + _FILTER
    faint = np.flatnonzero((time > cut) & (volts < _CLEAR * sigma))
    rings = (time > cut) & (time < (time[faint[0]] if len(faint) else math.inf))
    line = straight_line(time[rings], np.log(volts[rings]), sigma / volts[rings])
    return None if line is None or line.slope >= 0.0 else (-2.0 * line.slope, 2.0 * line.slope_sigma)
