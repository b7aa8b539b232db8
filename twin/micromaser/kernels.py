"""The compiled loops over a density matrix: a real one, or the real and imaginary part of a complex one.

They are symmetric or antisymmetric: the upper triangle is kept, with one band below it, in a square frame of
MARGIN empty rows and columns before level 0 and at least 8 behind the last, so that neighbours are read
without asking. What lies below that band is of no meaning. For damping the triangle is packed by distance
from the diagonal, W[n, j] = x[n, n + j]: each diagonal is then a column, and damping acts on rows.
"""

from __future__ import annotations

import numpy as np
from numba import types

from ..compiled import INDEX, MATRIX, VECTOR, compiled, kernel_compiled

MARGIN = 8
"""Rows and columns before level 0: the doubles in one vector register."""

STACK = types.Array(types.f8, 3, "C")


def side(dimension: int) -> int:
    """Side of the frame for `dimension` levels, a multiple of 8."""
    return MARGIN + -(-dimension // 8) * 8 + 8


@kernel_compiled(types.void(MATRIX, MATRIX, MATRIX, types.f8))
def collide(state, out, kraus, keep):
    """out = keep out + K_e R K_e^T + K_g R K_g^T on the upper triangle; kraus (4, side): a, b, c, e.

    Two rows at a time; what K_g R was at the column before is carried in a register. The loop is written so
    that the compiler sees whole vectors: it starts at a multiple of 8 and has no tail.
    """
    size = state.shape[1]
    a, b, c, e = kraus[0], kraus[1], kraus[2], kraus[3]
    for n in range(MARGIN, size - 8, 2):
        s = n // 8 * 8
        z = size - 8
        above, one, two, below = state[n - 1, s:z], state[n, s:z], state[n + 1, s:z], state[n + 2, s:z]
        one_on, two_on = state[n, s + 1 : z + 1], state[n + 1, s + 1 : z + 1]
        below_on = state[n + 2, s + 1 : z + 1]
        to_one, to_two = out[n, s:z], out[n + 1, s:z]
        am, bm, cm, em = a[s:z], b[s:z], c[s:z], e[s:z]
        a1, b1, c1, e1 = a[n], b[n], c[n], e[n]
        a2, b2, c2, e2 = a[n + 1], b[n + 1], c[n + 1], e[n + 1]
        g1 = c1 * state[n, s - 1] + e1 * state[n - 1, s - 1]
        g2 = c2 * state[n + 1, s - 1] + e2 * state[n, s - 1]
        if keep == 0.0:
            for m in range(z - s):
                x, y = one[m], two[m]
                h1, h2 = c1 * x + e1 * above[m], c2 * y + e2 * x
                to_one[m] = (am[m] * (a1 * x + b1 * y) + bm[m] * (a1 * one_on[m] + b1 * two_on[m])
                             + cm[m] * h1 + em[m] * g1)
                to_two[m] = (am[m] * (a2 * y + b2 * below[m]) + bm[m] * (a2 * two_on[m] + b2 * below_on[m])
                             + cm[m] * h2 + em[m] * g2)
                g1, g2 = h1, h2
        else:
            for m in range(z - s):
                x, y = one[m], two[m]
                h1, h2 = c1 * x + e1 * above[m], c2 * y + e2 * x
                to_one[m] += (am[m] * (a1 * x + b1 * y) + bm[m] * (a1 * one_on[m] + b1 * two_on[m])
                              + cm[m] * h1 + em[m] * g1)
                to_two[m] += (am[m] * (a2 * y + b2 * below[m]) + bm[m] * (a2 * two_on[m] + b2 * below_on[m])
                              + cm[m] * h2 + em[m] * g2)
                g1, g2 = h1, h2


@kernel_compiled(types.void(MATRIX, MATRIX, MATRIX, MATRIX, MATRIX, MATRIX, VECTOR))
def collide_hermitian(re, im, out_re, out_im, stay, swap, qubit):
    """out = sum over f, i, j in (e, g) of rho_ij U_fi R U_fj^+ on the upper triangle of R = re + i im.

    stay (4, side): Re and Im of <e|U|e>, then of <g|U|g>; swap (2, side): -<e|U|g> (n+1 -> n) and <g|U|e>
    (n-1 -> n), real in the gauge; qubit (3,): rho_ee, rho_gg, |rho_eg|. Loops as in `collide`.
    """
    z = re.shape[1] - 8
    excited, ground, between = qubit[0], qubit[1], qubit[2]
    for n in range(MARGIN, z):
        s = n // 8 * 8
        x, x_on, x_off = re[n, s:z], re[n, s + 1 : z + 1], re[n, s - 1 : z - 1]
        y, y_on, y_off = im[n, s:z], im[n, s + 1 : z + 1], im[n, s - 1 : z - 1]
        x_above, x_above_off = re[n - 1, s:z], re[n - 1, s - 1 : z - 1]
        y_above, y_above_off = im[n - 1, s:z], im[n - 1, s - 1 : z - 1]
        x_below, x_below_on = re[n + 1, s:z], re[n + 1, s + 1 : z + 1]
        y_below, y_below_on = im[n + 1, s:z], im[n + 1, s + 1 : z + 1]
        er, ei, gr, gi = stay[0, s:z], stay[1, s:z], stay[2, s:z], stay[3, s:z]
        fall, rise = swap[0, s:z], swap[1, s:z]
        a, b, c, d, down, up = stay[0, n], stay[1, n], stay[2, n], stay[3, n], swap[0, n], swap[1, n]
        to_re, to_im = out_re[n, s:z], out_im[n, s:z]
        for m in range(z - s):
            # for each f, j: the sum over i of rho_ij U_fi R, on the column that U_fj takes to m
            ee_x = excited * (a * x[m] - b * y[m]) - between * down * x_below[m]
            ee_y = excited * (a * y[m] + b * x[m]) - between * down * y_below[m]
            eg_x = between * (a * x_on[m] - b * y_on[m]) - ground * down * x_below_on[m]
            eg_y = between * (a * y_on[m] + b * x_on[m]) - ground * down * y_below_on[m]
            ge_x = between * (c * x_off[m] - d * y_off[m]) + excited * up * x_above_off[m]
            ge_y = between * (c * y_off[m] + d * x_off[m]) + excited * up * y_above_off[m]
            gg_x = ground * (c * x[m] - d * y[m]) + between * up * x_above[m]
            gg_y = ground * (c * y[m] + d * x[m]) + between * up * y_above[m]
            to_re[m] = (er[m] * ee_x + ei[m] * ee_y + gr[m] * gg_x + gi[m] * gg_y
                        - fall[m] * eg_x + rise[m] * ge_x)
            to_im[m] = (er[m] * ee_y - ei[m] * ee_x + gr[m] * gg_y - gi[m] * gg_x
                        - fall[m] * eg_y + rise[m] * ge_y)
        to_im[n - s] = 0.0


@kernel_compiled(types.void(MATRIX, types.f8))
def mirror(state, sign):
    """The band below the diagonal, from the one above it; sign -1 for an antisymmetric matrix."""
    for n in range(MARGIN, state.shape[0] - 8):
        state[n + 1, n] = sign * state[n, n + 1]


@kernel_compiled(types.void(MATRIX, MATRIX, VECTOR, types.i8))
def pack(state, packed, scale, levels):
    """packed[n, j] = scale_n scale_{n+j} state[n, n + j]."""
    for n in range(levels):
        row, to, factor = state[MARGIN + n, MARGIN + n :], packed[MARGIN + n], scale[n:levels]
        for j in range(levels - n):
            to[j] = row[j] * (scale[n] * factor[j])


@kernel_compiled(types.void(MATRIX, MATRIX, VECTOR, types.i8))
def unpack(packed, state, scale, levels):
    """The inverse of `pack`: state[n, n + j] = scale_n scale_{n+j} packed[n, j]."""
    for n in range(levels):
        row, to, factor = packed[MARGIN + n], state[MARGIN + n, MARGIN + n :], scale[n:levels]
        for j in range(levels - n):
            to[j] = row[j] * (scale[n] * factor[j])


@kernel_compiled(types.void(MATRIX, VECTOR, types.i8))
def rescale(packed, scale, levels):
    """packed[n, j] *= scale_n scale_{n+j}."""
    for n in range(levels):
        row, factor = packed[MARGIN + n], scale[n:levels]
        for j in range(levels - n):
            row[j] *= scale[n] * factor[j]


@kernel_compiled(types.void(MATRIX, MATRIX, VECTOR, INDEX, INDEX, types.i8, types.i8))
def correlate(packed, out, weight, first, last, sign, levels):
    """out[n] = sum_l weight_l packed[n + sign l], rows in fours, window of l from first[n] to last[n].

    weight carries 8 zeros in front and behind. Row n has levels - n elements; behind them stand zeros.
    """
    end = len(weight) - 1
    for n in range(MARGIN, MARGIN + levels, 4):
        row = n - MARGIN
        low, high = first[row], last[row]
        for i in range(row, min(row + 4, levels)):
            low, high = min(low, first[i]), max(high, last[i])
        # source rows from `start` to `stop`, clipped to those that hold levels
        start = max(n + low, MARGIN) if sign > 0 else max(n - high + 1, MARGIN)
        stop = min(n + 3 + high, MARGIN + levels) if sign > 0 else min(n + 4 - low, MARGIN + levels)
        o0, o1, o2, o3 = out[n], out[n + 1], out[n + 2], out[n + 3]
        whole = (levels - row + 7) // 8 * 8
        for j in range(whole):
            o0[j] = o1[j] = o2[j] = o3[j] = 0.0
        for r in range(start, stop, 4):
            base = sign * (r - n) + 8
            w = min(max(base, 0), end)
            k00, k01 = weight[w], weight[min(max(base + sign, 0), end)]
            k02, k03 = weight[min(max(base + 2 * sign, 0), end)], weight[min(max(base + 3 * sign, 0), end)]
            k10, k20 = weight[min(max(base - sign, 0), end)], weight[min(max(base - 2 * sign, 0), end)]
            k30 = weight[min(max(base - 3 * sign, 0), end)]
            p0, p1, p2, p3 = packed[r], packed[r + 1], packed[r + 2], packed[r + 3]
            for j in range((levels - max(row, r - MARGIN) + 7) // 8 * 8):
                a, b, c, d = p0[j], p1[j], p2[j], p3[j]
                o0[j] += k00 * a + k01 * b + k02 * c + k03 * d
                o1[j] += k10 * a + k00 * b + k01 * c + k02 * d
                o2[j] += k20 * a + k10 * b + k00 * c + k01 * d
                o3[j] += k30 * a + k20 * b + k10 * c + k00 * d
        for i in range(4):
            for j in range(max(levels - row - i, 0), whole):
                out[n + i, j] = 0.0


@compiled(types.void(MATRIX, MATRIX, MATRIX, MATRIX, VECTOR, VECTOR, INDEX, INDEX, INDEX, INDEX, types.i8))
def damp(state, packed, spare, scales, lost, gained, lost_first, lost_last, gained_first, gained_last,
         levels):
    """Loss, then the amplifier, on the upper triangle of `state`; scales (3, levels): before, between,
    after."""
    pack(state, packed, scales[0], levels)
    correlate(packed, spare, lost, lost_first, lost_last, 1, levels)
    rescale(spare, scales[1], levels)
    correlate(spare, packed, gained, gained_first, gained_last, -1, levels)
    unpack(packed, state, scales[2], levels)


@compiled(types.void(MATRIX, types.i8, types.i8, VECTOR))
def measure(state, levels, first, row):
    """row = Tr R, Tr n R, Tr n^2 R, Tr R^2 of the `first` levels, and the weight on those above them."""
    trace = mean = second = square = above = 0.0
    for n in range(first):
        line = state[MARGIN + n, MARGIN + n : MARGIN + first]
        p = line[0]
        trace += p
        mean += n * p
        second += n * n * p
        beside = 0.0
        for m in range(len(line)):
            beside += line[m] * line[m]
        square += 2.0 * beside - p * p
    for n in range(MARGIN + first, MARGIN + levels):
        above += state[n, n]
    row[0], row[1], row[2], row[3], row[4] = trace, mean, second, square, above


@compiled(types.void(MATRIX, MATRIX, MATRIX, MATRIX, STACK, types.f8, types.boolean, MATRIX, VECTOR, VECTOR,
                     INDEX, INDEX, INDEX, INDEX, VECTOR, types.i8, types.i8, MATRIX))
def charge(state, other, packed, spare, parts, raised, damped, scales, lost, gained, lost_first, lost_last,
           gained_first, gained_last, escaped, levels, first, rows):
    """As many collisions as `rows` (k, 6) has, each followed by damping; columns of `measure`, then the leak.

    The state ends where it began, in `state`; `raised` is the chance of the highest level to leave upwards
    in a collision, `escaped` (levels,) the same for damping.
    """
    top = MARGIN + levels - 1
    for k in range(len(rows)):
        rows[k, 5] = raised * state[top, top]
        for part in range(len(parts)):
            collide(state, other, parts[part], 0.0 if part == 0 else 1.0)
        state, other = other, state
        if damped:
            for n in range(levels):
                rows[k, 5] += escaped[n] * state[MARGIN + n, MARGIN + n]
            damp(state, packed, spare, scales, lost, gained, lost_first, lost_last, gained_first, gained_last,
                 levels)
        mirror(state, 1.0)
        measure(state, levels, first, rows[k])
    if len(rows) % 2 == 1:
        other[:] = state


@compiled(types.void(STACK, STACK, MATRIX, MATRIX, MATRIX, MATRIX, VECTOR, types.f8, types.boolean, MATRIX,
                     VECTOR, VECTOR, INDEX, INDEX, INDEX, INDEX, VECTOR, types.i8, types.i8, MATRIX))
def charge_hermitian(state, other, packed, spare, stay, swap, qubit, raised, damped, scales, lost, gained,
                     lost_first, lost_last, gained_first, gained_last, escaped, levels, first, rows):
    """As `charge`, for a state (2, side, side) of real and imaginary part."""
    top, imaginary = MARGIN + levels - 1, np.zeros(6)
    for k in range(len(rows)):
        rows[k, 5] = raised * state[0, top, top]
        collide_hermitian(state[0], state[1], other[0], other[1], stay, swap, qubit)
        state, other = other, state
        if damped:
            for n in range(levels):
                rows[k, 5] += escaped[n] * state[0, MARGIN + n, MARGIN + n]
            for part in range(2):
                damp(state[part], packed, spare, scales, lost, gained, lost_first, lost_last, gained_first,
                     gained_last, levels)
        mirror(state[0], 1.0)
        mirror(state[1], -1.0)
        measure(state[0], levels, first, rows[k])
        measure(state[1], levels, first, imaginary)
        rows[k, 3] += imaginary[3]
    if len(rows) % 2 == 1:
        other[:] = state
