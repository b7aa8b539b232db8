"""From a rough start to the minima that may be the global one.

Rabi phases theta sqrt(n) make curves multimodal in theta, the more so the more collisions there are. So
theta, q, c and loss are scanned on the first few collisions, where valleys are wide, and the best valleys are
followed while the curve grows to its whole length. Populations are scanned as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.ndimage import minimum_filter

from ..levenberg_marquardt import Evaluation, Minimum, Prior, minimise
from .free_names import Coordinates
from .measured import Curve, Measured, predicted

_REACH, _FARTHEST = (0.6, 1.5), 4.0
"""How far the scan goes in theta: as a factor, and absolute."""
_MESH, _RELATIVE_MESH = 0.07, 0.1
"""Its steps: valleys are 0.4 wide on the first collisions at any theta, and relative to theta below that."""
_SCANNED = {"q": (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95), "c": (0.1, 0.5, 0.9),
            "loss": (0.003, 0.03, 0.1, 0.3)}
"""Coordinates beside theta: on a few collisions these can stand in for one another, and lead theta astray."""
_SHORTEST, _LONGEST, _GROWTH = 12, 64, 6
_CARRIED, _ENDED = 6, 3
_EXCLUDED, _EXCLUDED_ON_THE_WAY = 100.0, 1e4
"""chi2 above the best valley's by which one is given up, at its minimum and before."""
_ROUGH = 2e-3
"""Of the largest value: on the way no valley needs to be known more sharply."""
_ROTATIONS, _BESIDE = 3, 0.1
"""How many half turns of a trap, and how far from it, are looked at for a mirror image."""
_SETTLED = 1e-10
"""chi2 that may be left to gain: data without noise give their parameters to 1e-5 of a sigma."""
_MOST = 150
"""Evaluations for one minimum."""
_LEASH = 0.3
"""Natural units: how firmly a part of the curve, which may leave names open, holds on to the start."""


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
    parts = [data.until(k) for k in _lengths(data, at.declared.theta)]
    parts = [p.roughly(_ROUGH * float(np.max(np.abs(p.values)))) for p in parts]
    starts, carried = scanned(parts[0], at), _CARRIED
    level = noise(parts[0], predicted(parts[0], at.parameters(starts[0]))[0], noise_known, len(at.names))
    for part in parts:
        found = sorted((_approached(part, at, u, level) for u in starts), key=lambda v: v.chi2)
        level = noise(part, found[0].evaluation.mean, noise_known, len(at.names))
        carried = max(carried // 2, _ENDED)
        found = _distinct(found, level, 10.0)[:carried]
        starts = [v.u for v in found]
    return _ended(data, at, found, noise_known)


def _ended(data: Measured, at: Coordinates, found: list[Valley], noise_known: bool) -> list[Valley]:
    """The best of rough minima settled, with those that may rival it: others, and its mirror images."""
    best = _settled(data, at, found[0].u, noise_known)
    level = noise(data, best.evaluation.mean, noise_known, len(at.names))
    rivals = [v.u for v in found[1:_ENDED]
              if not _hopeless(v.converged, _chi2(data, v.evaluation.mean) - best.chi2, level)]
    rivals += [u for u in _mirrored(at, best.u)
               if not _hopeless(False, _chi2(data, predicted(data, at.parameters(u))[0]) - best.chi2, level)]
    ended = sorted([best, *(_settled(data, at, u, noise_known) for u in rivals)], key=lambda v: v.chi2)
    return _distinct(ended, noise(data, ended[0].evaluation.mean, noise_known, len(at.names)), 3.0)


def _mirrored(at: Coordinates, u: np.ndarray) -> list[np.ndarray]:
    """u with theta as far on the other side of the trapping angles Q pi/sqrt(m) beside it.

    What leaks through a trap goes as the square of the distance from it, so that the two sides look alike.
    """
    if "theta" not in at.names:
        return []
    i, rotations = at.names.index("theta"), np.arange(1, _ROTATIONS + 1)
    below = np.floor((rotations * np.pi / u[i]) ** 2)
    photons = np.concatenate((below, below + 1.0))
    traps = np.tile(rotations, 2)[photons > 0.0] * np.pi / np.sqrt(photons[photons > 0.0])
    images = [2.0 * trap - u[i] for trap in traps if abs(trap / u[i] - 1.0) < _BESIDE]
    return [np.where(np.arange(len(u)) == i, theta, u) for theta in images]


def scanned(data: Measured, at: Coordinates) -> list[np.ndarray]:
    """The local minima of a coarse scan, best first, and the start itself (k,)."""
    start = at.of(at.declared)
    axes = [_axis(name, u) for name, u in zip(at.names, start, strict=True)]
    points = [np.array(u) for u in product(*axes)]
    if len(points) == 1:
        return points
    chi2 = np.array([_chi2(data, predicted(data, at.parameters(u))[0]) for u in points])
    grid = chi2.reshape([len(a) for a in axes])
    lowest = np.flatnonzero(grid <= minimum_filter(grid, size=3, mode="nearest"))
    found = [points[i] for i in lowest[np.argsort(chi2[lowest])][:_CARRIED]]
    return found if any(np.array_equal(u, start) for u in found) else [*found, start]


def noise(data: Measured, mean: np.ndarray, known: bool, fitted: int) -> float:
    """The noise as a factor on the data's sigma: 1 if that is known, else what residuals say, 1 at least."""
    return 1.0 if known else max(1.0, (_chi2(data, mean) / max(measurements(data, mean) - fitted, 1)) ** 0.5)


def measurements(data: Measured, mean: np.ndarray) -> int:
    """How many samples tell of noise: one that is 0 where the model is empty too is no measurement."""
    empty = (data.values == 0.0) & (np.abs(mean) < 1e-3 * np.max(np.abs(mean)))
    return int(np.sum(np.isfinite(data.sigma) & ~empty))


def _approached(data: Measured, at: Coordinates, u: np.ndarray, level: float) -> Valley:
    """Towards the minimum of a part of the curve, held to its start where that part says little."""
    curve = _curve(data, at, u)
    x = u / curve.units
    return _valley(curve, minimise(curve, data.values, x, Prior(x, np.full(len(x), 1.0 / _LEASH)), level,
                                   evaluations=12, bounds=curve.bounds))


def _settled(data: Measured, at: Coordinates, u: np.ndarray, noise_known: bool) -> Valley:
    """The minimum at u (k,), on levels enough for where it lies; unknown noise falls with the residuals."""
    curve, free = _curve(data, at, u), Prior(np.zeros(len(u)), np.zeros(len(u)))
    here, level, spent = curve(u / curve.units), np.inf, 1
    while True:
        before, level = level, noise(data, here.mean, noise_known, len(u))
        found = minimise(curve, data.values, u / curve.units, free, level, _SETTLED, first=here,
                         bounds=curve.bounds)
        valley = _valley(curve, found, spent)
        u, here, spent = valley.u, valley.evaluation, valley.evaluations
        if _curve(data, at, u).dimension > curve.dimension:
            curve, level = _curve(data, at, u), np.inf
            here = curve(u / curve.units)
        elif level > 0.9 * before or noise_known or spent > _MOST:
            return valley


def _curve(data: Measured, at: Coordinates, u: np.ndarray) -> Curve:
    """On the levels that the state needs at u."""
    return Curve(data, at, at.units(u), predicted(data, at.parameters(u))[1])


def _valley(curve: Curve, found: Minimum | None, spent: int = 0) -> Valley:
    assert found is not None  # the model is defined everywhere between its bounds
    slopes = found.evaluation.jacobian * found.evaluation.weight[:, None] / curve.units
    return Valley(found.at * curve.units, found.evaluation, _chi2(curve.data, found.evaluation.mean),
                  slopes.T @ slopes, found.converged, spent + found.evaluations)


def _chi2(data: Measured, mean: np.ndarray) -> float:
    return float(np.sum(((data.values - mean) / data.sigma) ** 2))


def _distinct(found: list[Valley], level: float, apart: float) -> list[Valley]:
    """Of minima, best first, those that noise at `level` does not exclude, `apart` sigma from one another."""
    kept: list[Valley] = []
    for valley in found:
        hopeless = _hopeless(valley.converged, valley.chi2 - found[0].chi2, level)
        if not hopeless and not any(_steps(valley, other) < apart * level for other in kept):
            kept.append(valley)
    return kept


def _hopeless(at_minimum: bool, excess: float, level: float) -> bool:
    """True if noise at `level` does not make up for that excess of chi2."""
    return excess > level**2 * (_EXCLUDED if at_minimum else _EXCLUDED_ON_THE_WAY)


def _steps(one: Valley, other: Valley) -> float:
    """How far apart two minima are, in sigma of the data."""
    step = one.u - other.u
    return float(step @ other.normal @ step) ** 0.5


def _axis(name: str, u: float) -> np.ndarray:
    if name == "theta":
        mesh = min(_MESH, _RELATIVE_MESH * u)
        down, up = (int(np.ceil(min(abs(f - 1.0) * u, _FARTHEST) / mesh)) for f in _REACH)
        return u + mesh * np.arange(-down, up + 1)
    return np.union1d(_SCANNED.get(name, ()), u)


def _lengths(data: Measured, theta: float) -> list[int]:
    """Collisions of the growing parts: the first reaches half of the well below n = (pi/theta)^2."""
    measured = np.flatnonzero(np.isfinite(data.sigma))
    well = int(np.clip((np.pi / max(theta, 1e-3)) ** 2 / 2.0, _SHORTEST, _LONGEST))
    length, found = max(well, int(measured[min(_SHORTEST, len(measured) - 1)])), []
    while 2 * length < data.collisions and data.until(length).collisions == length:
        found.append(length)
        length *= _GROWTH
    return [*found, data.collisions]
