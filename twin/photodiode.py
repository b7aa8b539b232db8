"""The monitor photodiode: what a pulse looks like on it, and energy and edge read back from it.

Its edge is the clock of a shot (the trigger jitters against the light), its area the pulse's energy.
Both sides use one pulse shape, a Gaussian as long as the laser's pulse and the diode's rise together.
Times are told as the first light of the pulse, which is where `optical_pump.pump_drive` starts; the
half height that an oscilloscope's cursor marks comes `OpticalPump.lead` later.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .optical_pump import LEAD
from .parameters import Record
from .quantity import quantity

_SEEN = 6.0  # a pulse is one whose area is this many standard deviations above nothing
_ROUNDS = 12
_ALIKE = 4e-8  # a smaller sine squared between pulse and derivative leaves energy and edge undetermined


class Pulse(NamedTuple):
    """A pulse found: energy [J], first light [s] (where `pump_drive` starts), their standard deviations."""

    energy: float
    start: float
    energy_sigma: float
    start_sigma: float


NO_PULSE = Pulse(math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Photodiode(Record):
    """The photodiode's channel. `fwhm` is the laser's, `rise_time` the diode's (10 to 90 %)."""

    volt_seconds_per_joule: float = quantity(1.4e-6, "V*s/J", 1e-15, 1e9, "area of the signal per energy")
    rise_time: float = quantity(1e-9, "s", 0.0, 1e-3, "10 to 90 % of the diode's own response")
    fwhm: float = quantity(5.5e-9, "s", 1e-12, 1e-3, "length of the laser's pulse")
    full_scale: float = quantity(1.6, "V", 1e-9, 1e6, "range of the converter")
    offset: float = quantity(0.7, "V", -1e6, 1e6, "middle of that range")
    noise_volts: float = quantity(0.8e-3, "V", 0.0, 1e6, "standard deviation before the converter")

    @property
    def seen_fwhm(self) -> float:
        """Length of the signal [s]: pulse and response, both Gaussian, in squares. 10-90 % is 1.088 FWHM."""
        return math.hypot(self.fwhm, self.rise_time / 1.088)

    def volts(self, times: np.ndarray, energy: float, start: float) -> np.ndarray:
        """Noise-free signal [V] of a pulse of `energy` [J] with first light at `start` [s]."""
        return energy * self.volt_seconds_per_joule * self._shape(np.asarray(times, float), start)[0]

    def read(self, times: np.ndarray, volts: np.ndarray) -> Pulse:
        """Energy and first light of a record's largest pulse, by a fit of its shape; NO_PULSE if none."""
        times, volts = np.asarray(times, float), np.asarray(volts, float)
        first = int(np.argmax(volts))
        reach = max(4, math.ceil(2.5 * self.seen_fwhm / (times[1] - times[0])))
        part = slice(max(0, first - reach), first + reach + 1)
        outside = np.concatenate([volts[: part.start], volts[part.stop:]])
        if outside.size < 20:
            return NO_PULSE
        dark, noise = self._darkness(outside)
        t, v = times[part], volts[part] - dark
        area = float(np.max(v)) * self.seen_fwhm * 1.064
        start = float(times[first]) - (LEAD + 0.5) * self.fwhm
        covariance = np.full((2, 2), math.inf)
        for _ in range(_ROUNDS):
            shape, slope = self._shape(t, start)
            jacobian = np.stack([shape, area * slope], axis=1)
            normal = jacobian.T @ jacobian
            if not normal[0, 1] ** 2 < (1.0 - _ALIKE) * normal[0, 0] * normal[1, 1]:  # one shape, not two
                return NO_PULSE
            covariance = _inverse(normal)
            step = covariance @ (jacobian.T @ (v - area * shape))
            area, start = area + step[0], start + float(np.clip(step[1], -self.fwhm, self.fwhm))
        sigma = noise * np.sqrt(np.diag(covariance))
        if not area > _SEEN * sigma[0] or not t[0] <= start + LEAD * self.fwhm <= t[-1]:
            return NO_PULSE
        per_joule = self.volt_seconds_per_joule
        return Pulse(float(area) / per_joule, start, float(sigma[0]) / per_joule, float(sigma[1]))

    def _shape(self, times: np.ndarray, start: float) -> tuple[np.ndarray, np.ndarray]:
        """Pulse of unit area [1/s] and its derivative by `start` [1/s2]."""
        width = self.seen_fwhm
        x = (times - start - (LEAD + 0.5) * self.fwhm) / width
        value = math.sqrt(4.0 * math.log(2.0) / math.pi) / width * np.exp(-4.0 * math.log(2.0) * x**2)
        return value, value * 8.0 * math.log(2.0) * x / width

    def _darkness(self, volts: np.ndarray) -> tuple[float, float]:
        """Mean and standard deviation of a record outside its pulse; a second pulse in it counts little."""
        steps = np.diff(np.unique(volts))
        rounding, middle = float(steps.min()) if len(steps) else 0.0, float(np.median(volts))
        reach = 5.0 * max(1.4826 * float(np.median(np.abs(volts - middle))), rounding)
        quiet = np.clip(volts, middle - reach, middle + reach)
        return float(quiet.mean()), max(float(quiet.std()), rounding / math.sqrt(12.0))


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Of a symmetric matrix of two rows, which NumPy's own takes many times as long for."""
    (a, b), (_, d) = matrix
    return np.array([[d, -b], [-b, a]]) / (a * d - b * b)
