"""The compiled loops over a real density matrix, and the damping that complex ones share.

A real state is symmetric: its upper triangle is kept, with one band below it, in a square frame that has
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
COMPLEX = types.Array(types.c16, 2, "C")


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


@kernel_compiled(types.void(MATRIX))
def mirror(state):
    """The band below the diagonal, from the one above it."""
    for n in range(MARGIN, state.shape[0] - 8):
        state[n + 1, n] = state[n, n + 1]


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
        mirror(state)
        measure(state, levels, first, rows[k])
    if len(rows) % 2 == 1:
        other[:] = state


@kernel_compiled(types.void(COMPLEX, COMPLEX, COMPLEX, COMPLEX))
def collide_complex(framed, out, blocks, qubit):
    """out (d, d) = sum over f, i, j of rho_ij U_fi R U_fj^+ for Hermitian R (d, d); f, i, j are e or g.

    framed (d + 2, d + 2): R in a frame of zeros; blocks (4, d): <e|U|e>, <e|U|g> (n+1 -> n), <g|U|e>
    (n-1 -> n), <g|U|g>; qubit (2, 2): rho_ij.
    """
    levels = len(out)
    ee, eg, ge, gg = blocks[0], blocks[1], blocks[2], blocks[3]
    for n in range(levels):
        up, here, down = framed[n], framed[n + 1], framed[n + 2]
        e_ee, e_ge = qubit[0, 0] * ee[n], qubit[1, 0] * eg[n]
        e_eg, e_gg = qubit[0, 1] * ee[n], qubit[1, 1] * eg[n]
        g_ee, g_ge = qubit[0, 0] * ge[n], qubit[1, 0] * gg[n]
        g_eg, g_gg = qubit[0, 1] * ge[n], qubit[1, 1] * gg[n]
        for m in range(n, levels):
            found = (np.conj(ee[m]) * (e_ee * here[m + 1] + e_ge * down[m + 1])
                     + np.conj(eg[m]) * (e_eg * here[m + 2] + e_gg * down[m + 2])
                     + np.conj(ge[m]) * (g_ee * up[m] + g_ge * here[m])
                     + np.conj(gg[m]) * (g_eg * up[m + 1] + g_gg * here[m + 1]))
            out[n, m] = found
            out[m, n] = np.conj(found)
