"""The one compiled integrator: DOP853 over segments, with dense output at the times asked for.

The right-hand side comes as the address of a function with a fixed signature, so that this file compiles
once and is cached; `kernels` makes such functions from tables. Sensitivities are no special
case: they are further components of the same vector, which steer no step.

Every segment lies between two edges of the drive, so no step can leap over a pulse.
"""

from __future__ import annotations

import numpy as np
from numba import types

from .compiled import INDEX, MATRIX, VECTOR, compiled, kernel_compiled, uncounted
from .dop853 import NODE, combine, dense_tail
from .function_value import FUNCTION, call_rhs, place
from .step_control import dense_error, first_step, growth, largest_members, step_error
from .straight_line import LANES

OK, STEP_BUDGET, STEP_TOO_SMALL, RECORD_FULL = 0, 1, 2, 3
STATUS = {
    OK: "ok",
    STEP_BUDGET: "the step budget is used up before the last time; raise max_steps, shorten the times or "
                 "lower the fastest rate or drive",
    STEP_TOO_SMALL: "the step size fell below rounding; a rate or drive is out of proportion, check its unit",
}

# Columns of a segment's row of signals: pump value at start, its slope, start, centre and 1/width of the
# Gaussian (0: none), then real and imaginary part and detuning of the cavity drive.
PUMP, SLOPE, START, CENTRE, SHARPNESS, DRIVE_RE, DRIVE_IM, DRIVE_DETUNING, SIGNAL_COLUMNS = range(9)

_VANISHED = 1e-150
"""Below, a variable is nothing: products of smaller numbers are denormal, which costs a hundredfold."""


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


@uncounted(types.void(types.f8, VECTOR, MATRIX, INDEX, MATRIX, MATRIX, MATRIX))
def _dense(h, z, stages, columns, chosen, tail, poly):
    """Coefficients (8, C) of the 7th-order interpolant of one step that ends in row 16 of the stages.

    Sums over stages run along memory: over all variables where these are few, else over `chosen` (16, C),
    where the stages of the columns are laid side by side first.
    """
    few = chosen.shape[1] == stages.shape[1]
    if few:
        dense_tail(h, stages, tail)
    else:
        for s in range(16):
            for c in range(len(columns)):
                chosen[s, c] = stages[s, max(columns[c], 0)]
        dense_tail(h, chosen, tail)
    for c in range(len(columns)):
        i = columns[c]
        if i < 0:  # stays zero
            for r in range(8):
                poly[r, c] = 0.0
            continue
        rise, place = stages[16, i] - z[i], i if few else c
        poly[0, c] = z[i]
        poly[1, c] = rise
        poly[2, c] = h * stages[0, i] - rise
        poly[3, c] = 2.0 * rise - h * (stages[12, i] + stages[0, i])
        for r in range(4):
            poly[4 + r, c] = tail[r, place]


@kernel_compiled(types.f8(MATRIX, types.i8, types.f8, types.f8))
def _between(poly, c, x, y):
    """The interpolant of column c at the fraction x = 1 - y of its step."""
    v = poly[6, c] + x * poly[7, c]
    v = poly[5, c] + y * v
    v = poly[4, c] + x * v
    v = poly[3, c] + y * v
    v = poly[2, c] + x * v
    v = poly[1, c] + y * v
    return poly[0, c] + x * v


@kernel_compiled(types.i8(types.f8, types.f8, types.f8, VECTOR, types.i8, MATRIX, MATRIX))
def _interpolate(t, h, until, times, asked, poly, out):
    """Rows of `out` for the times from index `asked` on that lie `until` at the latest; the next index."""
    columns, share = poly.shape[1], 1.0 / h
    while asked < len(times) and times[asked] <= until:
        x = (times[asked] - t) * share
        row = out[asked]
        if columns == 8:  # what a trajectory shows; a known count fills whole vector registers
            for c in range(8):
                row[c] = _between(poly, c, x, 1.0 - x)
        else:
            for c in range(columns):
                row[c] = _between(poly, c, x, 1.0 - x)
        asked += 1
    return asked


@compiled(types.void(MATRIX, VECTOR))
def _accept(stages, z):
    """z = the step's end in row 16, what has vanished set to zero; its slope begins the next step."""
    for i in range(len(z)):
        z[i] = stages[16, i] if abs(stages[16, i]) > _VANISHED else 0.0
        stages[0, i] = stages[12, i]


@compiled(types.boolean(VECTOR))
def _moves(shift):
    largest = 0.0
    for q in range(len(shift)):
        largest = max(largest, abs(shift[q]))
    return largest > 0.0


@uncounted(types.UniTuple(types.i8, 4)(
    FUNCTION, VECTOR, types.i8, VECTOR, MATRIX, MATRIX, MATRIX, MATRIX, INDEX, VECTOR,
    types.f8, types.f8, types.f8, types.i8, INDEX, MATRIX, MATRIX, MATRIX, MATRIX, MATRIX, MATRIX, MATRIX,
    VECTOR))
def _advance(rhs, z, n_state, bounds, forms, rows, lanes, shifts, blocks, times, rtol,
             atol, longest, max_steps, columns, out, record, stages, sizes, chosen, tail, poly, u):
    """`integrate` with room to work in: stages (20, n), sizes (2, blocks), poly (8, C) ..."""
    n = len(z)
    z_new, trial = stages[16], stages[17]
    five, three = stages[18, :n_state], stages[19, :n_state]
    largest, inverse = sizes[0], sizes[1]
    steps, recorded, asked = 0, 0, 0
    while asked < len(times) and times[asked] <= bounds[0]:
        for c in range(len(columns)):
            out[asked, c] = z[columns[c]] if columns[c] >= 0 else 0.0
        asked += 1
    h = 0.0
    for segment in range(len(bounds) - 1):
        t, end = bounds[segment], bounds[segment + 1]
        k, row, lane = forms[segment], rows[segment], lanes[segment]
        varying = (row[SLOPE] != 0.0 or row[SHARPNESS] > 0.0 or row[DRIVE_RE] != 0.0 or row[DRIVE_IM] != 0.0
                   or (n != n_state and row[DRIVE_DETUNING] != 0.0))
        signals(t, row, lane, u)
        call_rhs(rhs, place(z, 0), place(k, 0), place(u, 0), place(stages, 0 * n))
        if n != n_state and segment > 0 and _moves(shifts[segment]):
            # A pump's edge that moves leaves the pump as it was for so much longer.
            signals(t, rows[segment - 1], lanes[segment - 1], u)
            before = u[0]
            signals(t, row, lane, u)
            u[0] = before
            call_rhs(rhs, place(z, 0), place(k, 0), place(u, 0), place(stages, 1 * n))
            for i in range(n_state):
                for q in range(LANES):
                    z[n_state + LANES * i + q] += shifts[segment, q] * (stages[1, i] - stages[0, i])
            signals(t, row, lane, u)
            call_rhs(rhs, place(z, 0), place(k, 0), place(u, 0), place(stages, 0 * n))
        # A segment of almost no length must not leave its step to the next one.
        h = max(h, first_step(z, stages[0], blocks, largest, end - t))
        rejected = False
        while t < end:
            if steps >= max_steps:
                return STEP_BUDGET, steps, recorded, asked
            h = min(h, longest)
            last = t + h * (1.0 + 1e-12) >= end
            step = end - t if last else h
            if step <= 4e-16 * max(abs(t), abs(end)) and not last:
                return STEP_TOO_SMALL, steps, recorded, asked
            for s in range(1, 13):  # the last is the step's end
                combine(s, step, z, stages, z_new)
                if varying:
                    signals(t + NODE[s] * step, row, lane, u)
                call_rhs(rhs, place(z_new, 0), place(k, 0), place(u, 0), place(stages, s * n))
            largest_members(z, z_new, blocks, largest)
            error = step_error(stages, step, blocks, largest, rtol, atol, five, three, inverse)
            steps += 1
            if not error <= 1.0:  # catches NaN as well
                h = step * (max(0.2, growth(error)) if error < 1e300 else 0.1)
                rejected = True
                if h < 1e-30:
                    return STEP_TOO_SMALL, steps, recorded, asked
                continue
            t_new = end if last else t + step
            between = 0.0
            if len(record) > 0 or (asked < len(times) and times[asked] <= t_new):
                for s in range(13, 16):
                    combine(s, step, z, stages, trial)
                    if varying:
                        signals(t + NODE[s] * step, row, lane, u)
                    call_rhs(rhs, place(trial, 0), place(k, 0), place(u, 0), place(stages, s * n))
                _dense(step, z, stages, columns, chosen, tail, poly)
                between = dense_error(poly, columns, blocks, inverse)
                if between > 1.0:
                    h = step * max(0.2, growth(between))
                    rejected = True
                    continue
                asked = _interpolate(t, step, t_new, times, asked, poly, out)
                if len(record) > 0:
                    if recorded >= len(record):
                        return RECORD_FULL, steps, recorded, asked
                    record[recorded, 0], record[recorded, 1] = t, step
                    for r in range(8):
                        for c in range(len(columns)):
                            record[recorded, 2 + r * len(columns) + c] = poly[r, c]
                    recorded += 1
            grow = growth(error)
            if between > 0.0:
                grow = min(grow, 1.05 * growth(between))
            if rejected:
                grow = min(1.0, grow)
            # The cut at an edge says nothing about the size that the solution allows.
            h = max(h, step * grow) if last and step < h else step * max(0.3, grow)
            rejected = False
            t = t_new
            _accept(stages, z)
    return OK, steps, recorded, asked


@compiled(types.UniTuple(types.i8, 4)(
    FUNCTION, VECTOR, types.i8, VECTOR, MATRIX, MATRIX, MATRIX, MATRIX, INDEX, VECTOR,
    types.f8, types.f8, types.f8, types.i8, INDEX, MATRIX, MATRIX))
def integrate(rhs, z, n_state, bounds, forms, rows, lanes, shifts, blocks, times, rtol,
              atol, longest, max_steps, columns, out, record):
    """Integrate z in place over the segments; returns (status, steps tried, steps recorded, times reached).

    bounds (S+1,): edges [s]; forms, rows, lanes (S, .): what holds in each segment; shifts (S, LANES):
    derivative of each segment's start by each lane's parameter; times (T,) rising within the bounds;
    out (T, C): the `columns` of z there (-1: zero); record (R, 2 + 8 C): start, length and interpolant of
    every step, if R > 0. `longest` [s] caps a step. Error control looks at z[:n_state] only.
    """
    n = len(z)
    u = np.empty(3 if n == n_state else 3 + 3 * LANES)
    sizes, poly = np.empty((2, blocks.max() + 1)), np.empty((8, len(columns)))
    beside = n if n <= 2 * len(columns) else len(columns)
    return _advance(rhs, z, n_state, bounds, forms, rows, lanes, shifts, blocks, times,
                    rtol, atol, longest, max_steps, columns, out, record, np.empty((20, n)), sizes,
                    np.empty((16, beside)), np.empty((4, beside)), poly, u)
