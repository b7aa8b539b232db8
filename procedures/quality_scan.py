"""Threshold against quality: the loop loads the cavity, bursts tell where masing would start.

A mode that loses photons faster needs more molecules to begin: at threshold C = 1, and C = 2 g^2 dN/(kappa
Gamma), so that the inversion at threshold, and with it the energy of a pulse that bleaches little, goes with
kappa, as 1/Q_L. Q_L and coupling are measured with the network analyser at every depth of the loop; from
there the fit starts, and tells how far a burst was above threshold from coupling, decay and dephasing. A
deeper loop also lets more power out, P = hbar omega kappa_ext n, which the pulse energy must leave room for.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pymeasure.experiment import FloatParameter

from twin.bench_description import BenchDescription

from .machinery.acquire import ROLES
from .machinery.apparatus.tuning import MEASURED_LOADED, Loading
from .machinery.moving_scan import MovingScan
from .machinery.records import settings
from .machinery.records.about import About
from .machinery.records.points import Point, Points, along
from .machinery.records.rows import Row
from .machinery.records.shot import LOADED
from .machinery.storage.measured import Measured
from .pump_threshold import threshold_energy

_FROM_THE_FIT = {"collective_coupling": 2.0, "cavity_decay": 1.0, "dephasing_35": 1.0}
"""Powers with which the errors of the model enter the threshold energy, in magnitude."""


class QualityScan(MovingScan[Loading]):
    """Load the cavity with the loop: threshold energy against its loaded quality."""

    ROLES = (*ROLES, "loop", "vna")
    MEASURED = MEASURED_LOADED
    MOVER = Loading
    ABOUT = About(swept="loaded quality of the mode, by the depth of the loop, evenly in 1/Q_L",
                  read="frequency, quality and coupling with the network analyser, then burst and photodiode",
                  fitted="every burst with the twin; slope s [J] of threshold energy against 1/Q_L",
                  drawn="threshold energy against 1/Q_L, every shot")

    shots = settings.shots(default=16)
    pump_energy = settings.pump_energy(default=1e-3)
    quality_start = FloatParameter("First quality", default=8000.0, minimum=1.0, maximum=1e9,
                                   description="loaded; less than the cavity's own")
    quality_stop = FloatParameter("Last quality", default=3000.0, minimum=1.0, maximum=1e9,
                                  description="loaded; less than the cavity's own")
    repetition_rate = settings.repetition_rate()

    def points(self) -> Points:
        widths = np.linspace(1.0 / self.quality_start, 1.0 / self.quality_stop, self.shots)
        return along("quality", 1.0 / widths)

    def take(self, point: Point) -> None:
        self.acquisition.take(self.pump_energy, self.mover.move(point["quality"]).loaded())

    def answer(self, measured: Measured) -> dict[str, Any]:
        """`threshold_per_quality` [J]: s of E_th = s/Q_L, mean over the shots; `exponent` x of E_th ~ Q_L^-x,
        which is 1 where nothing else changes with the loop; and `amplitude_scale`, the power that was seen
        over hbar omega kappa_ext n with the measured kappa_ext: 1 at every depth where that holds."""
        found, answer = thresholds(measured), dict[str, Any](verdicts=measured.rows.verdicts())
        answer["bursts"] = len(found)
        if not len(found):
            return answer
        model = _from_model(measured.description.expected.model_error)
        quality, energy = found.T
        rows = _loaded(measured)
        return {**per_quality(quality, energy, model), **exponent(quality, energy), **_scale(rows), **answer}


def _loaded(measured: Measured) -> list[Row]:
    """Resolved bursts of a mode whose quality was measured."""
    return [row for row in measured.rows.resolved() if math.isfinite(row.settings.get(LOADED, math.nan))]


def thresholds(measured: Measured) -> np.ndarray:
    """Loaded quality and threshold energy [J] that each resolved burst tells, (N, 2)."""
    pairs = [(row.settings[LOADED], _threshold(row, measured.description)) for row in _loaded(measured)]
    return np.array([pair for pair in pairs if pair[1] is not None], float).reshape(-1, 2)


def _threshold(row: Row, bench: BenchDescription) -> float | None:
    """The energy [J] at which this mode would begin to maser, from one burst far above that."""
    return threshold_energy([row], bench).get("threshold_energy")


def _scale(rows: list[Row]) -> dict[str, float]:
    """{amplitude_scale, amplitude_scale_sigma}, mean over shots at all depths; {} where it was not told."""
    found = [row.fit.parameters["amplitude_scale"] for row in rows
             if row.fit and "amplitude_scale" in row.fit.parameters]
    if len(found) < 2:
        return {}
    return {"amplitude_scale": float(np.mean(found)),
            "amplitude_scale_sigma": float(np.std(found, ddof=1)) / math.sqrt(len(found))}


def _from_model(errors: Any) -> float:
    """Relative error of every threshold alike, from what [expected.model_error] says of the fit's numbers."""
    return math.hypot(*(power * errors.get(name, 0.0) for name, power in _FROM_THE_FIT.items()))


def per_quality(quality: np.ndarray, energy: np.ndarray, model: float) -> dict[str, float]:
    """{threshold_per_quality, its sigma} [J] of thresholds (N,) [J] at loaded qualities (N,).

    The scatter of the shots, and a relative error `model` that all share.
    """
    products = energy * quality
    mean = float(np.mean(products))
    scatter = float(np.std(products, ddof=1)) / math.sqrt(len(products)) if len(products) > 1 else 0.0
    return {"threshold_per_quality": mean, "threshold_per_quality_sigma": math.hypot(scatter, model * mean)}


def exponent(quality: np.ndarray, energy: np.ndarray) -> dict[str, float]:
    """{exponent, exponent_sigma} x of E_th ~ Q_L^-x; {} where the quality was hardly changed."""
    x, y = np.log(quality), np.log(energy)
    if len(x) < 3 or np.ptp(x) < 0.05:
        return {}
    slope, offset = np.polyfit(x, y, 1)
    noise = math.sqrt(float(np.sum((y - slope * x - offset) ** 2)) / (len(x) - 2))
    spread = math.sqrt(float(np.sum((x - x.mean()) ** 2)))
    return {"exponent": -float(slope), "exponent_sigma": noise / spread}
