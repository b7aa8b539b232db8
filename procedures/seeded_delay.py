"""Delay against seed: a weak tone in the cavity starts the burst earlier, the more photons it holds.

A burst grows exponentially from what it finds, so that its delay falls by the same time for every factor in
the seed: d delay/d ln n = -1/(growth rate of the photon number). The source stays on while the laser fires.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .machinery.acquire import ROLES
from .machinery.fitting.bursts import delay
from .machinery.records import settings
from .machinery.records.about import About
from .machinery.records.points import Point, Points, along
from .machinery.scan import Scan
from .machinery.storage.measured import Measured

POWER = "microwave.power"
ABOVE_THERMAL = 3.0     # of the thermal photons: weaker tones are drowned by them


class SeededDelay(Scan):
    """Seed bursts with a weak tone of stepped power: growth rate of the photon number."""

    ROLES = (*ROLES, "microwave")
    ABOUT = About(swept="power of a weak tone on the mode",
                  read="burst and photodiode",
                  fitted="delay against the logarithm of the power, above the thermal photons",
                  drawn="delay against power in dBm, every shot")

    shots = settings.shots(default=24)
    pump_energy = settings.pump_energy(default=3e-3)
    frequency = settings.frequency("of the source, on the mode")
    power_start = settings.power("at the loop", -100.0, "First power")
    power_stop = settings.power("at the loop", -60.0, "Last power")
    repetition_rate = settings.repetition_rate()

    def points(self) -> Points:
        return along("power", np.linspace(self.power_start, self.power_stop, self.shots))

    def prepare(self) -> None:
        source = self.acquisition.bench.roles["microwave"]
        source.frequency, source.power, source.gated = self.frequency, self.power_start, False
        self.acquisition.switch_on("microwave")
        source.settle()
        self._tone = {"microwave.frequency": source.frequency, "microwave.output": 1.0}

    def take(self, point: Point) -> None:
        source = self.acquisition.bench.roles["microwave"]
        source.power = point["power"]
        self.acquisition.take(self.pump_energy, self._tone | {POWER: float(source.power)})

    def conclude(self) -> None:
        self.acquisition.bench.roles["microwave"].output = False

    def answer(self, measured: Measured) -> dict[str, Any]:
        """`growth_rate` [1/s] of the photon number, from the straight line of delay against ln power."""
        powers, delays, strong = seeded(measured)
        x, y = powers[strong] * math.log(10.0) / 10.0, delays[strong]
        answer: dict[str, Any] = {"bursts": len(x), "verdicts": measured.rows.verdicts()}
        if len(x) < 4:
            return answer
        (slope, offset), spread = np.polyfit(x, y, 1), float(np.sum((x - x.mean()) ** 2))
        noise = math.sqrt(float(np.sum((y - slope * x - offset) ** 2)) / (len(x) - 2) / spread)
        if slope >= -2.0 * noise:
            return answer
        return {"growth_rate": -1.0 / float(slope), "growth_rate_sigma": noise / slope**2, **answer}


def seeded(measured: Measured) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Powers [dBm] and delays [s] of all bursts (N,), and which tones stand above the thermal photons."""
    pairs = np.array([(shot.settings[POWER], seconds) for shot in measured.shots
                      if (seconds := delay(measured.description, shot)) is not None]).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1], _photons(measured, pairs[:, 0]) > ABOVE_THERMAL * _thermal(measured)


def _thermal(measured: Measured) -> float:
    return measured.description.expected.parameters.thermal_photons


def _photons(measured: Measured, powers: np.ndarray) -> np.ndarray:
    """Photons of a tone of `powers` [dBm] on the declared mode: 4 kappa_ext P/(hbar omega kappa^2)."""
    receiver, p = measured.description.receivers["burst"], measured.description.expected.parameters
    arriving = 1e-3 * 10.0 ** (powers / 10.0) * receiver.external_decay / receiver.watts_per_photon
    return 4.0 * receiver.external_decay * arriving / p.cavity_decay**2
