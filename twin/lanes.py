"""Forward sensitivities: the slope of a state and of its derivatives by up to LANES parameters.

With dx/dt = sum over groups of (signal * form * sum of products), a derivative y = dx/dp obeys

  dy_i/dt = sum_j J_ij y_j + sum over groups of i of d(signal * form)/dp * (sum of products),

J_ij = d(dx_i/dt)/dx_j. A kernel works out J and the sums (`kernels`); the rest is the same for every
structure and compiled once, here. The derivatives stand behind the state, LANES to each variable.
"""

from __future__ import annotations

from numba import njit, types

from .compiled import INDEX, MATRIX, VECTOR, uncounted_kernel
from .function_value import call_linearised, call_rhs, place

LANES = 8
"""Parameters that one pass differentiates by."""

PATTERN = types.UniTuple(INDEX, 5)
"""(first Jacobian entry of each variable, columns, first group of each variable, form and signal (-1: none)
of each group); the firsts have one more entry, the end."""


@uncounted_kernel(types.void(PATTERN, types.i8, VECTOR, VECTOR, VECTOR, VECTOR, VECTOR, MATRIX, types.i8))
def lane_slopes(pattern, n, z, k, u, sums, jacobian, stages, s):
    """stages[s, n:], the slope of the derivatives z[n:]; k and u hold derivatives behind their values."""
    row_starts, columns, group_starts, group_forms, group_signals = pattern
    forms = len(k) // (1 + LANES)
    for i in range(n):
        out = stages[s, n + LANES * i: n + LANES * (i + 1)]  # views, whose loops become vector instructions
        for q in range(LANES):
            out[q] = 0.0
        for e in range(row_starts[i], row_starts[i + 1]):
            first, slope = n + LANES * columns[e], jacobian[e]
            of = z[first: first + LANES]
            for q in range(LANES):
                out[q] += slope * of[q]
        for g in range(group_starts[i], group_starts[i + 1]):
            form, signal = group_forms[g], group_signals[g]
            moved = k[forms + LANES * form: forms + LANES * (form + 1)]
            by_form = sums[g]
            if signal >= 0:
                by_form, by_signal = sums[g] * u[signal], sums[g] * k[form]
                signal_moved = u[3 + LANES * signal: 3 + LANES * (signal + 1)]
                for q in range(LANES):
                    out[q] += by_signal * signal_moved[q]
            for q in range(LANES):
                out[q] += by_form * moved[q]


@njit(inline="always")  # as a call of its own, its seventy words of arguments would cost more than it does
def slopes(rhs, linearised, pattern, n, z, k, u, sums, jacobian, stages, s):
    """stages[s] = the slope of the state z[:n] and, if z is longer, of its derivatives."""
    there = place(stages, s * len(z))
    if len(z) == n:
        call_rhs(rhs, place(z, 0), place(k, 0), place(u, 0), there)
    else:
        call_linearised(linearised, place(z, 0), place(k, 0), place(u, 0), there, place(sums, 0),
                        place(jacobian, 0))
        lane_slopes(pattern, n, z, k, u, sums, jacobian, stages, s)
