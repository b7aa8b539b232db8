"""Ringing after the burst: crystal and mode exchange their energy back and forth.

Mean field without losses is a pendulum, phi'' = g^2 N D sin phi with D the inversion: hanging (D < 0), its
field swings at g sqrt(N |D|), and the photon number, the field squared, at twice that, the splitting of the
normal modes 2 g sqrt(N |D|). A battery is a pendulum that starts upright: it swings all the way round and is
slower, by the logarithm of what it starts from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .charging import prominences
from .curve import Curve
from .problem import Problem


@dataclass(frozen=True, eq=False)
class Ringing:
    """`peak_times` [s] (P,) of the photon number's bursts and the `periods` [s] (P-1,) between them.

    frequency [rad/s] is that of the first period, nan with fewer than two bursts; normal_mode_splitting
    2 g sqrt(N |s55 - s33|) [rad/s] at the first burst, which the photon number rings at if it rings weakly.
    """

    peak_times: np.ndarray
    periods: np.ndarray
    frequency: float
    normal_mode_splitting: float

    @property
    def ratio(self) -> float:
        """frequency/normal_mode_splitting: 1 for small swings, less for large ones, never 2 or 1/2."""
        splitting = self.normal_mode_splitting
        return self.frequency / splitting if splitting > 0.0 else float("nan")


def ringing(pieces: Sequence[tuple[Problem, float]], rtol: float, prominence: float = 0.01) -> Ringing:
    """Bursts that stand out of the photon number by `prominence` of themselves, and how they follow."""
    p = pieces[-1][0].parameters
    curve = Curve(pieces, rtol)
    times, photons = curve.extrema(curve.photons)
    bursts = (prominences(photons) > prominence * photons) & (photons > 10.0 * p.thermal_photons)
    peaks = times[bursts]
    periods = np.diff(peaks)
    if not len(peaks):
        return Ringing(peaks, periods, float("nan"), float("nan"))
    inversion = abs(float(curve.value("s55", peaks[0]) - curve.value("s33", peaks[0])))
    frequency = 2.0 * np.pi / float(periods[0]) if len(periods) else float("nan")
    return Ringing(peaks, periods, frequency, 2.0 * p.collective_coupling * inversion**0.5)
