"""Where a collision hardly exchanges a photon: the near-traps, and the wells between them.

Level n - 1 and n exchange with sin^2(theta sqrt(n + x^2)), 2x the detuning, which is small at n = m j^2 - x^2
for m = (pi/theta)^2 and j = 1, 2, .... There are no such levels for the counter-rotating collisions.
"""

from __future__ import annotations

import math

import numpy as np

from .collisions import blocks
from .parameters import Parameters


def edge(m: Parameters, well: int) -> float:
    """Lowest level above well number `well`; 0 for well 0, infinite without coupling."""
    if well == 0:
        return 0.0
    if m.theta == 0.0:
        return math.inf
    exact = (math.pi * well / m.theta) ** 2 - 0.25 * m.detuning_ratio**2
    around = [n for n in (math.floor(exact), math.ceil(exact)) if n >= 1]
    return float(min(around, key=lambda n: _exchange(m, n), default=0))


def _exchange(m: Parameters, level: int) -> float:
    rabi = math.sqrt(level + 0.25 * m.detuning_ratio**2)
    return abs(math.sin(m.theta * rabi))


def closed_levels(m: Parameters, limit: int) -> list[int]:
    """Levels 1 .. limit that are exchanged with the one below by no collision, to the rounding of theta."""
    n = np.arange(limit + 1)
    rabi = np.sqrt(n + 0.25 * m.detuning_ratio**2)
    swap = np.abs(blocks(m, limit + 1).ge) * rabi
    closed = swap <= 8.0 * np.finfo(float).eps * m.theta * rabi * np.sqrt(n)
    return [int(level) for level in np.flatnonzero(closed) if level > 0]
