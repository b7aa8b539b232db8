"""The model that a fit evaluates: coordinates -> twin -> receiver -> volts, with exact derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from .after_pulse import AfterPulse, is_pulse
from .coordinates import Coordinates, Point
from .crossing import first_light
from .levenberg_marquardt import Evaluation
from .observation import Observation
from .problem import Problem
from .straightened import Straightened

_RTOL = {"modulus": 1e-6, "envelope": 1e-6, "log": 1e-8}
"""A log record weighs the growing flank, where a tolerance is amplified with the field."""


class BurstModel:
    """Callable for `minimise`: searched coordinates (k,) -> Evaluation on the samples of one record."""

    def __init__(self, seen: Observation, at: Coordinates, straight: Straightened, model: str, start: float,
                 model_error: float) -> None:
        self.seen, self.at, self.start, self.model_error = seen, at, start, model_error
        self.straight = straight
        self.light = first_light(at.drive)
        self.problem = _prepared(at, model, self.light)
        self.evaluations = 0
        self.rtol = _RTOL[seen.kind]
        names = at.names
        self.baseline_place = names.index("baseline")
        self.start_place = names.index("start") if "start" in names else -1
        self.amplitude_place = names.index("amplitude_scale") if "amplitude_scale" in names else -1

    def __call__(self, w: np.ndarray) -> Evaluation | None:
        u = self.straight.fitted(w)
        point = self.at.point(u, self.start, self.seen.baseline)
        found = None if point is None else self._evaluate(u, point, self.seen)
        return None if found is None else self.straight.evaluation(u, found)

    def _evaluate(self, u: np.ndarray, point: Point, seen: Observation) -> Evaluation | None:
        self.evaluations += 1
        photons, jacobian = self._photons(u, point, seen.time - point.start)
        if photons is None:
            return None
        found = seen.evaluate(photons, jacobian, point.baseline, self.baseline_place,
                              self.at.fitted[self.baseline_place].unit, self.model_error)
        beyond = self.at.beyond(u)
        mean = found.mean + found.jacobian @ beyond if np.any(beyond) else found.mean
        return Evaluation(mean, found.jacobian, found.weight)

    def _photons(self, u: np.ndarray, point: Point, times: np.ndarray) -> tuple[Any, Any]:
        """Photons at the receiver's scale (T,) and derivatives by the coordinates (T, k)."""
        first = int(np.searchsorted(times, self.light, side="right"))
        photons, jacobian = np.zeros(len(times)), np.zeros((len(times), len(u)))
        if first < len(times):
            found, slopes = self._solve(times[first:], point)
            if not (np.isfinite(found[-1]) and np.all(np.isfinite(slopes[-1]))):
                return None, None
            photons[first:] = point.amplitude_scale * found
            jacobian[first:] = slopes @ (point.amplitude_scale * self.at.chain(u, point))
        if self.amplitude_place >= 0:
            jacobian[:, self.amplitude_place] = photons
        if self.start_place >= 0:
            jacobian[first:, self.start_place] = -self.at.fitted[self.start_place].unit * rise(
                photons[first:], times[first:])
        return photons, jacobian

    def _solve(self, times: np.ndarray, point: Point) -> tuple[np.ndarray, np.ndarray]:
        if isinstance(self.problem, AfterPulse):
            return self.problem.solve(times, point.parameters, point.seed_photons, self.rtol)
        return self.problem.solve(times, point.parameters, point.drive, point.seed_photons, self.rtol)

    def line(self, u: np.ndarray, whole: Observation) -> tuple[np.ndarray, np.ndarray]:
        """Model [V] (T,) and its standard deviation [V] (T,) on all samples of a record."""
        point = self.at.point(u, self.start, self.seen.baseline)
        assert point is not None  # u is where a search ended
        times = whole.time - point.start
        first = int(np.searchsorted(times, self.light, side="right"))
        photons = np.zeros(len(times))
        if isinstance(self.problem, AfterPulse) and first < len(times):
            found, _ = self.problem.without_derivatives().solve(times[first:], point.parameters,
                                                                point.seed_photons, self.rtol)
            photons[first:] = point.amplitude_scale * found
        elif first < len(times):
            photons[first:] = point.amplitude_scale * self._solve(times[first:], point)[0]
        told = whole.everywhere().evaluate(photons, np.zeros((len(times), 1)), point.baseline, 0, 1.0,
                                           self.model_error)
        return told.mean, 1.0 / told.weight


def rise(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """d values/dt (T,), of sixth order where the times are even.

    A later start is nearly a smaller seed, so this column must be as exact as the seed's: differences of
    second order make the search creep along a slope that is not there.
    """
    v, steps = values, np.diff(times)
    if len(v) < 7 or np.ptp(steps) > 1e-6 * steps[0]:
        return np.gradient(v, times) if len(v) > 1 else np.zeros(len(v))
    found = np.empty(len(v))
    found[3:-3] = 45.0 * (v[4:-2] - v[2:-4]) - 9.0 * (v[5:-1] - v[1:-5]) + v[6:] - v[:-6]
    found[:3], found[-3:] = 60.0 * np.gradient(v[:7])[:3], 60.0 * np.gradient(v[-7:])[-3:]
    return found / (60.0 * steps[0])


def _prepared(at: Coordinates, model: str, light: float) -> Problem | AfterPulse:
    p, d, names = at.parameters, at.drive, at.engine_names
    if model == "mean_field" and is_pulse(d) and "pump_rate" not in names:
        return AfterPulse(p, d, names)
    return Problem(p, d, model, names, start=light, seed_photons=p.thermal_photons)
