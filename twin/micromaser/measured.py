"""What was measured on a battery, and the collision model's answer to it with its derivatives.

A pentacene burst is not such a measurement: its molecules do not pass one after the other, and a fit to a
recorded burst is `twin.fit`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np

from ..levenberg_marquardt import Evaluation
from .charge import begun
from .free_names import Coordinates
from .parameters import Parameters
from .stepping import Stepper

ROUNDING = 1e-9
"""Of the largest value: what the cut of levels and 1e5 collisions in doubles may be wrong by."""
_STEP = 1e-5
"""Of a natural unit: where third derivatives and rounding both stay below 1e-4 of a slope."""


class Measured(Protocol):
    """Values (T,) from `collisions` collisions after `initial`; sigma (T,), infinite where unmeasured."""

    @property
    def values(self) -> np.ndarray: ...

    @property
    def sigma(self) -> np.ndarray: ...

    @property
    def collisions(self) -> int: ...

    @property
    def initial(self) -> Any: ...

    def of(self, stepper: Stepper) -> np.ndarray:
        """The same (T,) from a stepper at collision 0, which it advances."""

    def until(self, collisions: int) -> Self:
        """The part of it that the first collisions determine, all of it if there is no part."""

    def roughly(self, sigma: float) -> Self:
        """The same with no sigma below that."""


@dataclass(frozen=True, eq=False)
class Energies:
    """<n> (collisions + 1,), index k after the k-th collision."""

    values: np.ndarray
    sigma: np.ndarray
    initial: Any = None

    @property
    def collisions(self) -> int:
        return len(self.values) - 1

    def of(self, stepper: Stepper) -> np.ndarray:
        p, found = stepper.charge.populations, []
        found.append(np.array([np.arange(len(p)) @ p / p.sum()]))
        while stepper.done < self.collisions:
            rows = stepper.advance(self.collisions - stepper.done)
            found.append(rows[:, 1] / rows[:, 0])
        return np.concatenate(found)

    def until(self, collisions: int) -> Energies:
        part = slice(None, collisions + 1)
        return replace(self, values=self.values[part], sigma=self.sigma[part])

    def roughly(self, sigma: float) -> Energies:
        return replace(self, sigma=np.maximum(self.sigma, sigma))


@dataclass(frozen=True, eq=False)
class Populations:
    """P(n) (d,) after `collisions` collisions."""

    values: np.ndarray
    sigma: np.ndarray
    collisions: int
    initial: Any = None

    def of(self, stepper: Stepper) -> np.ndarray:
        while stepper.done < self.collisions:
            stepper.advance(self.collisions - stepper.done)
        p = stepper.charge.populations[: len(self.values)]
        return np.concatenate((p, np.zeros(len(self.values) - len(p))))

    def until(self, collisions: int) -> Populations:
        return self

    def roughly(self, sigma: float) -> Populations:
        return replace(self, sigma=np.maximum(self.sigma, sigma))


def predicted(data: Measured, m: Parameters, dimension: int | None = None) -> tuple[np.ndarray, int]:
    """The model's values (T,) for `m` and the levels it took."""
    stepper = begun(m, data.collisions, dimension, data.initial)
    return data.of(stepper), stepper.dimension


@dataclass(frozen=True, eq=False)
class Curve:
    """x (k,) = u/units -> model and slopes, on as many levels as fixed, so that slopes do not jump."""

    data: Measured
    at: Coordinates
    units: np.ndarray
    dimension: int

    def __call__(self, x: np.ndarray) -> Evaluation:
        mean = self._values(x)
        slopes = [self._slope(x, i, mean) for i in range(len(x))]
        return Evaluation(mean, np.stack(slopes, axis=1), 1.0 / self.data.sigma)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest x (k,)."""
        lowest, highest = self.at.bounds
        return lowest / self.units, highest / self.units

    def _values(self, x: np.ndarray) -> np.ndarray:
        return predicted(self.data, self.at.parameters(x * self.units), self.dimension)[0]

    def _slope(self, x: np.ndarray, i: int, mean: np.ndarray) -> np.ndarray:
        """Central differences; of the same order to one side where a bound is near."""
        lowest, highest = self.bounds
        step = np.zeros(len(x))
        step[i] = _STEP
        if x[i] - _STEP < lowest[i]:
            return self._one_sided(x, step, mean)
        if x[i] + _STEP > highest[i]:
            return self._one_sided(x, -step, mean)
        return (self._values(x + step) - self._values(x - step)) / (2.0 * _STEP)

    def _one_sided(self, x: np.ndarray, step: np.ndarray, mean: np.ndarray) -> np.ndarray:
        near, far = self._values(x + step), self._values(x + 2.0 * step)
        return (4.0 * near - far - 3.0 * mean) / (2.0 * float(step.sum()))
