"""How fast a metastable well of the micromaser is left.

A well is what lies between two near-traps, and settles within some hundred collisions; what leaves it does so
for good once it has reached the middle of a neighbour. Hence the definition: levels on which the neighbours'
own settled states have their mean photon numbers absorb; between them the state takes a shape that does not
change any more, and a share of it is lost in each collision. That share is the rate. It hardly depends on
where in the neighbour the absorbing level is: by 1e-9 for q = 1/4, m = 15.6 without loss, by 3e-4 at a loss
of 0.01, where the neighbour's own state reaches down to its edge.
"""

from __future__ import annotations

import math

import numpy as np

from .charge import whole
from .elimination import Elimination
from .parameters import Parameters
from .slow_modes import DIGITS, Border, refined
from .stationary import quasi_stationary
from .superoperator import Diagonals, between
from .wells import closed_levels, edge

WIDEST, WIDEST_INCOHERENT = 256, 2000
"""Levels between the absorbing ones, with and without coherence of the qubits."""
_SETTLED, _LEAST = 1e-12, 1e-9


def escape_rate(parameters: Parameters, well: int = 1) -> float:
    """Share of a state settled in that well which leaves it in one collision, upwards or downwards.

    Well j lies between the near-traps n = m (j-1)^2 and m j^2, m = (pi/theta)^2; the first is left upwards
    only. 0.0 where exact traps close it. ValueError where there are no wells, they are too wide, they empty
    before they settle, or (detuned coherent qubits only) the rate is below the 1e-9 that doubles resolve.

    For incoherent qubits close to an exact trap the rate is m (1 - q) p_{m-1} (theta - theta_trap)^2, which
    is why a charging lasts 1/(theta - theta_trap)^2.
    """
    m = parameters
    m.check_losses_between("escape_rate")
    if m.collision != "jaynes_cummings":
        raise ValueError(f"collision={m.collision!r}: counter-rotating terms exchange photons at every "
                         "level, so there are no wells; only jaynes_cummings has them")
    well = whole("well", well, 1, 1000)
    edges = [edge(m, j) for j in range(well - 1 - (well > 1), well + 2)]
    if m.theta == 0.0 or min(np.diff(edges)) < 2.0:
        raise ValueError(f"theta = {m.theta:g}: well {well} and its neighbours lie between the levels "
                         f"{', '.join(f'{n:g}' for n in edges)}; wells need 0 < theta < pi/sqrt(2)")
    widest = WIDEST if between(m) > 0.0 else WIDEST_INCOHERENT
    if edges[-1] - edges[0] > widest:
        raise ValueError(f"well {well} and its neighbours have {edges[-1] - edges[0]:g} levels; this is "
                         f"worked out for at most {widest}; choose a larger theta or a lower well")
    levels = [int(n) for n in edges]
    if _is_closed(m, levels[-3], levels[-2]):
        return 0.0
    first = math.floor(_mean(m, levels[0], levels[1])) + 1 if well > 1 else 0
    return _settled(m, first, math.ceil(_mean(m, levels[-2], levels[-1])))[1]


def _is_closed(m: Parameters, first: int, last: int) -> bool:
    """True if neither a collision nor the damping leads out of these levels."""
    closed = closed_levels(m, last)
    upwards = last not in closed or (m.loss > 0.0 and m.thermal_photons > 0.0)
    downwards = first > 0 and (first not in closed or m.loss > 0.0)
    return not upwards and not downwards


def _mean(m: Parameters, first: int, last: int) -> float:
    p = _settled(m, first, last, rough=True)[0]
    return float(np.arange(first, last) @ p / p.sum())


def _settled(m: Parameters, first: int, last: int, rough: bool = False) -> tuple[np.ndarray, float]:
    """Populations (last - first,) that keep their shape, and the share lost in one collision."""
    blocks = Diagonals(m, first, last)
    if blocks.between == 0.0:
        return quasi_stationary(np.real(blocks.same(0)), np.real(blocks.lost[0]))
    border = Border(Elimination(blocks), 1)
    x = border.vectors
    populations = np.real(x[0][:, 0])
    lost, beside = blocks.lost
    rate = float(np.real(lost @ x[0][:, 0] + beside @ x[1][:, 0]) / populations.sum())
    if rough:
        return populations, rate
    if not blocks.real:
        if rate < _LEAST:
            raise ValueError(f"the rate is below {_LEAST:g} per collision: it is resolved for resonant or "
                             "incoherent qubits only")
        return populations, rate
    return populations, _exact(blocks, border)


def _exact(blocks: Diagonals, border: Border) -> float:
    for digits in DIGITS:
        before = math.nan
        for modes in refined(blocks, border, digits):
            rate = -float(modes.rates[0, 0])
            if abs(rate - before) <= _SETTLED * abs(rate):
                return rate
            before = rate
    raise ValueError(f"a share of {before:.1e} is lost in each collision, before the state has settled")
