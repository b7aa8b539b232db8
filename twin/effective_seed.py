"""The seed that a noisy build-up amounts to: what a fit of the mean field can be held against.

Thermal noise goes on kicking the mode while it is amplified. The linear stage has rank 1 by the
time anything is visible, so all of that equals ONE starting photon number, 30 to 85 % above the
thermal one on average: the seed with which the mean field meets the true trajectory at 1e11
photons. (Matching at 3e8 would be wrong: there the noise still moves the photon number by 10 %.)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .crossing import first_light
from .drive import Drive
from .pentacene import Parameters
from .problem import Problem

LEVEL = 1e11
"""Photon number at which the two must meet."""

_TRIES = 40


def effective_seed(parameters: Parameters, drive: Drive, photons: Any, times: Any,
                   level: float = LEVEL) -> float | None:
    """The seed [photons] with which the mean field reaches `level` when the trajectory (T,) first does.

    `times` [s] (T,) on the drive's clock. None if the trajectory never reaches `level`, starts above it, or
    comes so close to its peak there that no seed of the mean field does.
    """
    moment = _first_crossing(np.asarray(photons, float), np.asarray(times, float), level)
    if moment is None:
        return None
    log_seed = math.log(max(parameters.thermal_photons, 1.0))
    for _ in range(_TRIES):
        missing = math.log(level / _photons_at(parameters, drive, moment, math.exp(log_seed)))
        if abs(missing) < 1e-8:
            return math.exp(log_seed)
        # n is proportional to the seed until the inversion is touched, so this is Newton's step.
        log_seed += missing if abs(missing) < 20.0 else math.copysign(20.0, missing)
        if abs(log_seed) > 60.0:
            return None
    return math.exp(log_seed) if abs(missing) < 1e-3 else None


def _first_crossing(photons: np.ndarray, times: np.ndarray, level: float) -> float | None:
    """When the trajectory first reaches `level` [s]; growth is exponential, so ln n is interpolated."""
    above = photons >= level
    first = int(np.argmax(above))
    if not above.any() or first == 0:
        return None
    low, high = math.log(max(photons[first - 1], 1.0)), math.log(photons[first])
    share = (math.log(level) - low) / (high - low)
    return float(times[first - 1] + share * (times[first] - times[first - 1]))


def _photons_at(parameters: Parameters, drive: Drive, moment: float, seed: float) -> float:
    # The seed stands in the mode at the first light: before, the dark cavity stays in equilibrium.
    problem = Problem(parameters, drive, "mean_field", start=first_light(drive), seed_photons=seed)
    photons, _ = problem.solve(np.array([moment]), rtol=1e-9)
    return max(float(photons[0]), 1e-300)
