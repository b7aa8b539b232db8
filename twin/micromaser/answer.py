"""What the minima of a fit say: values with errors, names that stay open, and whether to believe it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..fit_result import FitResult, Verdict
from ..identify import Identification, identify
from ..validity import persistence
from .estimates import Valley, measurements, noise
from .free_names import Coordinates
from .measured import Measured

_SURPRISE, _BAND = 5.0, 0.2
"""Standard deviations, and the part of 1 that is always allowed, before chi2 is held against the model."""
_TIED = 4.0
"""chi2 by which the best minimum must beat another one."""
_MANY = 20
"""Samples that are needed to see whether neighbours are alike."""


@dataclass(frozen=True, eq=False)
class Answer:
    """The best minimum of a fit, with others that came near it."""

    data: Measured
    at: Coordinates
    noise_known: bool
    best: Valley
    others: tuple[Valley, ...]

    def result(self) -> FitResult:
        verdict, message = self._verdict()
        names = tuple(n for n in self.at.names if self.identifiable[n])
        told, used = self.at.told(self.best.u), np.isfinite(self.data.sigma)
        deviation = np.where(used, self.data.sigma, 0.0) * self._noise
        residuals = np.where(used, self._residuals / self._noise, 0.0)
        covariance = self._covariance(names)
        return FitResult(
            verdict, message, {n: told[n] for n in names},
            dict(zip(names, map(float, np.sqrt(np.diag(covariance))), strict=True)),
            dict.fromkeys(names, 0.0), covariance, self.identifiable, self._dead_directions(),
            self._known.singular_values, self._chi2_per_dof, residuals, used,
            self.best.evaluation.mean, deviation, model="micromaser", evaluations=self.best.evaluations)

    @cached_property
    def identifiable(self) -> dict[str, bool]:
        open_names = {n for o in self._tied for n in self._moved(o)}
        unheard = not self.noise_known and self._dof <= 0
        return {n: self._known.identifiable(n) and not unheard and n not in open_names for n in self.at.names}

    @cached_property
    def _noise(self) -> float:
        return noise(self.data, self.best.evaluation.mean, self.noise_known, len(self.at.names))

    @cached_property
    def _dof(self) -> int:
        return measurements(self.data, self.best.evaluation.mean) - len(self.at.names)

    @property
    def _chi2_per_dof(self) -> float:
        return float(min(self.best.chi2 / self._noise**2 / max(self._dof, 1), 1e300))

    @property
    def _residuals(self) -> np.ndarray:
        return (self.data.values - self.best.evaluation.mean) / self.data.sigma

    @cached_property
    def _units(self) -> np.ndarray:
        return self.at.units(self.best.u)

    @cached_property
    def _known(self) -> Identification:
        """In natural units."""
        return identify(self.at.names, self.best.normal * np.outer(self._units, self._units) / self._noise**2)

    @cached_property
    def _tied(self) -> list[Valley]:
        """Other minima that explain the data as well."""
        return [o for o in self.others
                if o.chi2 - self.best.chi2 < _TIED * self._noise**2 and self._moved(o)]

    def _moved(self, other: Valley) -> list[str]:
        """The names that tell two minima apart."""
        step = np.abs(other.u - self.best.u) / self._units
        return [n for n, s, error in zip(self.at.names, step, self._known.sigma, strict=True)
                if s > 3.0 * error]

    def _covariance(self, names: tuple[str, ...]) -> np.ndarray:
        index = [self.at.names.index(n) for n in names]
        scale = self._units * self.at.stretch(self.best.u, self._units * self._known.sigma)
        return (self._known.covariance * np.outer(scale, scale))[np.ix_(index, index)]

    def _dead_directions(self) -> list[dict[str, float]]:
        if all(map(self._known.identifiable, self.at.names)):
            return [self._towards(o) for o in self._tied]
        return self._known.dead_directions(self.at.names)

    def _towards(self, other: Valley) -> dict[str, float]:
        step = (other.u - self.best.u) / self._units
        return {n: float(s / np.linalg.norm(step)) for n, s in zip(self.at.names, step, strict=True)}

    def _verdict(self) -> tuple[Verdict, str]:
        complaint = self._complaint()
        if complaint:
            return Verdict.MODEL_NOT_VALID, complaint
        if not self.best.converged and not self._known.dead_directions(()):
            return Verdict.NOT_CONVERGED, f"chi2 was still falling after {self.best.evaluations} evaluations"
        if not all(self.identifiable.values()):
            return Verdict.NOT_IDENTIFIABLE, self._what_is_open()
        return Verdict.OK, self._at_edges()

    def _complaint(self) -> str:
        excess = self._chi2_per_dof - 1.0
        if self._dof > 0 and excess > max(_BAND, _SURPRISE * math.sqrt(2.0 / self._dof)):
            return f"chi2 is {1.0 + excess:.3g} per degree of freedom: no such qubits made these data"
        used = self._residuals[np.isfinite(self.data.sigma)] / self._noise
        if len(used) < _MANY:
            return ""
        # Residuals far below the noise may be alike: then data have none, or rounding is all that is left.
        likeness = persistence(used) * min(1.0, float(np.var(used)))
        return (f"neighbouring residuals are alike ({likeness:.1f} sigma): the model misses something "
                "that is in the data") if likeness > _SURPRISE else ""

    def _what_is_open(self) -> str:
        names = ", ".join(n for n, known in self.identifiable.items() if not known)
        if not self.noise_known and self._dof <= 0:
            return f"{names}: no more samples than free names; without sigma nothing tells the noise"
        if self._tied and all(map(self._known.identifiable, self.at.names)):
            places = [", ".join(f"{n} = {v:.6g}" for n, v in self.at.told(valley.u).items())
                      for valley in (self.best, *self._tied)]
            return "the data do not tell these apart: " + "; or ".join(places)
        return "not determined by these data: " + names

    def _at_edges(self) -> str:
        lowest, highest = self.at.bounds
        edges = [n for n, u, low, high in zip(self.at.names, self.best.u, lowest, highest, strict=True)
                 if u in (low, high)]
        return f"at the edge of what it can be: {', '.join(edges)}" if edges else ""
