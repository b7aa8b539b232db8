"""Levenberg-Marquardt with priors, for models that bring their exact derivatives and their own noise.

The standard deviations may depend on the model (Rice's distribution, model error). They are
refreshed after each accepted step and are not differentiated: the fixed point is the
quasi-likelihood estimate, which is unbiased.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_LONGEST = 0.7  # largest change of one coordinate in one step; coordinates are logarithms
_FACTOR = 6.0


@dataclass(frozen=True)
class Evaluation:
    """Model at one point: mean (T,), derivatives (T, k), weight 1/sigma (T,); 0 marks a masked sample."""

    mean: np.ndarray
    jacobian: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class Prior:
    """Independent Gaussian knowledge of the coordinates: mean (k,) and 1/sigma (k,); 0 is ignorance."""

    mean: np.ndarray
    weight: np.ndarray

    def chi2(self, at: np.ndarray) -> float:
        return float(np.sum((self.weight * (at - self.mean)) ** 2))


@dataclass(frozen=True)
class Minimum:
    """Where the search ended: coordinates (k,), model there, chi2 with priors, normal matrix (k, k)."""

    at: np.ndarray
    evaluation: Evaluation
    chi2: float
    normal: np.ndarray
    converged: bool
    evaluations: int


Model = Callable[[np.ndarray], Evaluation | None]
"""Coordinates -> model; None outside its domain."""


def minimise(model: Model, data: np.ndarray, start: np.ndarray, prior: Prior, inflation: float = 1.0,
             tolerance: float = 1e-3, evaluations: int = 40, first: Evaluation | None = None,
             bounds: tuple[np.ndarray, np.ndarray] | None = None) -> Minimum | None:
    """Least squares from `start` (k,); `inflation` multiplies all sigmas of the data.

    Converged: the next step is expected to lower chi2 by less than `tolerance` (in units where chi2 + 1 is
    one sigma), so every coordinate is within sqrt(tolerance) sigma of the minimum. `bounds`: lowest and
    highest (k,), the start between them; a coordinate at one stays there while chi2 falls beyond it.
    None: `start` lies outside the model's domain.
    """
    lowest, highest = bounds or (np.full(len(start), -np.inf), np.full(len(start), np.inf))
    here, now = np.array(start, float), first or model(start)
    if now is None:
        return None
    used, damping = (0 if first else 1), 1e-3
    normal, gradient, chi2 = _normal_equations(now, data, here, prior, inflation)
    while True:
        held = (here <= lowest) & (gradient < 0.0) | (here >= highest) & (gradient > 0.0)
        slope, bend = np.where(held, 0.0, gradient), _apart(normal, held)
        expected = _expected(bend, slope)
        if expected < tolerance:
            return Minimum(here, now, chi2, normal, True, used)
        if used >= evaluations or damping > 1e6:
            # Nothing lowers chi2 and little was to be had: the integrator's rounding, not a slope.
            return Minimum(here, now, chi2, normal, damping > 1e6 and expected < 0.05, used)
        trial_at = np.clip(here + _step(bend, slope, damping), lowest, highest)
        trial = model(trial_at)
        used += 1
        if trial is None or not _chi2(trial, now.weight, data, trial_at, prior, inflation) < chi2:
            damping *= _FACTOR
            continue
        here, now, damping = trial_at, trial, max(damping / _FACTOR**2, 1e-9)
        normal, gradient, chi2 = _normal_equations(now, data, here, prior, inflation)


def _normal_equations(now: Evaluation, data: np.ndarray, here: np.ndarray, prior: Prior, inflation: float
                      ) -> tuple[np.ndarray, np.ndarray, float]:
    weight = now.weight / inflation
    slopes, misfit = now.jacobian * weight[:, None], (data - now.mean) * weight
    normal = slopes.T @ slopes + np.diag(prior.weight**2)
    gradient = slopes.T @ misfit - prior.weight**2 * (here - prior.mean)
    return normal, gradient, float(misfit @ misfit) + prior.chi2(here)


def _apart(normal: np.ndarray, held: np.ndarray) -> np.ndarray:
    """The normal matrix without what links the coordinates `held` (k,) at a bound to those that move."""
    return np.asarray(np.where(held[:, None] == held[None, :], normal, 0.0))


def _chi2(now: Evaluation, weight: np.ndarray, data: np.ndarray, here: np.ndarray, prior: Prior,
          inflation: float) -> float:
    misfit = (data - now.mean) * (weight / inflation)
    chi2 = float(misfit @ misfit) + prior.chi2(here)
    return chi2 if np.isfinite(chi2) else np.inf


def _step(normal: np.ndarray, gradient: np.ndarray, damping: float) -> np.ndarray:
    """The damped step (k,), cut to a sane length."""
    step = np.linalg.solve(normal + np.diag(damping * _floor(normal)), gradient)
    return step * min(1.0, _LONGEST / max(float(np.max(np.abs(step))), 1e-30))


def _expected(normal: np.ndarray, gradient: np.ndarray) -> float:
    """By how much chi2 lies above the minimum, were the model linear."""
    return float(gradient @ np.linalg.solve(normal + np.diag(1e-12 * _floor(normal)), gradient))


def _floor(normal: np.ndarray) -> np.ndarray:
    """The diagonal, kept off 0 where a coordinate is dead."""
    diagonal = np.diag(normal)
    return np.maximum(diagonal, 1e-9 * diagonal.max() + 1e-30)
