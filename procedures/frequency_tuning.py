"""Emission against cavity: the piston moves the mode over the molecules' line, a burst is taken at each.

A burst shines neither at the cavity's frequency nor at the molecules' but between, nearer to the narrower
of the two: f = (kappa_c f_s + kappa_s f_c)/(kappa_c + kappa_s). The slope of emission against cavity is the
pulling; where both are equal lies the molecules' own line.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pymeasure.experiment import FloatParameter

from .machinery.acquire import ROLES
from .machinery.apparatus.tuning import MEASURED, Tuning
from .machinery.fitting.bursts import emission_frequency, has_burst
from .machinery.moving_scan import MovingScan
from .machinery.records import settings
from .machinery.records.about import About
from .machinery.records.points import Point, Points, along
from .machinery.records.shot import TUNED
from .machinery.storage.measured import Measured


class FrequencyTuning(MovingScan[Tuning]):
    """Tune the cavity with the piston: frequency of the emission against that of the cavity."""

    ROLES = (*ROLES, "tuner", "vna")
    MEASURED = MEASURED
    MOVER = Tuning
    ABOUT = About(swept="frequency of the mode, by the piston",
                  read="frequency and quality of the mode with the analyser, then burst and photodiode",
                  fitted="emission against cavity: a straight line",
                  drawn="emission against cavity frequency; spectra one above the other")

    shots = settings.shots(default=17)
    pump_energy = settings.pump_energy(default=3e-3)
    tuning_start = FloatParameter("First offset", units="Hz", default=-4e5, minimum=-1e8, maximum=1e8,
                                  description="of the mode, from where it is found")
    tuning_stop = FloatParameter("Last offset", units="Hz", default=4e5, minimum=-1e8, maximum=1e8,
                                 description="of the mode, from where it is found")
    repetition_rate = settings.repetition_rate()

    def points(self) -> Points:
        return along("tuning", np.linspace(self.tuning_start, self.tuning_stop, self.shots))

    def take(self, point: Point) -> None:
        offset = self.offset(point["tuning"], self.mover.home.frequency)
        self.acquisition.take(self.pump_energy, self.mover.move(offset).tuned())

    def offset(self, tuning: float, home: float) -> float:
        """How far [Hz] from `home` [Hz] the mode is to go for a point."""
        return tuning

    def answer(self, measured: Measured) -> dict[str, Any]:
        """`frequency_35` [rad/s] and `pulling_slope` of the straight line through all bursts."""
        return {**pulling(*emission_against_cavity(measured)), "verdicts": measured.rows.verdicts()}


def emission_against_cavity(measured: Measured) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies [Hz] of cavity and emission (bursts,)."""
    pairs = []
    for row in filter(has_burst, measured.rows.complete):
        emitted = emission_frequency(measured.description, measured.shots[row.number])
        if emitted is not None:
            pairs.append((row.settings[TUNED], emitted))
    found = np.array(pairs).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def pulling(cavity: np.ndarray, emission: np.ndarray) -> dict[str, float]:
    """{frequency_35 [rad/s], pulling_slope} with errors from the scatter; {} for fewer than three bursts."""
    if len(cavity) < 3 or np.ptp(cavity) == 0.0:
        return {}
    middle = float(np.mean(cavity))
    x, y = cavity - middle, emission - middle
    (slope, offset), spread = np.polyfit(x, y, 1), float(np.sum((x - x.mean()) ** 2))
    noise = math.sqrt(float(np.sum((y - slope * x - offset) ** 2)) / (len(x) - 2))
    slope_sigma, offset_sigma = noise / math.sqrt(spread), noise / math.sqrt(len(x))
    away = offset / (1.0 - slope)  # where emission and cavity are one
    sigma = math.hypot(offset_sigma, away * slope_sigma) / abs(1.0 - slope)
    return {"frequency_35": 2.0 * math.pi * (middle + away), "frequency_35_sigma": 2.0 * math.pi * sigma,
            "pulling_slope": float(slope), "pulling_slope_sigma": slope_sigma}
