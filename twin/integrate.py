"""The one compiled integrator: DOP853 over segments, with dense output at the times asked for.

The right-hand side comes as a function value with a fixed signature, so that this file compiles
once and is cached; `kernels` makes such functions from tables. Sensitivities are no special
case: they are further components of the same vector, which steer no step (`n_state`).

Every segment lies between two edges of the drive, so no step can leap over a pulse.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from .compiled import INDEX, MATRIX, VECTOR, compiled
from .dop853 import NODE, combine, dense_tail, error_estimates

LANES = 8
"""Parameters that one pass differentiates by."""

DENSE_SHARE = 1.5
"""How much larger than the error of a step the error between its ends may be."""

_NEGLIGIBLE = 1e-30
"""Scaled moments below this may start at any rate: they are not worth a step."""

OK, STEP_BUDGET, STEP_TOO_SMALL, RECORD_FULL = 0, 1, 2, 3
STATUS = {
    OK: "ok",
    STEP_BUDGET: "the step budget is used up before the last time; raise max_steps, shorten the times or "
                 "lower the fastest rate or drive",
    STEP_TOO_SMALL: "the step size fell below rounding; a rate or drive is out of proportion, check its unit",
}

RHS_SIGNATURE = types.void(VECTOR, VECTOR, VECTOR, VECTOR)
"""rhs(z, k, u, dz): state, forms of rates, signals, slope; sensitivities follow the state in each."""
RHS = types.FunctionType(RHS_SIGNATURE)


class FunctionValue(types.WrapperAddressProtocol):
    """A compiled right-hand side as an argument; its address is looked up once, not at every call."""

    def __init__(self, function: Any) -> None:
        compiled_function = function.get_compile_result(RHS_SIGNATURE)
        self._keep = compiled_function  # the machine code lives as long as this does
        self._address = compiled_function.library.get_pointer_to_function(
            compiled_function.fndesc.llvm_cfunc_wrapper_name)

    def __wrapper_address__(self) -> int:
        return self._address

    def signature(self) -> Any:
        return RHS_SIGNATURE

# Columns of a segment's row of signals: pump value at start, its slope, start, centre and 1/width of the
# Gaussian (0: none), then real and imaginary part and detuning of the cavity drive.
PUMP, SLOPE, START, CENTRE, SHARPNESS, DRIVE_RE, DRIVE_IM, DRIVE_DETUNING, SIGNAL_COLUMNS = range(9)


@compiled(types.void(types.f8, VECTOR, VECTOR, VECTOR))
def signals(t, row, lanes, u):
    """u = (pump, Re eps e^(-i d t), Im ...) at t, followed by their derivatives, lane by lane, if asked for.

    `lanes` (5 * LANES,): derivative of pump value and slope, of the drive's real and imaginary part and of
    its detuning.
    """
    shape = 1.0
    if row[SHARPNESS] > 0.0:
        shape = np.exp(-(((t - row[CENTRE]) * row[SHARPNESS]) ** 2))
    since = t - row[START]
    u[0] = (row[PUMP] + row[SLOPE] * since) * shape
    u[1] = 0.0
    u[2] = 0.0
    if row[DRIVE_RE] == 0.0 and row[DRIVE_IM] == 0.0 and len(u) == 3:
        return
    c, s = np.cos(row[DRIVE_DETUNING] * t), np.sin(row[DRIVE_DETUNING] * t)
    u[1] = row[DRIVE_RE] * c + row[DRIVE_IM] * s
    u[2] = row[DRIVE_IM] * c - row[DRIVE_RE] * s
    if len(u) > 3:
        for q in range(LANES):
            u[3 + q] = (lanes[q] + lanes[LANES + q] * since) * shape
            re, im, turn = lanes[2 * LANES + q], lanes[3 * LANES + q], lanes[4 * LANES + q] * t
            u[3 + LANES + q] = re * c + im * s + turn * u[2]
            u[3 + 2 * LANES + q] = im * c - re * s - turn * u[1]


@compiled(types.f8(MATRIX, types.f8, VECTOR, VECTOR, INDEX, VECTOR, types.f8, types.f8, types.i8))
def _error(stages, h, z, z_new, blocks, largest, rtol, atol, n):
    """The mixed error of order 5 and 3 after Hairer, relative to the largest member of each block."""
    largest[:] = 0.0
    for i in range(n):
        size = max(abs(z[i]), abs(z_new[i]))
        if size > largest[blocks[i]]:
            largest[blocks[i]] = size
    five, three = 0.0, 0.0
    for i in range(n):
        e5, e3 = error_estimates(stages, i)
        scale = atol + rtol * largest[blocks[i]]
        five += (e5 / scale) ** 2
        three += (e3 / scale) ** 2
    if five == 0.0:
        return 0.0
    return abs(h) * five / np.sqrt((five + 0.01 * three) * n)


@compiled(types.void(types.f8, VECTOR, VECTOR, MATRIX, INDEX, MATRIX))
def _dense(h, z, z_new, stages, columns, poly):
    """Coefficients (8, columns) of the 7th-order interpolant of one step."""
    for c in range(len(columns)):
        i = columns[c]
        rise = z_new[i] - z[i]
        poly[0, c] = z[i]
        poly[1, c] = rise
        poly[2, c] = h * stages[0, i] - rise
        poly[3, c] = 2.0 * rise - h * (stages[12, i] + stages[0, i])
        dense_tail(h, stages, i, poly, c)


@compiled(types.f8(MATRIX, INDEX, INDEX, VECTOR, types.f8, types.f8, types.i8))
def _dense_error(poly, columns, blocks, largest, rtol, atol, n):
    """Error between the ends of a step, over DENSE_SHARE times what is allowed at its end.

    Where steps are as long as stability allows, the end is exact and the interpolant is not: it misses by
    about 9.2e-4 of its last coefficient (measured on decaying and ringing pentacene).
    """
    worst = 0.0
    for c in range(len(columns)):
        i = columns[c]
        if i < n:
            worst = max(worst, 9.2e-4 * abs(poly[7, c]) / (DENSE_SHARE * (atol + rtol * largest[blocks[i]])))
    return worst


@compiled(types.void(types.f8, MATRIX, VECTOR))
def interpolate(x, poly, out):
    """out = the interpolant at the fraction x of its step."""
    y = 1.0 - x
    for c in range(len(out)):
        v = poly[7, c]
        v = poly[6, c] + x * v
        v = poly[5, c] + y * v
        v = poly[4, c] + x * v
        v = poly[3, c] + y * v
        v = poly[2, c] + x * v
        v = poly[1, c] + y * v
        out[c] = poly[0, c] + x * v


@compiled(types.f8(VECTOR, VECTOR, INDEX, VECTOR, types.i8, types.f8))
def _first_step(z, slope, blocks, largest, n, span):
    """A hundredth of the shortest time in which a block would change by itself; at most the segment."""
    largest[:] = 0.0
    for i in range(n):
        largest[blocks[i]] = max(largest[blocks[i]], abs(z[i]))
    h = span
    for i in range(n):
        if abs(slope[i]) > 0.0 and largest[blocks[i]] > _NEGLIGIBLE:
            h = min(h, 0.01 * largest[blocks[i]] / abs(slope[i]))
    return h


@compiled(types.Tuple((types.i8, types.i8, types.i8))(
    RHS, VECTOR, types.i8, VECTOR, MATRIX, MATRIX, MATRIX, INDEX, VECTOR, types.f8, types.f8, types.f8,
    types.i8, INDEX, MATRIX, MATRIX))
def integrate(rhs, z, n_state, bounds, forms, rows, lanes, blocks, times, rtol, atol, longest, max_steps,
              columns, out, record):
    """Integrate z in place over the segments; returns (status, steps taken, steps recorded).

    bounds (S+1,): edges [s]; forms, rows, lanes (S, .): what holds in each segment; times (T,) rising within
    the bounds; out (T, C): the `columns` of z there; record (R, 2 + 8 C): start, length and interpolant of
    every step, if R > 0. `longest` [s] caps a step. Error control looks at z[:n_state] only.
    """
    n = len(z)
    stages = np.empty((16, n))
    z_new, trial = np.empty(n), np.empty(n)
    u = np.empty(3 if n == n_state else 3 + 3 * LANES)
    poly = np.empty((8, len(columns)))
    largest = np.empty(blocks.max() + 1)
    steps, recorded, asked = 0, 0, 0
    while asked < len(times) and times[asked] <= bounds[0]:
        for c in range(len(columns)):
            out[asked, c] = z[columns[c]]
        asked += 1
    h = 0.0
    for segment in range(len(bounds) - 1):
        t, end = bounds[segment], bounds[segment + 1]
        k, row, lane = forms[segment], rows[segment], lanes[segment]
        varying = (row[SLOPE] != 0.0 or row[SHARPNESS] > 0.0 or row[DRIVE_RE] != 0.0 or row[DRIVE_IM] != 0.0
                   or (n != n_state and row[DRIVE_DETUNING] != 0.0))
        signals(t, row, lane, u)
        rhs(z, k, u, stages[0])
        # A segment of almost no length must not leave its step to the next one.
        h = max(h, _first_step(z, stages[0], blocks, largest, n_state, end - t))
        rejected = False
        while t < end:
            if steps >= max_steps:
                return STEP_BUDGET, steps, recorded
            h = min(h, longest)
            last = t + h * (1.0 + 1e-12) >= end
            step = end - t if last else h
            if step <= 4e-16 * max(abs(t), abs(end)) and not last:
                return STEP_TOO_SMALL, steps, recorded
            for s in range(1, 12):
                combine(s, step, z, stages, trial)
                if varying:
                    signals(t + NODE[s] * step, row, lane, u)
                rhs(trial, k, u, stages[s])
            combine(12, step, z, stages, z_new)
            error = _error(stages, step, z, z_new, blocks, largest, rtol, atol, n_state)
            steps += 1
            if not error <= 1.0:  # catches NaN as well
                h = step * (max(0.2, 0.9 * error ** -0.125) if error < 1e300 else 0.1)
                rejected = True
                if h < 1e-30:
                    return STEP_TOO_SMALL, steps, recorded
                continue
            t_new = end if last else t + step
            if varying:
                signals(t_new, row, lane, u)
            rhs(z_new, k, u, stages[12])
            wanted = asked < len(times) and times[asked] <= t_new
            between = 0.0
            if wanted or len(record) > 0:
                for s in range(13, 16):
                    combine(s, step, z, stages, trial)
                    if varying:
                        signals(t + NODE[s] * step, row, lane, u)
                    rhs(trial, k, u, stages[s])
                _dense(step, z, z_new, stages, columns, poly)
                between = _dense_error(poly, columns, blocks, largest, rtol, atol, n_state)
                if between > 1.0:
                    h = step * max(0.2, 0.9 * between ** -0.125)
                    rejected = True
                    continue
                while asked < len(times) and times[asked] <= t_new:
                    interpolate((times[asked] - t) / step, poly, out[asked])
                    asked += 1
                if len(record) > 0:
                    if recorded >= len(record):
                        return RECORD_FULL, steps, recorded
                    record[recorded, 0], record[recorded, 1] = t, step
                    for r in range(8):
                        for c in range(len(columns)):
                            record[recorded, 2 + r * len(columns) + c] = poly[r, c]
                    recorded += 1
            grow = 6.0 if error == 0.0 else min(6.0, 0.9 * error ** -0.125)
            if between > 0.0:
                grow = min(grow, 0.95 * between ** -0.125)
            if rejected:
                grow = min(1.0, grow)
            # The cut at an edge says nothing about the size that the solution allows.
            h = max(h, step * grow) if last and step < h else step * max(0.3, grow)
            rejected = False
            t = t_new
            z[:] = z_new
            stages[0, :] = stages[12]
    return OK, steps, recorded
