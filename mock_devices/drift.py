"""How the cavity drifts: a random walk and the room's temperature, by physical time and seed alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twin.pentacene import BOLTZMANN, HBAR, Parameters

from .streams import stream


@dataclass(frozen=True)
class DriftRates:
    """`walk` [Hz after one minute], `temperature_coefficient` [Hz/K], its swing [K], its period [s]."""

    walk: float = 60e3
    temperature_coefficient: float = 2.73e6
    swing: float = 0.01
    period: float = 1200.0


class Drift:
    """Offset of the cavity's frequency [Hz], moved on shot by shot; restarts at 0 with every run."""

    def __init__(self, rates: DriftRates) -> None:
        self._rates = rates
        self.restart(0)

    def restart(self, seed: int) -> None:
        """A new run: physical time 0, the walk's stream from the run's seed."""
        self._random = stream(seed, "drift")
        self._phase = 2.0 * math.pi * self._random.random()
        self._walked = self._time = 0.0

    def offset(self, time: float) -> float:
        """Offset [Hz] at a physical time [s] that never goes back."""
        rates = self._rates
        elapsed = max(0.0, time - self._time)
        if elapsed:
            self._walked += rates.walk * math.sqrt(elapsed / 60.0) * self._random.normal()
            self._time = time
        return self._walked + rates.temperature_coefficient * (self.warming(time) - self.warming(0.0))

    def warming(self, time: float) -> float:
        """Above the mean temperature by this much [K] at a physical time [s]."""
        rates = self._rates
        return rates.swing * math.sin(2.0 * math.pi * time / rates.period + self._phase)


def mode_temperature(parameters: Parameters) -> float:
    """The bench's mean temperature [K]: the one at which the mode holds its thermal photons (Bose)."""
    p = parameters
    return HBAR * p.cavity_frequency / (BOLTZMANN * math.log1p(1.0 / p.thermal_photons))
