"""Trapping states: photon numbers at which a qubit's rotation is a whole number of half turns of pi.

Between n - 1 and n photons the qubit turns by theta sqrt n (Eq. 8: s_n = sin(theta sqrt n)). Where s_n = 0
nothing passes in either direction, n = m Q^2 with m = (pi/theta)^2 and whole Q. What starts below n stays
there, so that the energy never exceeds n - 1; for qubits that all arrive excited |n - 1> is the end. Every
rational m has such traps: m = 15.6 = 78/5 the first one at Q = 5, n = 390, where the paper speaks of
unlimited energy.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

from ..quantity import check
from .charge import whole
from .parameters import Parameters

MOST_PHOTONS = 10**9
_RATIONAL, _ROUNDING = 1e-9, 1e-15


class TrappingState(NamedTuple):
    """One closed step of the ladder.

    `photons`: the n with s_n = 0; the number state that is trapped, seen from below, is |n - 1>.
    `rotations`: Q = theta sqrt n/pi. `parity`: "odd" or "even", that of Q.
    """

    photons: int
    rotations: int
    parity: str


def trapping_states(theta: float, limit: int = 10000) -> list[TrappingState]:
    """All traps with photons <= `limit`, in rising order: multiples Q = j Q_1 of the first, n = j^2 n_1.

    m = (pi/theta)^2 is taken for the simplest fraction within 1e-9 of it (1e-9 m if m is below 1). If the
    first trap is odd, parities alternate and with c = 1 each sector from one trap to the next has a pure
    steady state: psi_n/psi_{n-1} is -i sqrt(r) cot(theta sqrt(n)/2) below an odd trap (Eq. 15) and, with
    -tan for cot, below an even one. If the first is even so are all, and the steady states are mixed:
    Eq. (14) holds for odd Q only. ValueError for theta = 0, with which nothing passes anywhere.
    """
    angle = check("theta", theta, Parameters.quantities()["theta"])
    if angle == 0.0:
        raise ValueError("theta = 0 turns no qubit: every level is trapped; give an angle above 0")
    limit = whole("limit", limit, 1, MOST_PHOTONS)
    if math.pi / angle > math.sqrt(limit) + 1.0:
        return []
    m = _fraction((math.pi / angle) ** 2)
    first = _rotations(m.denominator)
    photons = int(m * first * first)
    return [TrappingState(j * j * photons, j * first, "odd" if j * first % 2 else "even")
            for j in range(1, math.isqrt(limit // photons) + 1)]


def _fraction(m: float) -> Fraction:
    """The simplest fraction that m can be taken for."""
    room = Fraction(_RATIONAL * min(1.0, m) + _ROUNDING * m)
    return _simplest(Fraction(m) - room, Fraction(m) + room)


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of smallest denominator in low .. high, 0 < low < high, by continued fractions."""
    above = math.ceil(low)
    if above <= high:
        return Fraction(above)
    return above - 1 + 1 / _simplest(1 / (high - above + 1), 1 / (low - above + 1))


def _rotations(denominator: int) -> int:
    """The smallest Q whose square is a multiple of `denominator`."""
    found, rest, factor = 1, denominator, 2
    while rest > 1:
        power = 0
        while rest % factor == 0:
            rest, power = rest // factor, power + 1
        found *= factor ** ((power + 1) // 2)
        factor = factor + 1 if factor * factor <= rest else max(rest, factor + 1)
    return found
