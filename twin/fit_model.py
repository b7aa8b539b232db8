"""The model that a fit evaluates: coordinates -> twin -> receiver -> volts, with exact derivatives."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .coordinates import Coordinates, Point
from .crossing import first_light
from .drive import Drive
from .levenberg_marquardt import Evaluation
from .observation import Observation
from .pentacene import Parameters
from .problem import Problem

_RTOL = 1e-6


class BurstModel:
    """Callable for `minimise`: coordinates (k,) -> Evaluation on the samples of one record."""

    def __init__(self, seen: Observation, at: Coordinates, model: str, start: float, model_error: float) -> None:
        self.seen, self.at, self.start, self.model_error = seen, at, start, model_error
        self.light = first_light(at.drive)
        self.problem = _prepared(at, model, self.light)
        self.evaluations = 0
        names = at.names
        self.baseline_place = names.index("baseline")
        self.start_place = names.index("start") if "start" in names else -1
        self.amplitude_place = names.index("amplitude_scale") if "amplitude_scale" in names else -1

    def __call__(self, u: np.ndarray) -> Evaluation | None:
        point = self.at.point(u, self.start, self.seen.baseline)
        return None if point is None else self._evaluate(u, point, self.seen)

    def _evaluate(self, u: np.ndarray, point: Point, seen: Observation) -> Evaluation | None:
        self.evaluations += 1
        photons, jacobian = self._photons(u, point, seen.time - point.start)
        if photons is None:
            return None
        late = self.at.fitted[self.start_place].unit if self.start_place >= 0 else 0.0
        found = seen.evaluate(photons, jacobian, point.baseline, self.baseline_place,
                              self.at.fitted[self.baseline_place].unit, self.start_place, late, self.model_error)
        beyond = self.at.beyond(u)
        mean = found.mean + found.jacobian @ beyond if np.any(beyond) else found.mean
        return Evaluation(mean, found.jacobian, found.weight)

    def _photons(self, u: np.ndarray, point: Point, times: np.ndarray):
        """Photons at the receiver's scale (T,) and derivatives by the coordinates (T, k)."""
        first = int(np.searchsorted(times, self.light, side="right"))
        photons, jacobian = np.zeros(len(times)), np.zeros((len(times), len(u)))
        if first < len(times):
            found, slopes = self.problem.solve(times[first:], point.parameters, point.drive,
                                               seed_photons=point.seed_photons, rtol=_RTOL)
            if not (np.isfinite(found[-1]) and np.all(np.isfinite(slopes[-1]))):
                return None, None
            photons[first:] = point.amplitude_scale * found
            jacobian[first:] = slopes @ (point.amplitude_scale * self.at.chain(u, point))
        if self.amplitude_place >= 0:
            jacobian[:, self.amplitude_place] = photons
        return photons, jacobian

    def line(self, u: np.ndarray, whole: Observation) -> tuple[np.ndarray, np.ndarray]:
        """Model [V] (T,) and its standard deviation [V] (T,) on all samples of a record."""
        point = self.at.point(u, self.start, self.seen.baseline)
        found = self._evaluate(u, point, whole.everywhere())
        return found.mean, 1.0 / found.weight


def _prepared(at: Coordinates, model: str, light: float) -> Problem:
    p = at.parameters
    detuned = p.cavity_frequency != p.frequency_35
    shape = (type(at.drive.pump_rate).__name__, repr(at.drive.replace(pump_rate=0.0)))
    if _plain(at.drive):
        return _cached(_Key(p, at.drive, (model, at.engine_names, light, detuned, p.dephasing_operator, shape)))
    return Problem(p, at.drive, model, at.engine_names, start=light, seed_photons=p.thermal_photons)


def _plain(drive: Drive) -> bool:
    """True without tones, drives and switching: then one prepared problem serves all values."""
    return all(getattr(drive, n) == 0.0 for n in ("rabi_35", "rabi_45", "rabi_34", "cavity_drive")) \
        and drive.cavity_decay is None


class _Key:
    """Parameters and drive that hash by the structure of the problem which they make."""

    def __init__(self, p: Parameters, d: Drive, structure: tuple) -> None:
        self.parameters, self.drive, self.structure = p, d, structure

    def __hash__(self) -> int:
        return hash(self.structure)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.structure == other.structure


@lru_cache(maxsize=64)
def _cached(key: _Key) -> Problem:
    model, names, light = key.structure[:3]
    return Problem(key.parameters, key.drive, model, names, start=light, seed_photons=key.parameters.thermal_photons)
