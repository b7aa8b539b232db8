"""The coordinates of a state that a collision mixes with each other, and its dense matrix on them.

A Hermitian R (d, d) has d^2 real coordinates, in the order of its diagonals: the populations, the real
parts of x_1, x_2, ..., their imaginary parts. Sectors that no collision mixes are kept apart: the real and
the imaginary part on resonance (the triangle d(d+1)/2 is all there is for most states), each diagonal when
the qubits have no coherence. The sector of the populations has one more coordinate, the weight that is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .collisions import gauge
from .parameters import Parameters
from .propagators import kraus
from .superoperator import Diagonals, between


def coordinates(m: Parameters, state: np.ndarray) -> np.ndarray:
    """(d^2,) from a density matrix (d, d) in the physical gauge."""
    levels, turn = len(state), gauge(m, len(state))
    x = (state * np.conj(turn)[:, None] * turn)[by_diagonals(levels)]
    return np.concatenate((x.real, x.imag[levels:]))


def state_of(m: Parameters, y: np.ndarray) -> np.ndarray:
    """The density matrix (d, d) with coordinates `y` (d^2,)."""
    levels = round(len(y) ** 0.5)
    rows, columns = by_diagonals(levels)
    turn, out = gauge(m, levels), np.zeros((levels, levels), complex)
    x = y[: len(rows)] + 1j * np.concatenate((np.zeros(levels), y[len(rows) :]))
    out[columns, rows] = np.conj(x)
    out[rows, columns] = x
    return np.asarray(out * turn[:, None] * np.conj(turn))


def by_diagonals(levels: int) -> tuple[np.ndarray, np.ndarray]:
    """n and m of R_nm, m >= n, in the order of the coordinates."""
    return (np.concatenate([np.arange(levels - j) for j in range(levels)]),
            np.concatenate([np.arange(j, levels) for j in range(levels)]))


@dataclass(frozen=True, eq=False)
class Sector:
    """Diagonals `first` .. `last` - 1 of states on `levels` levels.

    `places` (size, columns): coordinates; `split`: real and imaginary parts one after the other in each
    column, otherwise one of them is a column of its own.
    """

    parameters: Parameters
    levels: int
    first: int
    last: int
    places: np.ndarray
    split: bool

    @property
    def loses(self) -> bool:
        """True if the populations are in it, and with them the weight that is lost."""
        return self.first == 0

    @property
    def size(self) -> int:
        return len(self.places) + self.loses

    def matrix(self) -> np.ndarray:
        """(size, size): one collision with its damping; the last row and column are the lost weight."""
        inner, lost = (_chained if self.parameters.collision == "jaynes_cummings" else _dense)(self)
        if not self.loses:
            return inner
        return np.block([[inner, np.zeros((len(inner), 1))], [lost, np.ones((1, 1))]])

    def owners(self) -> np.ndarray:
        """(len(places), 2): the populations that the coordinate R_nm belongs to, n and m."""
        n = np.stack(by_diagonals(self.levels), axis=1)
        return np.concatenate((n, n[self.levels :])) if self.split else n[: len(self.places)]


def sectors(m: Parameters, y: np.ndarray) -> list[Sector]:
    """Those in which a state with coordinates `y` (d^2,) is not zero."""
    levels = round(len(y) ** 0.5)
    whole = np.arange(len(y))
    triangle = levels * (levels + 1) // 2
    resonant = m.collision == "jaynes_cummings" and m.detuning_ratio == 0.0
    if m.collision == "jaynes_cummings" and between(m) == 0.0:
        starts = np.cumsum([0, *range(levels, 0, -1)])
        found = [Sector(m, levels, 0, 1, whole[:levels, None], False)]
        for j in range(1, levels):
            real = whole[starts[j] : starts[j + 1]]
            pair = real, real + triangle - levels
            found.append(Sector(m, levels, j, j + 1, np.stack(pair, axis=1) if resonant
                                else np.concatenate(pair)[:, None], not resonant))
    elif resonant:
        found = [Sector(m, levels, 0, levels, whole[:triangle, None], False),
                 Sector(m, levels, 1, levels, whole[triangle:, None], False)]
    else:
        found = [Sector(m, levels, 0, levels, whole[:, None], True)]
    return [s for s in found if np.any(y[s.places])]


def _chained(s: Sector) -> tuple[np.ndarray, np.ndarray]:
    """Matrix on the coordinates and the row of lost weight, from the blocks of `superoperator`."""
    blocks = Diagonals(s.parameters, 0, s.levels)
    starts = np.cumsum([0, *(s.levels - j for j in range(s.first, s.last))])
    out = np.zeros((starts[-1], starts[-1]), float if blocks.real else complex)
    spans = {j: slice(a, b) for j, a, b in zip(range(s.first, s.last), starts[:-1], starts[1:], strict=True)}
    for j, span in spans.items():
        out[span, span] = blocks.same(j)
        if j + 1 in spans:
            out[span, spans[j + 1]] = blocks.above(j) * (1.0 if j else 2.0)
        if j - 1 in spans:
            out[span, spans[j - 1]] = blocks.below(j)
    lost = np.zeros((1, len(out)), out.dtype)
    for span, part in zip(list(spans.values())[:2], blocks.lost if s.loses else (), strict=False):
        lost[0, span] = part
    if s.split:  # populations have no imaginary part
        kept = np.r_[0 : len(out), len(out) + (s.levels if s.loses else 0) : 2 * len(out)]
        out = np.block([[out.real, -out.imag], [out.imag, out.real]])[np.ix_(kept, kept)]
        return out, np.concatenate((lost.real, -lost.imag), axis=1)[:, kept]
    return out.real, lost.real


def _dense(s: Sector) -> tuple[np.ndarray, np.ndarray]:
    """The same for collisions that mix all diagonals, from their Kraus operators."""
    m, levels = s.parameters, s.levels
    rows, columns = by_diagonals(levels)
    turn, found = gauge(m, levels), kraus(m, levels)
    operators = found.operators * np.conj(turn)[:, None] * turn
    whole = sum(np.einsum("nk,ml->nmkl", k, k.conj()) for k in operators)
    onto = np.asarray(whole)[rows, columns]
    straight, crossed = onto[:, rows, columns], onto[:, columns, rows]
    once = np.where(rows == columns, 0.5, 1.0)
    collided = np.concatenate(((straight + crossed) * once, 1j * (straight - crossed)[:, levels:]), axis=1)
    out = np.concatenate((collided.real, collided.imag[levels:]))
    leak = 2.0 * (found.leak * np.conj(turn)[:, None] * turn)[rows, columns]
    lost = np.concatenate((leak.real * once, leak.imag[levels:]))
    blocks = Diagonals(m.replace(collision="jaynes_cummings"), 0, levels)
    lost += blocks.escaped @ out[:levels]
    for span, j in _spans(levels):
        out[span] = blocks.decay(j) @ out[span]
    return out, lost[None, :]


def _spans(levels: int) -> list[tuple[slice, int]]:
    """Each diagonal's coordinates and its distance: populations, real parts, imaginary parts."""
    distances = [*range(levels), *range(1, levels)]
    ends = np.cumsum([levels - j for j in distances])
    return [(slice(end - levels + j, end), j) for end, j in zip(ends, distances, strict=True)]
