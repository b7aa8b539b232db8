"""The continuous solution: the integrator's steps as polynomials, their turning points and integrals.

What is found here is where it is, and not at the nearest sample of a trajectory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .problem import Problem
from .segments import held_values

Function = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(steps, places in them 0..1) -> values and their slopes."""
Rate = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(steps, places in them 0..1) -> values."""

_POINTS = np.linspace(0.0, 1.0, 13)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_NODES, _WEIGHTS = 0.5 * (_NODES + 1.0), 0.5 * _WEIGHTS


class Curve:
    """Variables of one trajectory anywhere between its start and its end.

    `pieces`: problems with the times [s] at which they end, each continuing the one before it. Steps are
    counted through all pieces; `decay` (steps,) is the cavity's decay rate in each.
    """

    def __init__(self, pieces: Sequence[tuple[Problem, float]], rtol: float,
                 names: tuple[str, ...] = ("s55", "s33", "mu", "x.re", "x.im")) -> None:
        self.names = names
        found = [problem.run(np.array([end]), names, rtol, record=4096) for problem, end in pieces]
        self.starts = np.concatenate([part.starts for part in found])
        self.lengths = np.concatenate([part.lengths for part in found])
        self.poly = np.concatenate([part.polynomials for part in found])
        self._problems = [problem for (problem, _), part in zip(pieces, found, strict=True)
                          for _ in part.starts]
        self.molecules = pieces[-1][0].parameters.molecules
        self.decay = self.each(lambda problem, middle: held_values(problem.drive, middle).get(
            "cavity_decay", problem.parameters.cavity_decay))

    def each(self, value: Callable[[Problem, float], Any]) -> np.ndarray:
        """value(problem, middle of the step [s]) for every step (steps,)."""
        middles = self.starts + 0.5 * self.lengths
        return np.array([value(*pair) for pair in zip(self._problems, middles, strict=True)])

    def times(self, steps: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Times [s] of the places x in the steps."""
        return self.starts[steps] + x * self.lengths[steps]

    def read(self, name: str, steps: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Value and slope [1/s] of a variable at fractions x of the steps (broadcast)."""
        c = self.poly[steps, :, self.names.index(name)]
        y = 1.0 - x
        v, dv = c[..., 7], np.zeros_like(x)
        for k in range(6, 0, -1):
            factor, sign = (x, 1.0) if k % 2 == 0 else (y, -1.0)
            v, dv = c[..., k] + factor * v, sign * v + factor * dv
        v, dv = c[..., 0] + x * v, v + x * dv
        return v, dv / self.lengths[steps]

    def photons(self, steps: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value, slope = self.read("mu", steps, x)
        for name in ("x.re", "x.im"):
            v, dv = self.read(name, steps, x)
            value, slope = value + v * v, slope + 2.0 * v * dv
        return self.molecules * value, self.molecules * slope

    def energy(self, steps: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.read("s55", steps, x)

    def power(self, steps: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """s55/t and its slope."""
        t = self.times(steps, x)
        v, dv = self.read("s55", steps, x)
        later = np.where(t > 0.0, t, np.inf)
        return v / later, dv / later - v / later**2

    def extrema(self, function: Function) -> tuple[np.ndarray, np.ndarray]:
        """Times and values of the ends of the window and of every turning point between them."""
        steps = np.arange(len(self.starts))[:, None]
        x = np.broadcast_to(_POINTS, (len(self.starts), len(_POINTS)))
        _, slope = function(np.broadcast_to(steps, x.shape), x)
        sign = np.sign(slope).ravel()
        where = np.flatnonzero(sign[:-1] * sign[1:] < 0)
        first, second = where // len(_POINTS), (where + 1) // len(_POINTS)
        low = x.ravel()[where]
        # A turn between the end of one step and the start of the next is a kink at an edge.
        high = np.where(first == second, x.ravel()[where + 1], 1.0)
        rising = sign[where]
        for _ in range(50):
            middle = 0.5 * (low + high)
            s = np.sign(function(first, middle)[1])
            same = s == rising
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        values = function(first, high)[0]
        times = self.starts[first] + high * self.lengths[first]
        begin, end = np.array([0]), np.array([len(self.starts) - 1])
        zero, one = np.zeros(1), np.ones(1)
        return (np.concatenate(([self.starts[0]], times, [self.starts[-1] + self.lengths[-1]])),
                np.concatenate((function(begin, zero)[0], values, function(end, one)[0])))

    def at(self, function: Function, times: Any) -> Any:
        """The function's value at `times` [s], a number or an array."""
        return function(*self._places(times))[0]

    def value(self, name: str, times: Any) -> Any:
        """A variable at `times` [s], a number or an array."""
        return self.read(name, *self._places(times))[0]

    def integral(self, rate: Rate, times: Any) -> Any:
        """Integral of `rate` from the start to `times` [s], a number or an array, by Gauss and Legendre."""
        steps = np.arange(len(self.starts))[:, None]
        inside = rate(*np.broadcast_arrays(steps, _NODES))
        whole = np.concatenate(([0.0], np.cumsum(self.lengths * (inside @ _WEIGHTS))))
        step, x = self._places(times)
        part = rate(*np.broadcast_arrays(step[..., None], x[..., None] * _NODES)) @ _WEIGHTS
        return whole[step] + x * self.lengths[step] * part

    def _places(self, times: Any) -> tuple[np.ndarray, np.ndarray]:
        times = np.asarray(times, float)
        steps = np.asarray(np.maximum(np.searchsorted(self.starts, times, side="right") - 1, 0))
        return steps, np.asarray(np.clip((times - self.starts[steps]) / self.lengths[steps], 0.0, 1.0))
