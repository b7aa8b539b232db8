"""A straight line through points of unequal weight, with the errors that its own scatter gives it. No I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class StraightLine:
    """y = value + slope (x - middle), `middle` being the weighted mean of x: there the errors are free of
    each other."""

    middle: float
    value: float
    value_sigma: float
    slope: float
    slope_sigma: float

    def meets(self, level: float = 0.0) -> tuple[float, float]:
        """The x at which the line meets a level, and its error."""
        away = (level - self.value) / self.slope
        return self.middle + away, math.hypot(self.value_sigma, away * self.slope_sigma) / abs(self.slope)


def straight_line(x: Any, y: Any, sigma: Any = 1.0) -> StraightLine | None:
    """Weighted least squares of y (N,) on x (N,); None for fewer than three points, or all at one x.

    `sigma` (N,) or one number: the points' standard deviations, of which only the ratios count, since the
    errors are taken from the scatter about the line.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if len(x) < 3 or np.ptp(x) == 0.0:
        return None
    weight = 1.0 / np.broadcast_to(np.asarray(sigma, float), x.shape) ** 2
    total = float(np.sum(weight))
    middle, value = float(np.sum(weight * x)) / total, float(np.sum(weight * y)) / total
    spread = float(np.sum(weight * (x - middle) ** 2))
    slope = float(np.sum(weight * (x - middle) * y)) / spread
    left = float(np.sum(weight * (y - value - slope * (x - middle)) ** 2)) / (len(x) - 2)
    return StraightLine(middle, value, math.sqrt(left / total), slope, math.sqrt(left / spread))
