"""Runge and Kutta's fourth-order method under noise held during each step: the inner loop of single shots.

It knows nothing of shots or molecules: a vector, the address of a right-hand side, random numbers, and
times at which some of the components are read. Noise enters as a force, not as a jump at the end of a step:
what a jump misses of its own growth within the step, some percent at a tenth of an e-fold, would be missing
from every shot alike.
"""

from __future__ import annotations

import numpy as np
from numba import types

from . import integrate as engine
from .compiled import INDEX, MATRIX, VECTOR, compiled, kernel_compiled
from .function_value import FUNCTION, call_rhs, place

CUBE = types.Array(types.f8, 3, "C")
INDICES = types.Array(types.i8, 2, "C")


@kernel_compiled(types.void(VECTOR, types.f8, VECTOR, VECTOR))
def _advance(z, h, k, out):
    """out = z + h k."""
    for i in range(len(z)):
        out[i] = z[i] + h * k[i]


@kernel_compiled(types.void(VECTOR, types.f8, VECTOR, VECTOR, VECTOR, VECTOR))
def _finish(z, h, k1, k2, k3, k4):
    """z += h/6 (k1 + 2 k2 + 2 k3 + k4)."""
    for i in range(len(z)):
        z[i] += h / 6.0 * (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i])


@kernel_compiled(types.void(VECTOR, types.i8, types.f8, INDICES, INDICES, MATRIX, types.i8, CUBE, types.i8,
                            VECTOR))
def _draw(middle, width, h, places, levels, strengths, row, kicks, at, force):
    """Fill in the force [1/s] that holds during a step h; `middle` is the state half way through it.

    The two parts of noise p stand at places[p] and have equal variance: strengths[row + p] is its constant,
    then the factors of the populations at levels[p] (5,), if that begins with a place and not -1.
    """
    for p in range(len(places)):
        re, im = width * places[p, 0], width * places[p, 1]
        strength = strengths[row + p]
        if levels[p, 0] < 0:
            size = np.sqrt(strength[0] / h)
            for q in range(width):
                force[re + q] = size * kicks[q, at, 2 * p]
                force[im + q] = size * kicks[q, at, 2 * p + 1]
            continue
        a, b, c = width * levels[p, 0], width * levels[p, 1], width * levels[p, 2]
        d, e = width * levels[p, 3], width * levels[p, 4]
        for q in range(width):
            density = (strength[1] * middle[a + q] + strength[2] * middle[b + q] + strength[3] * middle[c + q]
                       + strength[4] * middle[d + q] + strength[5] * middle[e + q]) / h
            size = np.sqrt(density if density > 0.0 else 0.0)
            force[re + q] = size * kicks[q, at, 2 * p]
            force[im + q] = size * kicks[q, at, 2 * p + 1]


@kernel_compiled(types.void(types.f8, types.f8, VECTOR, VECTOR, VECTOR, VECTOR, VECTOR, VECTOR))
def _between(x, h, before, slope, after, end_slope, force, out):
    """out = state at the fraction x of a step, by Hermite's cubic; the force adds to both slopes."""
    y = 1.0 - x
    a, b = y * y * (1.0 + 2.0 * x), y * y * x * h
    c, d = x * x * (1.0 + 2.0 * y), x * x * y * h
    for i in range(len(out)):
        rise = b * (slope[i] + force[i]) - d * (end_slope[i] + force[i])
        out[i] = a * before[i] + c * after[i] + rise


@kernel_compiled(types.void(VECTOR, types.i8, INDEX, types.i8, CUBE))
def _show(z, width, columns, asked, out):
    """out[q, asked] = columns of system q."""
    for q in range(out.shape[0]):
        for j in range(len(columns)):
            out[q, asked, j] = z[width * columns[j] + q]


@compiled(types.i8(FUNCTION, VECTOR, VECTOR, VECTOR, INDEX, MATRIX, MATRIX, types.i8, types.i8, types.i8,
                   INDICES, INDICES, MATRIX, CUBE, VECTOR, types.i8, INDEX, CUBE))
def march(rhs, z, starts, lengths, counts, forms, rows, first, last, width, places, levels, strengths, kicks,
          times, asked, columns, out):
    """Take the steps `first` to `last`; the index of the first time that was not reached.

    z is changed in place; after the last step of all it is what holds at the last time.

    Segment s begins at starts[s] and has counts[s] steps of lengths[s] under forms[s] and rows[s] of signals.
    `width` systems stand abreast, component i of system q at z[width * i + q]; places (P, 2), levels (P, 5)
    and columns (C,) are components. strengths (S * P, 6) as in `_draw`; kicks (width, steps, 2 P)
    standard normal; times (T,) rising; out (shots, T, C) for the first of the systems.
    """
    # half, full: z moved by the noise of half and of the whole step, and by nothing else.
    slope, k2, k3, k4 = np.empty_like(z), np.empty_like(z), np.empty_like(z), np.empty_like(z)
    trial, half, full = np.empty_like(z), np.empty_like(z), np.empty_like(z)
    force, u, none = np.zeros_like(z), np.empty(3), np.empty(0)
    total, s, begin, known, varying = counts.sum(), 0, 0, False, True
    for at in range(first, last):
        while at >= begin + counts[s]:
            begin += counts[s]
            s, known = s + 1, False
        h, t, form = lengths[s], starts[s] + (at - begin) * lengths[s], s * forms.shape[1]
        if not known:  # else it is the slope at the end of the step before
            engine.signals(t, rows[s], none, u)
            call_rhs(rhs, place(z, 0), place(forms, form), place(u, 0), place(slope, 0))
            known = True
            varying = (rows[s, engine.SLOPE] != 0.0 or rows[s, engine.SHARPNESS] > 0.0
                       or rows[s, engine.DRIVE_DETUNING] != 0.0)
        _advance(z, 0.5 * h, slope, trial)
        _draw(trial, width, h, places, levels, strengths, s * len(places), kicks, at - first, force)
        _advance(z, 0.5 * h, force, half)
        _advance(z, h, force, full)
        if varying:
            engine.signals(t + 0.5 * h, rows[s], none, u)
        _advance(half, 0.5 * h, slope, trial)
        call_rhs(rhs, place(trial, 0), place(forms, form), place(u, 0), place(k2, 0))
        _advance(half, 0.5 * h, k2, trial)
        call_rhs(rhs, place(trial, 0), place(forms, form), place(u, 0), place(k3, 0))
        _advance(full, h, k3, trial)
        if varying:
            engine.signals(t + h, rows[s], none, u)
        call_rhs(rhs, place(trial, 0), place(forms, form), place(u, 0), place(k4, 0))
        _finish(full, h, slope, k2, k3, k4)
        call_rhs(rhs, place(full, 0), place(forms, form), place(u, 0), place(k2, 0))
        while asked < len(times) and (times[asked] <= t + h or at == total - 1):
            _between((times[asked] - t) / h, h, z, slope, full, k2, force, trial)
            _show(trial, width, columns, asked, out)
            asked += 1
        z[:], slope[:] = full, k2
    if last == total:
        z[:] = trial  # the last time lies within the last step
    return asked
