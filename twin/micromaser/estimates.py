"""From a rough start to the minima that may be the global one.

Rabi phases theta sqrt(n) make curves multimodal in theta, the more so the more collisions there are. So
theta and q are scanned on the first few collisions, where valleys are wide, and the best valleys are followed
while the curve grows to its whole length. Populations are scanned as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.ndimage import minimum_filter

from ..levenberg_marquardt import Evaluation, Prior, minimise
from .free_names import Coordinates
from .measured import Curve, Measured, predicted

_REACH, _FARTHEST = (0.6, 1.5), 4.0
"""How far the scan goes in theta: as a factor, and absolute."""
_MESH, _RELATIVE_MESH = 0.1, 0.12
"""Its steps: valleys are 0.4 wide on the first collisions at any theta, and relative to theta below that."""
_Q = (0.05, 0.2, 0.4, 0.6, 0.8, 0.95)
_SHORTEST, _LONGEST, _GROWTH = 12, 64, 4
_CARRIED, _ENDED = 8, 3
_EXCLUDED = 100.0
"""chi2 above the best valley's by which one is given up."""
_ROUGH = 2e-3
"""Of the largest value: on the way no valley needs to be known more sharply."""
_LEASH = 0.3
"""Natural units: how firmly a part of the curve, which may not determine every name, holds on to the start."""


@dataclass(frozen=True, eq=False)
class Valley:
    """A minimum at u (k,). `chi2` and `normal` (k, k), in u, are for the data's sigma as it is given."""

    u: np.ndarray
    evaluation: Evaluation
    chi2: float
    normal: np.ndarray
    converged: bool
    evaluations: int


def valleys(data: Measured, at: Coordinates, noise_known: bool) -> list[Valley]:
    """The lowest minima, best first; unless the noise is known it is what the best one leaves over."""
    parts = [_roughly(data.until(k)) for k in _lengths(data, at.declared.theta)]
    starts, carried = scanned(parts[0], at), _CARRIED
    for part in parts:
        found = [descended(part, at, u, noise_known, _LEASH, 12) for u in starts]
        carried = max(carried // 2, _ENDED)
        starts = [v.u for v in _lowest(found, part, noise_known, carried)]
    return _lowest([descended(data, at, u, noise_known) for u in starts], data, noise_known, _ENDED)


def scanned(data: Measured, at: Coordinates) -> list[np.ndarray]:
    """The local minima of a coarse scan of theta and q, best first, and the start itself (k,)."""
    start = at.of(at.declared)
    axes = [_axis(name, u) for name, u in zip(at.names, start, strict=True)]
    points = [np.array(u) for u in product(*axes)]
    if len(points) == 1:
        return points
    chi2 = np.array([_chi2(data, predicted(data, at.parameters(u))[0]) for u in points])
    grid = chi2.reshape([len(a) for a in axes])
    lowest = np.flatnonzero(grid <= minimum_filter(grid, size=3, mode="nearest"))
    return [*(points[i] for i in lowest[np.argsort(chi2[lowest])][:_CARRIED]), start]


def descended(data: Measured, at: Coordinates, u: np.ndarray, noise_known: bool, leash: float = np.inf,
              most: int = 60) -> Valley:
    """The minimum below u (k,), on levels enough for where it lies."""
    dimension, evaluations = predicted(data, at.parameters(u))[1], 0
    while True:
        found = _descended(Curve(data, at, at.units(u), dimension), u, noise_known, leash, most)
        evaluations += found.evaluations
        needed = predicted(data, at.parameters(found.u))[1]
        if needed <= dimension:
            return Valley(found.u, found.evaluation, found.chi2, found.normal, found.converged, evaluations)
        u, dimension = found.u, needed


def noise(data: Measured, mean: np.ndarray, fitted: int) -> float:
    """What the residuals say of the noise, as a factor on the data's sigma, which it is never below."""
    return max(1.0, (_chi2(data, mean) / max(measurements(data, mean) - fitted, 1)) ** 0.5)


def measurements(data: Measured, mean: np.ndarray) -> int:
    """How many samples tell of noise: one that is 0 where the model is empty too is no measurement."""
    empty = (data.values == 0.0) & (np.abs(mean) < 1e-3 * np.max(np.abs(mean)))
    return int(np.sum(np.isfinite(data.sigma) & ~empty))


def _descended(curve: Curve, u: np.ndarray, noise_known: bool, leash: float, most: int) -> Valley:
    """Unknown noise is read off the residuals again while they shrink."""
    data, x, evaluations = curve.data, u / curve.units, 1
    now, held = curve(x), Prior(x, np.full(len(x), 1.0 / leash))
    level = np.inf
    while True:
        found_level = 1.0 if noise_known else noise(data, now.mean, len(x))
        if found_level > 0.9 * level or evaluations > 2 * most:
            break
        level = found_level
        found = minimise(curve, data.values, x, held, level, evaluations=most, first=now, bounds=curve.bounds)
        assert found is not None  # the model is defined between its bounds
        x, now, evaluations = found.at, found.evaluation, evaluations + found.evaluations
    slopes = now.jacobian * now.weight[:, None] / curve.units
    return Valley(x * curve.units, now, _chi2(data, now.mean), slopes.T @ slopes, found.converged, evaluations)


def _roughly(data: Measured) -> Measured:
    """With sigma blunted, so that the search neither hurries nor lingers on the way."""
    return replace(data, sigma=np.maximum(data.sigma, _ROUGH * np.max(np.abs(data.values))))


def _chi2(data: Measured, mean: np.ndarray) -> float:
    return float(np.sum(((data.values - mean) / data.sigma) ** 2))


def _lowest(found: list[Valley], data: Measured, noise_known: bool, most: int) -> list[Valley]:
    """Those that noise does not exclude, best first."""
    found = sorted(found, key=lambda v: v.chi2)
    best = found[0]
    level = 1.0 if noise_known else noise(data, best.evaluation.mean, len(best.u))
    kept: list[Valley] = []
    for valley in found:
        near = any(_same(valley, other, level) for other in kept)
        if not near and valley.chi2 - best.chi2 <= _EXCLUDED * level**2:
            kept.append(valley)
    return kept[:most]


def _same(one: Valley, other: Valley, level: float) -> bool:
    """True if the step between them is one that the data do not see."""
    step = one.u - other.u
    return float(step @ other.normal @ step) <= 9.0 * level**2 + 1e-3


def _axis(name: str, u: float) -> np.ndarray:
    if name == "theta":
        mesh = min(_MESH, _RELATIVE_MESH * u)
        down, up = (int(np.ceil(min(abs(f - 1.0) * u, _FARTHEST) / mesh)) for f in _REACH)
        return u + mesh * np.arange(-down, up + 1)
    return np.union1d(_Q, u) if name == "q" else np.array([u])


def _lengths(data: Measured, theta: float) -> list[int]:
    """Collisions of the growing parts: the first reaches half of the well below n = (pi/theta)^2."""
    measured = np.flatnonzero(np.isfinite(data.sigma))
    well = int(np.clip((np.pi / max(theta, 1e-3)) ** 2 / 2.0, _SHORTEST, _LONGEST))
    length, found = max(well, int(measured[min(_SHORTEST, len(measured) - 1)])), []
    while length < data.collisions and data.until(length).collisions == length:
        found.append(length)
        length *= _GROWTH
    return [*found, data.collisions]
