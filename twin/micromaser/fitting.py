"""Parameters of the collision model from a measured charging curve or a measured photon distribution.

    result = micromaser.fit_energy(energies, micromaser.Parameters(theta=0.8), free=("theta", "q"))

What the data do not determine is reported as such and left out of `parameters`; so are values of theta that
explain the data equally well. The collision model is a stream of qubits that meet the cavity one at a time:
a pentacene burst, where all molecules meet it at once, is none, and these functions say nothing of it
(`twin.fit` does).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..fit_result import FitResult
from .answer import Answer
from .charge import MOST, whole
from .estimates import valleys
from .free_names import Coordinates, coordinates
from .measured import ROUNDING, Energies, Measured, Populations
from .parameters import Parameters

_SURPRISE = 5.0
"""Standard deviations by which noise may push a probability out of its range."""


def fit_energy(energies: Any, parameters: Parameters, free: Sequence[str] = ("theta", "q"), sigma: Any = None,
               initial: Any = None) -> FitResult:
    """Fit <n> (k + 1,) [omega] of one charging, as in `Run.energy`: index k is after the k-th collision.

    Index 0 is the initial state, `initial` as for `charge`; nan marks what was not measured. `parameters`
    hold what is known and, for `free` (of `free_names.FREE`), where to begin: theta may be 30 % off and q
    anything. "c" and "detuning_ratio" are told as moduli. `sigma`, a number or (k + 1,), is the standard
    deviation of each energy; None takes one noise for all from the residuals, so that `chi2_per_dof` is 1
    unless nothing but rounding is left, and errors are those of Student's distribution. With a sigma chi2
    tells whether the model can be right; without one only the likeness of neighbouring residuals does.
    A value at the edge of its range (c = 1, loss = 0) is told there, with the sigma it would have inside.

    ValueError for wrong shapes, unknown names and sigmas that are none.
    """
    found = _row("energies", energies, 2)
    known = _sigma(sigma, found)
    if not np.isfinite(found[1:]).any():
        raise ValueError("energies: none was measured after a collision; index 0 is the start")
    data = Energies(np.nan_to_num(found), known, initial)
    return _fitted(data, coordinates(_checked(parameters), free), sigma is not None)


def fit_populations(populations: Any, parameters: Parameters, collision: int, free: Sequence[str],
                    sigma: Any = None, initial: Any = None) -> FitResult:
    """Fit P(n) (d,), n = 0 .. d - 1, measured after `collision` collisions; else as `fit_energy`.

    `sigma` None takes the same noise for every n, from the residuals. For N counted photon numbers give
    sqrt(P(n)/N) with P(n) of a first fit (its `fitted`) and at least 1/N: that is the multinomial
    distribution's own weight, which one noise for all is not.
    """
    found = _row("populations", populations, 1)
    known, collision = _sigma(sigma, found), whole("collision", collision, 1, MOST)
    _distribution(found, np.zeros(len(found)) if sigma is None else known)
    data = Populations(np.nan_to_num(found), known, collision, initial)
    return _fitted(data, coordinates(_checked(parameters), free), sigma is not None)


def _checked(parameters: Parameters) -> Parameters:
    if not isinstance(parameters, Parameters):
        raise TypeError(f"parameters: expected micromaser.Parameters, found {type(parameters).__name__}")
    return parameters


def _row(name: str, values: Any, shortest: int) -> np.ndarray:
    found = np.array(values, float)
    if found.ndim != 1 or len(found) < shortest:
        raise ValueError(f"{name}: expected one row of {shortest} numbers or more, found shape {found.shape}")
    if np.isinf(found).any():
        place = int(np.argmax(np.isinf(found)))
        raise ValueError(f"{name}[{place}] is infinite; nan marks what was not measured")
    if np.isnan(found).all():
        raise ValueError(f"{name}: all are nan, nothing was measured")
    return found


def _sigma(sigma: Any, values: np.ndarray) -> np.ndarray:
    """Standard deviations (T,), infinite where nothing was measured; the model's own rounding for None."""
    unknown = ROUNDING * max(float(np.nanmax(np.abs(values))), 1e-3)
    given = np.asarray(unknown if sigma is None else sigma, float)
    if given.shape not in ((), values.shape):
        raise ValueError(f"sigma: expected one number or {values.shape}, found shape {given.shape}")
    found = np.where(np.isnan(values), np.inf, given)
    wrong = ~np.isnan(values) & ~(np.isfinite(found) & (found > 0.0))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(f"sigma[{place}] = {found[place]:g} must be positive and finite; make the value it "
                         "belongs to nan to leave that out")
    return found


def _distribution(p: np.ndarray, sigma: np.ndarray) -> None:
    """ValueError unless p (d,) can be probabilities, within 5 sigma."""
    low = p < -_SURPRISE * sigma
    if low.any():
        n = int(np.argmax(low))
        raise ValueError(f"populations[{n}] = {p[n]:g} must be at least 0; if that is noise, give its sigma")
    total = float(np.nansum(p))
    if total > 1.0 + 1e-9 + _SURPRISE * math.hypot(*sigma[~np.isnan(p)]):
        raise ValueError(f"populations sum to {total:g}, not to 1 at most; if that is noise, give its sigma")


def _fitted(data: Measured, at: Coordinates, noise_known: bool) -> FitResult:
    best, *others = valleys(data, at, noise_known)
    return Answer(data, at, noise_known, best, tuple(others)).result()
