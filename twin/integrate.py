"""The one compiled integrator: DOP853 over segments, with dense output at the times asked for.

The right-hand side comes as the address of a function with a fixed signature, so that this file compiles
once and is cached; `kernels` makes such functions from tables. Sensitivities are no special
case: they are further components of the same vector, which steer no step (`lanes`).

Every segment lies between two edges of the drive, so no step can leap over a pulse.
"""

from __future__ import annotations

import numpy as np
from numba import types

from .compiled import INDEX, MATRIX, VECTOR, compiled, kernel_compiled, uncounted
from .dop853 import NODE, combine, dense_tail
from .function_value import FUNCTION
from .lanes import LANES, PATTERN, slopes
from .step_control import dense_error, first_step, growth, largest_members, step_error

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


@compiled(types.void(types.f8, VECTOR, VECTOR, MATRIX, INDEX, MATRIX))
def _dense(h, z, z_new, stages, columns, poly):
    """Coefficients (8, columns) of the 7th-order interpolant of one step."""
    for c in range(len(columns)):
        i = columns[c]
        if i < 0:
            poly[:, c] = 0.0
            continue
        rise = z_new[i] - z[i]
        poly[0, c] = z[i]
        poly[1, c] = rise
        poly[2, c] = h * stages[0, i] - rise
        poly[3, c] = 2.0 * rise - h * (stages[12, i] + stages[0, i])
        dense_tail(h, stages, i, poly, c)


@kernel_compiled(types.i8(types.f8, types.f8, types.f8, VECTOR, types.i8, MATRIX, MATRIX))
def _interpolate(t, h, until, times, asked, poly, out):
    """Rows of `out` for the times from index `asked` on that lie `until` at the latest; the next index."""
    columns = poly.shape[1]
    whole = columns - columns % 8
    while asked < len(times) and times[asked] <= until:
        x = (times[asked] - t) / h
        y = 1.0 - x
        for b in range(0, whole, 8):  # eight at a time, which fills whole vector registers
            for j in range(8):
                c = b + j
                v = poly[6, c] + x * poly[7, c]
                v = poly[5, c] + y * v
                v = poly[4, c] + x * v
                v = poly[3, c] + y * v
                v = poly[2, c] + x * v
                v = poly[1, c] + y * v
                out[asked, c] = poly[0, c] + x * v
        for c in range(whole, columns):
            v = poly[6, c] + x * poly[7, c]
            v = poly[5, c] + y * v
            v = poly[4, c] + x * v
            v = poly[3, c] + y * v
            v = poly[2, c] + x * v
            v = poly[1, c] + y * v
            out[asked, c] = poly[0, c] + x * v
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
    FUNCTION, FUNCTION, PATTERN, VECTOR, types.i8, VECTOR, MATRIX, MATRIX, MATRIX, MATRIX, INDEX, VECTOR,
    types.f8, types.f8, types.f8, types.i8, INDEX, MATRIX, MATRIX, MATRIX, MATRIX, MATRIX, VECTOR, VECTOR,
    VECTOR))
def _advance(rhs, linearised, pattern, z, n_state, bounds, forms, rows, lanes, shifts, blocks, times, rtol,
             atol, longest, max_steps, columns, out, record, stages, sizes, poly, u, sums, jacobian):
    """`integrate` with room to work in: stages (20, n), sizes (2, blocks), poly (8, C), u, sums, jacobian."""
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
        slopes(rhs, linearised, pattern, n_state, z, k, u, sums, jacobian, stages, 0)
        if n != n_state and segment > 0 and _moves(shifts[segment]):
            # A pump's edge that moves leaves the pump as it was for so much longer.
            signals(t, rows[segment - 1], lanes[segment - 1], u)
            before = u[0]
            signals(t, row, lane, u)
            u[0] = before
            slopes(rhs, linearised, pattern, n_state, z, k, u, sums, jacobian, stages, 1)
            for i in range(n_state):
                for q in range(LANES):
                    z[n_state + LANES * i + q] += shifts[segment, q] * (stages[1, i] - stages[0, i])
            signals(t, row, lane, u)
            slopes(rhs, linearised, pattern, n_state, z, k, u, sums, jacobian, stages, 0)
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
            for s in range(1, 12):
                combine(s, step, z, stages, trial)
                if varying:
                    signals(t + NODE[s] * step, row, lane, u)
                slopes(rhs, linearised, pattern, n_state, trial, k, u, sums, jacobian, stages, s)
            combine(12, step, z, stages, z_new)
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
            if varying:
                signals(t_new, row, lane, u)
            slopes(rhs, linearised, pattern, n_state, z_new, k, u, sums, jacobian, stages, 12)
            between = 0.0
            if len(record) > 0 or (asked < len(times) and times[asked] <= t_new):
                for s in range(13, 16):
                    combine(s, step, z, stages, trial)
                    if varying:
                        signals(t + NODE[s] * step, row, lane, u)
                    slopes(rhs, linearised, pattern, n_state, trial, k, u, sums, jacobian, stages, s)
                _dense(step, z, z_new, stages, columns, poly)
                between = dense_error(poly, columns, blocks, largest, rtol, atol)
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
    FUNCTION, FUNCTION, PATTERN, VECTOR, types.i8, VECTOR, MATRIX, MATRIX, MATRIX, MATRIX, INDEX, VECTOR,
    types.f8, types.f8, types.f8, types.i8, INDEX, MATRIX, MATRIX))
def integrate(rhs, linearised, pattern, z, n_state, bounds, forms, rows, lanes, shifts, blocks, times, rtol,
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
    sums, jacobian = np.empty(len(pattern[3])), np.empty(len(pattern[1]))
    return _advance(rhs, linearised, pattern, z, n_state, bounds, forms, rows, lanes, shifts, blocks, times,
                    rtol, atol, longest, max_steps, columns, out, record, np.empty((20, n)), sizes, poly, u,
                    sums, jacobian)
