"""Bursts from a seed: a tone in the mode before the light, and how much earlier it makes the burst.

Growth is exponential until the inversion is used up, so each factor in the seed's photons saves the same
time: the delay is a straight line in the logarithm of the tone's power, and its slope is the inverse of
the growth rate 2 lambda of the photon number (Salvadori, Sci. Rep. 7, 41836). It is the mean rate over the
delays seen, a few per cent below that right after the pulse, as the triplets decay meanwhile.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .machinery import settings
from .machinery.acquire import ROLES
from .machinery.bursts import delay
from .machinery.measured import Measured
from .machinery.straight_line import straight_line
from .single_shot import SingleShot


class SeededDelay(SingleShot):
    """Seed the bursts with a tone of stepped power: delay against photons, growth rate."""

    ROLES = (*ROLES, "microwave")

    shots = settings.shots(default=15)
    pump_energy = settings.pump_energy(default=3e-3)
    power_start = settings.power("First power", -70.0, "level of the source at the first shot")
    power_stop = settings.power("Last power", -35.0, "level of the source at the last shot")

    def execute(self) -> None:
        bench = self.acquisition.bench
        tone = bench.radiate("microwave", bench.description.receivers["burst"].frequency,
                             min(self.power_start, self.power_stop))
        source = bench.roles["microwave"]
        for power in np.linspace(self.power_start, self.power_stop, self.shots):
            if self.should_stop():
                return
            source.power = float(power)
            self.acquisition.take(self.pump_energy, tone | {"microwave.power": source.power})
        self.acquisition.finish()

    def answer(self, measured: Measured) -> dict[str, Any]:
        """`growth_rate` [1/s] of the photon number; {} for fewer than three bursts."""
        found = [(shot.settings["microwave.power"], delay(measured.description, shot))
                 for shot in measured.shots]
        points = np.array([(power, late) for power, late in found if late is not None]).reshape(-1, 2)
        line = straight_line(0.1 * math.log(10.0) * points[:, 0], points[:, 1])
        if line is None or line.slope >= 0.0:
            return {}
        return {"growth_rate": -1.0 / line.slope, "growth_rate_sigma": line.slope_sigma / line.slope**2}
