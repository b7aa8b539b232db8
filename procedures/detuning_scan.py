"""Bursts against detuning: the same measurement as `frequency_tuning`, over all the range that still masers.

Offsets count from the line that the bench file declares, so that the scan is centred on the molecules and
not on where the cavity happens to stand; the bursts grow later and weaker towards both ends.
"""

from __future__ import annotations

import math

from pymeasure.experiment import FloatParameter

from .frequency_tuning import FrequencyTuning
from .machinery.records import settings


class DetuningScan(FrequencyTuning):
    """Detune the cavity from the molecules: bursts and their frequency, from end to end."""

    shots = settings.shots(default=25)
    tuning_start = FloatParameter("First detuning", units="Hz", default=-1.2e6, minimum=-1e8, maximum=1e8,
                                  description="cavity less declared molecules")
    tuning_stop = FloatParameter("Last detuning", units="Hz", default=1.2e6, minimum=-1e8, maximum=1e8,
                                 description="cavity less declared molecules")

    def offset(self, tuning: float, home: float) -> float:
        line = self.acquisition.bench.description.expected.parameters.frequency_35 / (2.0 * math.pi)
        return tuning + line - home
