"""A run that can be watched: frames of it while it is worked out, for a window that draws in between.

No thread and no clock: the caller's own loop takes one frame after the other, and closing the iterator ends
the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .charge import MOST, begun, figures, whole
from .parameters import Parameters
from .stepping import Stepper
from .wigner import wigner as wigner_function


@dataclass(frozen=True, eq=False)
class Frame:
    """The battery after `collision` collisions.

    `energy`, `purity`, `fano`, `lost_weight` (collision + 1,): the run so far, as `Run` has them; they are
    views of what goes on growing and cannot be written to. `populations`: P(n) (d,) now, d as large as it has
    become. `wigner` (len(p), len(x)) now, None unless asked for.
    """

    collision: int
    energy: np.ndarray
    purity: np.ndarray
    fano: np.ndarray
    lost_weight: np.ndarray
    populations: np.ndarray
    wigner: np.ndarray | None


def live(parameters: Parameters, collisions: int, every: int = 10, dimension: int | None = None,
         initial: Any = None, wigner: tuple[Any, Any] | None = None) -> Iterator[Frame]:
    """Frames of the run `charge(parameters, collisions, dimension, initial)`: the first of the initial state,
    then one after every so many collisions and one after the last.

    `wigner` = (x, p): Wigner functions on that grid. What `charge` refuses is refused here at once, and what
    it finds out on the way (too few levels) is raised from the iterator.
    """
    stepper = begun(parameters, collisions, dimension, initial)
    if wigner is not None:
        wigner_function(np.eye(1), *wigner)
    return _frames(stepper, whole("every", every, 1, MOST), wigner)


def _frames(stepper: Stepper, every: int, grid: tuple[Any, Any] | None) -> Iterator[Frame]:
    rows = np.empty((4, stepper.collisions + 1))
    rows[:, :1] = figures(stepper.first)
    yield _frame(stepper, rows, grid)
    while stepper.done < stepper.collisions:
        before = stepper.done
        found = stepper.advance(min(every - before % every, stepper.collisions - before))
        rows[:, before + 1 : stepper.done + 1] = figures(found)
        if stepper.done % every == 0 or stepper.done == stepper.collisions:
            yield _frame(stepper, rows, grid)


def _frame(stepper: Stepper, rows: np.ndarray, grid: tuple[Any, Any] | None) -> Frame:
    so_far = rows[:, : stepper.done + 1]
    so_far.flags.writeable = False
    levels = slice(stepper.dimension)
    function = None if grid is None else wigner_function(stepper.charge.matrix[levels, levels], *grid)
    populations = stepper.charge.populations[levels]
    energy, purity, fano, lost_weight = so_far
    return Frame(stepper.done, energy, purity, fano, lost_weight, populations, function)
