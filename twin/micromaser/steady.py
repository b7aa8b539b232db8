"""The state that k -> infinity collisions leave, where there is exactly one.

This is not the plateau of Figs. 5-7 of the paper. A cavity that loses 1e-3 of its energy between collisions
stays 1e10 of them in its first well (E = 6.4), then 1e18 in the second (E = 42), and on levels enough the
third (E = 107) and the fourth (E = 201) take over: a plateau is what `charge` shows at k = 1e3, and a solver
of stationary equations passes it by. The shares of the wells are decided by rates far below the rounding of
doubles; hence populations without subtraction for incoherent qubits (`stationary`) and decimals for coherent
ones (`slow_modes`).
"""

from __future__ import annotations

import math
from decimal import localcontext

import numpy as np

from .charge import whole
from .closed_forms import cotangent_state
from .collisions import gauge
from .elimination import Elimination
from .extended import Decimals
from .parameters import Parameters
from .sectors import sectors, state_of
from .slow_modes import DIGITS, Border, SlowModes, matrix, refined
from .stationary import quasi_stationary
from .stepping import LARGEST, LOST
from .superoperator import Diagonals, between
from .wells import closed_levels, edge

WIDEST, WIDEST_COUNTER_ROTATING = 256, 50
"""Levels on which a steady state with coherence is worked out."""
RESOLVED = 1e-9
"""Spectral gap above which doubles tell the steady state from the next mode to 1e-7."""
_SLOW, _QUICK, _FIRST = 1e-5, 1e-3, 24


def steady_state(parameters: Parameters, dimension: int | None = None) -> np.ndarray:
    """Density matrix (d, d) of trace 1, interaction picture, physical gauge.

    With loss it is unique, and `dimension` None takes so many levels that less than 1e-12 of it is above
    them, the next well included; on a given number the state settles as if what is lost came back. Without
    loss `dimension` must be that of one closed sector, an exact trap with none below; None does for q > 1/2
    where there is no trap at all.

    ValueError where it is not unique or cannot be normalised, where it needs more levels than can be worked
    out, and where the spectral gap is below what is resolved (1e-9 for detuned coherent or counter-rotating
    collisions; no limit in practice otherwise).
    """
    m = parameters
    m.check_losses_between("steady_state")
    if dimension is not None:
        dimension = whole("dimension", dimension, 1, LARGEST)
    if m.loss == 0.0:
        return _lossless(m, dimension)
    return _settled(m, dimension) if dimension else _grown(m)


def _lossless(m: Parameters, dimension: int | None) -> np.ndarray:
    if m.theta == 0.0:
        raise ValueError("theta = 0 and loss = 0: nothing happens, and every state is a steady one")
    if m.collision != "jaynes_cummings":
        raise ValueError(f"collision={m.collision!r} with loss = 0: counter-rotating terms leave no sector "
                         "closed, and charge without end; give a loss, or use charge for some collisions")
    closed = closed_levels(m, dimension or LARGEST)
    if dimension is None and not closed:
        if m.q <= 0.5:
            raise ValueError(f"q = {m.q:g} and loss = 0, no exact trap below n = {LARGEST}: the energy grows "
                             "without end and no steady state can be normalised; give q > 1/2 or a loss, or "
                             "use charge or jump for a number of collisions")
        return _grown(m)
    if dimension is None or closed[:1] != [dimension]:
        raise ValueError(_advice(m, dimension, closed))
    if abs(m.c) == 1.0 and m.detuning_ratio == 0.0 and round(m.theta * math.sqrt(dimension) / math.pi) % 2:
        psi = cotangent_state(m, dimension)
        return np.outer(psi, psi.conj())
    return _settled(m, dimension)


def _advice(m: Parameters, dimension: int | None, closed: list[int]) -> str:
    if closed and closed[0] != dimension:
        return (f"loss = 0 and an exact trap at n = {closed[0]}: the levels below it and those above have "
                f"steady states of their own; give dimension = {closed[0]}, which is what the vacuum reaches")
    return (f"dimension = {dimension}: without loss weight leaves these levels upwards for good, because n = "
            f"{dimension} is no exact trap, and no steady state is left on them; give the level of a trap")


def _grown(m: Parameters) -> np.ndarray:
    """On more and more levels, until neither they nor a well beyond them hold more than LOST."""
    levels = _FIRST
    while True:
        for rough in (True, False):  # a rough state is enough to see that more levels are needed
            state = _settled(m, levels, rough)
            needed = _needed(m, np.real(np.diag(state)))
            if needed > levels:
                break
        else:
            return state
        if levels == _widest(m) or needed > 2 * _widest(m):
            raise ValueError(f"dimension: the steady state needs {needed} levels, and is worked out on at "
                             f"most {_widest(m)}; give a loss above {m.loss:g}, or a dimension, and judge "
                             "by the populations of the highest levels")
        levels = min(max(needed, int(1.3 * levels)), _widest(m))


def _needed(m: Parameters, populations: np.ndarray) -> int:
    """Levels that hold these populations with room, and whatever may hold more."""
    filled = int(np.count_nonzero(np.cumsum(populations[::-1]) >= LOST))
    return max(filled + 4 + filled // 8, _beyond(m, filled))


def _beyond(m: Parameters, filled: int) -> int:
    """The end of the first well that is empty, as far as the pump can lift anything against the loss.

    A collision brings 1 - q photons at most, and damping takes `loss` of them: from `lifted` levels on all
    goes down. Below, each well has less for being left upwards than the one before.
    """
    if m.loss == 0.0 or m.theta == 0.0:
        return 0
    lifted = (1.0 - m.q) / -math.expm1(-m.loss) + m.thermal_photons
    if m.collision != "jaynes_cummings":
        return math.ceil(lifted)
    well = 1
    while edge(m, well) < filled:
        well += 1
    return math.ceil(min(edge(m, well + 1), lifted)) if edge(m, well) < lifted else 0


def _widest(m: Parameters) -> int:
    if m.collision != "jaynes_cummings":
        return WIDEST_COUNTER_ROTATING
    return WIDEST if between(m) > 0.0 else LARGEST


def _settled(m: Parameters, levels: int, rough: bool = False) -> np.ndarray:
    """The state (levels, levels) whose shape a collision does not change."""
    if levels > _widest(m):
        raise ValueError(f"dimension = {levels}: a steady state with coherence is worked out on at most "
                         f"{_widest(m)} levels; give fewer, or ask for a jump or a charge")
    if m.collision != "jaynes_cummings":
        return _counter_rotating(m, levels)
    blocks = Diagonals(m, 0, levels)
    if blocks.between == 0.0:
        return np.diag(quasi_stationary(np.real(blocks.same(0)), np.real(blocks.lost[0]))[0]).astype(complex)
    elimination = Elimination(blocks)
    sizes = np.linalg.svd(elimination.generator)[1]
    gap = float(sizes[-2]) if levels > 1 else 1.0
    if blocks.real and gap < _QUICK and not rough:
        found = _refined(blocks, Border(elimination, max(int(np.count_nonzero(sizes < _SLOW)), 1)))
    else:
        _check_gap(1.0 if rough else gap, levels)
        found = matrix(Border(elimination, 1).vectors, 0)
    turn = gauge(m, levels)
    return np.asarray(found / np.real(np.trace(found)) * turn[:, None] * np.conj(turn))


def _check_gap(gap: float, levels: int) -> None:
    if gap < RESOLVED:
        raise ValueError(f"on {levels} levels the spectral gap is {gap:.1e}, below the {RESOLVED:g} that "
                         "doubles resolve for detuned coherent or counter-rotating collisions: wells are as "
                         "good as degenerate; ask for a jump to the number of collisions meant")


def _refined(blocks: Diagonals, border: Border) -> np.ndarray:
    """The slowest of the slow modes, real in the gauge, once it does not change any more."""
    for digits in DIGITS:
        before = np.zeros((blocks.levels, blocks.levels))
        for modes in refined(blocks, border, digits):
            found = _slowest(modes, digits)
            if np.max(np.abs(found - before)) <= 1e-15:
                return found
            before = found
    raise ValueError(f"on {blocks.levels} levels wells exchange less than {DIGITS[-1]} digits resolve; ask "
                     "for a jump to the number of collisions meant")


def _slowest(modes: SlowModes, digits: int) -> np.ndarray:
    """Their combination with the smallest rate, by inverse iteration; trace 1."""
    with localcontext() as context:
        context.prec = 2 * digits
        shares = np.array([np.trace(v) for v in modes.vectors], object)
        for _ in range(4):
            shares = _solved(modes.rates, shares, digits)
            shares = shares / np.max(np.abs(shares))
        state = sum(v * share for v, share in zip(modes.vectors, shares, strict=True))
        return np.asarray(state / np.trace(state), float)


def _solved(square: Decimals, right: Decimals, digits: int) -> Decimals:
    """Gauss with the largest pivot; a vanishing one is taken for the last digit."""
    a = np.column_stack((square, right))
    rows = len(a)
    for k in range(rows):
        pivot = k + int(np.argmax(np.abs(a[k:, k])))
        a[[k, pivot]] = a[[pivot, k]]
        if not a[k, k]:
            a[k, k] = type(a[k, k])(10) ** (-2 * digits)
        a[k] = a[k] / a[k, k]
        for other in range(rows):
            if other != k:
                a[other] = a[other] - a[k] * a[other, k]
    return np.asarray(a[:, -1])


def _counter_rotating(m: Parameters, levels: int) -> np.ndarray:
    """All coordinates at once, in doubles: (M - 1) y = 0 bordered by the trace."""
    sector = sectors(m, np.ones(levels * levels))[0]
    trace = np.arange(levels * levels) < levels
    bordered = np.block([[sector.matrix()[:-1, :-1] - np.eye(len(trace)), trace[:, None]],
                         [trace[None, :], np.zeros((1, 1))]])
    inverse = np.linalg.inv(bordered)
    _check_gap(1.0 / float(np.linalg.norm(inverse[:-1, :-1])), levels)
    return state_of(m, inverse[:-1, -1])
