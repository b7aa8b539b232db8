"""The state after very many collisions, by squaring the map of one.

M^k costs log2 k products of matrices. On the sectors of `sectors` that is cheaper than stepping from some
1e4 collisions (30 levels) or 1e5 (60 levels) on, and reaches 2^40 and more. Rounding would let the trace of
M^k drift by k eps; it is held to 1 at each squaring, column by column, so that nearly degenerate modes keep
their shares.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .charge import MOST, begun, whole
from .parameters import Parameters
from .sectors import Sector, coordinates, sectors, state_of
from .stepping import LARGEST, LOST, Stepper, resized

FARTHEST = 2**50
"""Collisions of one jump."""
BROADEST = 3000
"""Coordinates of a sector that are squared: 76 levels of the triangle, 54 of all coordinates."""
_WARM = 2048


def jump(parameters: Parameters, collisions: int, dimension: int | None = None,
         initial: Any = None) -> np.ndarray:
    """Density matrix (d, d) after `collisions` from `initial` (None: the vacuum), as `Run.state` gives it.

    Interaction picture, physical gauge; the trace is 1 less the lost weight. `dimension` None chooses the
    levels so that less than 1e-12 is lost, or raises ValueError with the dimension reached; also where the
    collisions are too many to step through and the levels too many to square. With a given one the state is
    that of the first levels of a cavity that goes on above them, as far as levels can be squared.

    A state that lasts 1e10 collisions is no steady state: the plateaus of Figs. 5-7 are read off at k = 1e3,
    and a jump to 1e11 finds another well.
    """
    collisions = whole("collisions", collisions, 0, FARTHEST)
    stepper = begun(parameters, min(collisions, MOST), dimension, initial)
    warm = min(collisions, _WARM) if dimension is None else 0
    _step(stepper, warm)
    if collisions > MOST:
        parameters.check_losses_between("a jump of more collisions than can be stepped through")
    if parameters.loses_inside or _stepping_is_cheaper(parameters, stepper, collisions):
        found = _stepped(stepper, collisions)
    else:
        found = _leapt(parameters, stepper, collisions, dimension)
    return found[:dimension, :dimension]


def _step(stepper: Stepper, until: int) -> None:
    while stepper.done < until:
        stepper.advance(until - stepper.done)


def _stepped(stepper: Stepper, collisions: int) -> np.ndarray:
    _step(stepper, collisions)
    return stepper.charge.matrix


def _stepping_is_cheaper(m: Parameters, stepper: Stepper, collisions: int) -> bool:
    """By rough counts of nanoseconds. What is too broad to square is stepped through if `charge` would."""
    d, rest = stepper.levels, collisions - stepper.done
    found = sectors(m, coordinates(m, stepper.charge.matrix))
    if max(s.size for s in found) > BROADEST and collisions <= MOST:
        return True
    if len(found) > 1 or found[0].split:
        step = 0.8 * d**3
    elif found[0].last > 1:
        step = d**2 + (0.07 * d**3 if m.loss else 0.0)
    else:
        step = d + (d**2 if m.loss else 0.0)
    return rest * step <= sum(0.1 * s.size**3 for s in found) * rest.bit_length()


def _leapt(m: Parameters, stepper: Stepper, collisions: int, dimension: int | None) -> np.ndarray:
    """From the stepper's state on, with more levels until they suffice."""
    state, rest, d = stepper.charge.matrix, collisions - stepper.done, stepper.levels
    found, lost = None, 0.0
    while True:
        y = coordinates(m, resized(state, d))
        broadest = max(s.size for s in sectors(m, y))
        if broadest > BROADEST and found is not None and (dimension or collisions <= MOST):
            return found if collisions > MOST else _stepped(stepper, collisions)
        if broadest > BROADEST:
            raise ValueError(f"collisions = {collisions} on {d} levels: {broadest} coordinates are too many "
                             f"to square (limit {BROADEST}), and more than {MOST} collisions too many to "
                             "step through; give a smaller dimension, or fewer collisions")
        found, lost = _raised(m, y, stepper.lost, rest)
        if lost - stepper.lost < 0.9 * LOST or (dimension and d >= stepper.most):
            return found
        if d >= LARGEST:
            raise ValueError(f"dimension: {d} levels lose {lost:.1e} of the state by collision {collisions}, "
                             f"more than {LOST:g}; ask for fewer collisions, or give a dimension and read "
                             "the lost weight off the trace")
        d = min(stepper.most, int(1.5 * d) // 8 * 8 + 8)


def _raised(m: Parameters, y: np.ndarray, lost: float, collisions: int) -> tuple[np.ndarray, float]:
    """State after so many collisions, and all that is lost by then."""
    out, trace = np.zeros_like(y), 1.0 - lost
    for s in sectors(m, y):
        vectors = y[s.places]
        if s.loses:
            vectors = np.concatenate((vectors, [[0.0]]))
        vectors = _power(s, vectors, collisions)
        if s.loses:
            vectors *= trace / (vectors[: s.levels].sum() + vectors[-1])
            lost += float(vectors[-1, 0])
            vectors = vectors[:-1]
        out[s.places] = vectors
    return state_of(m, out), lost


def _power(s: Sector, vectors: np.ndarray, collisions: int) -> np.ndarray:
    """M^collisions applied to columns (size, columns): each bit of the exponent as its square comes up."""
    matrix = s.matrix()
    while True:
        if collisions & 1:
            vectors = matrix @ vectors
        collisions >>= 1
        if not collisions:
            return vectors
        matrix = matrix @ matrix
        if s.loses:
            _hold_trace(s, matrix)


def _hold_trace(s: Sector, matrix: np.ndarray) -> None:
    """Trace and lost weight of each column restored, through the columns of the populations it belongs to."""
    total = matrix[: s.levels].sum(axis=0) + matrix[-1]
    n, m = s.owners().T
    excess = total[:-1] - (n == m)
    matrix[:, :-1] -= 0.5 * excess * (matrix[:, n] + matrix[:, m])
