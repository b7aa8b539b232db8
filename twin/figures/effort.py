"""How much work goes into a figure: the whole of it, or few points on the same way (`--quick`)."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from ..calculation import Calculation
from .figure import Series


@dataclass(frozen=True)
class Effort:
    """`quick` takes few points; `executor` does the grid's points (None: threads on all cores)."""

    quick: bool = False
    executor: Executor | None = None

    def points(self, full: int, quick: int) -> int:
        """The number of points that this effort allows."""
        return quick if self.quick else full

    def choose(self, full: str, quick: str) -> str:
        """The axis that this effort allows."""
        return quick if self.quick else full

    def series(self, name: str, calculation: Calculation, right: bool = False,
               dashed: bool = False) -> Series:
        """The calculation done, as a curve or a map."""
        return Series(name, calculation, calculation.rows(executor=self.executor), right, dashed)


def slope(x: np.ndarray, y: np.ndarray, low: float, high: float) -> tuple[float, int]:
    """Exponent of y ~ x^k over the points with low <= x <= high, and how many they are; nan below 3."""
    inside = (x >= low) & (x <= high) & (y > 0.0) & np.isfinite(y)
    count = int(inside.sum())
    if count < 3:
        return float("nan"), count
    return float(np.polyfit(np.log(x[inside]), np.log(y[inside]), 1)[0]), count
