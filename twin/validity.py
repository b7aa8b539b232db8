"""May a fit be believed: is the record what this model, on this bench, can have made?

Four questions: does chi2 agree with the noise, over the whole record and over the burst alone
(a long dark tail dilutes a misfit); are residuals as independent as noise is; do priors hold;
and do coupling and gain lie near what the bench declares. The last one catches what no trace
can show: a factor 2 in coupling or gain only renames parameters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from .coordinates import Coordinates
from .fit_result import Verdict
from .identify import DEAD, identify
from .levenberg_marquardt import Minimum, Prior
from .observation import Observation

PLAUSIBLE = {"collective_coupling": 1.75, "coupling": 1.75, "amplitude_scale": 1.6, "triplets": 1.6}
"""Factor from the declared value within which a fit is believed; a prior on the name replaces it."""

_BAND = 0.2  # chi2/dof within 1 -+ this is always allowed: noise is estimated to a few per cent
_SURPRISE = 5.0  # standard deviations
_LOUD = 3.0  # sigma: samples that belong to the burst


def chi2_per_dof(chi2: float, seen: Observation, prior: Prior, fitted: int) -> float:
    """chi2, priors included, per degree of freedom."""
    return float(min(chi2 / max(int(np.sum(seen.used)) + int(np.sum(prior.weight > 0.0)) - fitted, 1), 1e300))


def plausible_chi2(chi2: float, seen: Observation, fitted: int) -> bool:
    """True if noise alone explains chi2."""
    dof = max(int(np.sum(seen.used)) - fitted, 1)
    return abs(chi2 / dof - 1.0) <= max(_BAND, _SURPRISE * math.sqrt(2.0 / dof))


def believable(best: Minimum, at: Coordinates, seen: Observation, declared: Mapping[str, tuple]) -> bool:
    """True if the search may end: chi2 is that of noise, coupling and gain lie near what is declared."""
    sigma = identify(at.names, best.normal).sigma
    return (settled(best, sigma) and plausible_chi2(best.chi2, seen, len(at.fitted))
            and not _far(best, at, sigma, declared))


def settled(best: Minimum, sigma: np.ndarray) -> bool:
    """True at a minimum, or where a dead direction leaves none to find: what is alive came long before."""
    return best.converged or float(np.max(sigma)) * DEAD > 1.0


def judge(best: Minimum, at: Coordinates, sigma: np.ndarray, prior: Prior, seen: Observation,
          declared: Mapping[str, tuple[float, float]]) -> tuple[Verdict, str]:
    """Verdict and message, identifiability aside; `sigma` (k,) of the coordinates."""
    residuals = ((seen.volts - best.evaluation.mean) * best.evaluation.weight)[seen.used]
    above = np.abs(best.evaluation.mean - seen.baseline)[seen.used] * best.evaluation.weight[seen.used]
    loud = residuals[above > _LOUD]
    fits = plausible_chi2(float(residuals @ residuals), seen, len(at.fitted))
    if not fits:  # from no start, and whether the best of them had come to rest makes no difference
        return Verdict.MODEL_NOT_VALID, f"chi2 is {residuals @ residuals / len(residuals):.3g} per sample"
    if not best.converged and not settled(best, sigma):
        return Verdict.NOT_CONVERGED, f"chi2 was still falling after {best.evaluations} evaluations"
    complaint = (_burst_complaint(loud) or _prior_complaint(best, at, prior, declared)
                 or _far(best, at, sigma, declared))
    return (Verdict.MODEL_NOT_VALID, complaint) if complaint else (Verdict.OK, "")


def _burst_complaint(loud: np.ndarray) -> str:
    if len(loud) < 20:
        return ""
    ratio = float(loud @ loud) / len(loud)
    if abs(ratio - 1.0) > max(_BAND, 0.05 + _SURPRISE * math.sqrt(2.0 / len(loud))):
        return f"chi2 over the burst alone is {ratio:.3g} per sample"
    surprise = persistence(loud)
    return f"neighbouring residuals are alike ({surprise:.1f} sigma)" if surprise > _SURPRISE else ""


def persistence(residuals: np.ndarray) -> float:
    """How much neighbours (1 to 4 samples apart) resemble each other, in standard deviations of white noise.

    A runs test on signs would do for continuous data; rounding to codes makes signs lopsided where the record
    is flat, while products stay fair.
    """
    residuals = residuals / max(float(np.std(residuals)), 1e-300)
    total = sum(float(residuals[k:] @ residuals[:-k]) for k in range(1, 5))
    return total / math.sqrt(4.0 * len(residuals))


def _prior_complaint(best: Minimum, at: Coordinates, prior: Prior, declared: Mapping[str, tuple]) -> str:
    for i, c in enumerate(at.fitted):
        tension = prior.weight[i] * (best.at[i] - prior.mean[i])
        if c.name in declared and abs(tension) > _SURPRISE:
            return (f"{c.name} = {c.value(best.at[i]):.4g} lies {abs(tension):.1f} sigma from its prior "
                    f"{declared[c.name][0]:.4g} +- {declared[c.name][1]:.2g}")
    return ""


def _far(best: Minimum, at: Coordinates, sigma: np.ndarray, declared: Mapping[str, tuple]) -> str:
    nominal = at.declared(0.0, 0.0)
    for i, c in enumerate(at.fitted):
        limit = PLAUSIBLE.get(c.name)
        if limit is None or c.name in declared:
            continue
        ratio = c.value(best.at[i]) / nominal[c.name]
        if abs(math.log(ratio)) > math.log(limit) + 2.0 * sigma[i]:
            return (f"{c.name} comes out as {ratio:.3g} times what is declared; declare it rightly, or give "
                    "it a prior if it is not known")
    return ""
