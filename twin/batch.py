"""Many integrations of one structure, one after the other in one compiled call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import types

from . import integrate as engine
from .compiled import INDEX, MATRIX, VECTOR, compiled
from .function_value import FUNCTION
from .solution import SHOWN
from .stage import ABSOLUTE_TOLERANCE, MAX_STEPS, MAX_WORK, Segments, Stage
from .straight_line import LANES

_CUBE = types.Array(types.f8, 3, "C")


@compiled(types.void(FUNCTION, MATRIX, VECTOR, _CUBE, _CUBE, MATRIX, MATRIX, INDEX, VECTOR, types.f8,
                     types.f8, VECTOR, types.i8, INDEX, types.i8, _CUBE, INDEX, INDEX))
def _integrate_each(rhs, vectors, bounds, forms, rows, lanes, shifts, blocks, times, rtol, atol,
                    longest, max_steps, columns, first, out, status, steps):
    """`integrate.integrate` for every point (P, ...) that is still well; rows from `first` on are filled."""
    record = np.empty((0, 2 + 8 * len(columns)))
    for i in range(len(vectors)):
        if status[i] == 0:
            told = out[i, first: first + len(times)]
            status[i], tried, _, reached = engine.integrate(
                rhs, vectors[i], vectors.shape[1], bounds, forms[i], rows[i], lanes, shifts,
                blocks, times, rtol, atol, longest[i], max_steps, columns, told, record)
            steps[i] += tried
            told[reached:] = np.nan
        else:
            out[i, first:] = np.nan


class Batch:
    """P points on their way: vectors (P, n), values shown (P, T, V), status and steps (P,)."""

    def __init__(self, points: int, times: np.ndarray, rtol: float) -> None:
        self.times, self.rtol, self.first = times, rtol, 0
        self.out = np.empty((points, len(times), len(SHOWN)))
        self.status, self.steps = np.zeros(points, np.int64), np.zeros(points, np.int64)

    def start(self, stage: Stage, initial: Mapping[str, Any]) -> None:
        """The state at the start: variable -> one number or a row (P,)."""
        self.stage = stage
        self.vectors = np.zeros((len(self.out), stage.size))
        for variable, value in initial.items():
            self.vectors[:, stage.index[variable]] = np.real(value)

    def hand_over(self, stage: Stage) -> None:
        """Go on in another stage's variables."""
        self.vectors = np.array([stage.adopt(z, self.stage) for z in self.vectors])
        self.stage = stage

    def run(self, segments: Segments, forms: np.ndarray, rows: np.ndarray) -> None:
        """Integrate to the end of the segments; forms (P, S, m), rows (P, S, 8)."""
        kernel, end = self.stage.kernel, segments.bounds[-1]
        upto = int(np.searchsorted(self.times, end, side="right"))
        turning = np.abs(rows[:, 0, engine.DRIVE_DETUNING])
        with np.errstate(divide="ignore"):
            longest = 0.25 * np.pi / turning
        _integrate_each(
            kernel.rhs, self.vectors, segments.bounds, forms, rows, segments.lanes,
            np.zeros((len(rows[0]), LANES)), kernel.blocks, self.times[self.first: upto], self.rtol,
            ABSOLUTE_TOLERANCE, longest, min(MAX_STEPS, MAX_WORK // self.stage.n),
            self.stage.columns(SHOWN), self.first, self.out, self.status, self.steps)
        self.first = upto
