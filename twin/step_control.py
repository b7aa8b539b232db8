"""How long a step may be: errors of one step against what is allowed, block by block.

Error is judged against the largest member of a variable's block (`table`), because real and imaginary part
of one moment pass through zero in turn, and because some members of a block are nothing but rounding.
"""

from __future__ import annotations

import numpy as np
from numba import types

from .compiled import INDEX, MATRIX, VECTOR, compiled, kernel_compiled
from .dop853 import error_estimates

DENSE_SHARE = 5.0
"""How much larger than the error of a step the error between its ends may be."""

_NEGLIGIBLE = 1e-30
"""Scaled moments below this may start at any rate: they are not worth a step."""


@kernel_compiled(types.void(VECTOR, VECTOR, INDEX, VECTOR))
def largest_members(z, z_new, blocks, largest):
    """largest (blocks,) = the largest size that a member of each block has at either end of a step."""
    largest[:] = 0.0
    for i in range(len(blocks)):
        size = max(abs(z[i]), abs(z_new[i]))
        if size > largest[blocks[i]]:
            largest[blocks[i]] = size


@compiled(types.f8(MATRIX, types.f8, INDEX, VECTOR, types.f8, types.f8, VECTOR, VECTOR, VECTOR))
def step_error(stages, h, blocks, largest, rtol, atol, five, three, inverse):
    """The mixed error of order 5 and 3 after Hairer; 1 is what is allowed.

    five, three (n,) and inverse (blocks,) are room to work in.
    """
    error_estimates(stages, five, three)
    for b in range(len(inverse)):
        inverse[b] = 1.0 / (atol + rtol * largest[b])
    sum5, sum3 = 0.0, 0.0
    for i in range(len(five)):
        weight = inverse[blocks[i]]
        sum5 += (five[i] * weight) ** 2
        sum3 += (three[i] * weight) ** 2
    if sum5 == 0.0:
        return 0.0
    return abs(h) * sum5 / np.sqrt((sum5 + 0.01 * sum3) * len(five))


@compiled(types.f8(MATRIX, INDEX, INDEX, VECTOR, types.f8, types.f8))
def dense_error(poly, columns, blocks, largest, rtol, atol):
    """Error between the ends of a step, over DENSE_SHARE times what is allowed at its end.

    Where steps are as long as stability allows, the end is exact and the interpolant is not: it misses by
    about 9.2e-4 of its last coefficient (measured on decaying and ringing pentacene).
    """
    worst = 0.0
    for c in range(len(columns)):
        i = columns[c]
        if 0 <= i < len(blocks):  # sensitivities steer no step
            worst = max(worst, 9.2e-4 * abs(poly[7, c]) / (DENSE_SHARE * (atol + rtol * largest[blocks[i]])))
    return worst


@compiled(types.f8(VECTOR, VECTOR, INDEX, VECTOR, types.f8))
def first_step(z, slope, blocks, largest, span):
    """A hundredth of the shortest time in which a block would change by itself; at most the segment."""
    largest_members(z, z, blocks, largest)
    h = span
    for i in range(len(blocks)):
        if abs(slope[i]) > 0.0 and largest[blocks[i]] > _NEGLIGIBLE:
            h = min(h, 0.01 * largest[blocks[i]] / abs(slope[i]))
    return h


@compiled(types.f8(types.f8))
def growth(error):
    """The factor 0.9 error^(-1/8) by which the next step may be longer; at most 6."""
    return min(6.0, 0.9 / np.sqrt(np.sqrt(np.sqrt(max(error, 1e-300)))))
