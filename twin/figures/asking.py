"""Questions to the pentacene twin in the words of a figure, and sentences about the answers."""

from __future__ import annotations

import math

from ..calculation import Calculation, Pairs
from .figure import Guide


def trajectory(columns: str, points: int, duration: str, *settings: str) -> Calculation:
    """One run along time; `columns` and `settings` as they are typed: "time,energy", "coupling=0"."""
    return Calculation("pentacene", tuple(columns.split(",")), (), _pairs(settings),
                       (("duration", duration), ("points", str(points))))


def over(axis: str, columns: str, duration: str, *settings: str, points: int | None = None) -> Calculation:
    """A sweep along `axis` ("pump_rate=log:1e6/s:1e8/s:21"); `points` in time if a column runs along it."""
    options = (("duration", duration), *((("points", str(points)),) if points else ()))
    return Calculation("pentacene", tuple(columns.split(",")), _pairs((axis,)), _pairs(settings), options)


def merits(names: str, duration: str, *settings: str) -> list[float]:
    """Figures of merit of one run, in the order of `names`."""
    return [float(v) for v in trajectory(names, 2, duration, *settings).rows()[0]]


def _pairs(texts: tuple[str, ...]) -> Pairs:
    found = [text.partition("=") for text in texts]
    return tuple((name, value) for name, _, value in found)


def verdict(agrees: bool, otherwise: str = "NOT reproduced") -> str:
    """"OK", or what is to be said instead."""
    return "OK" if agrees else otherwise


def between(value: float, low: float, high: float) -> bool:
    """False for nan, too."""
    return bool(low <= value <= high)


def steady(values: list[float], spread: float) -> bool:
    """Whether all values lie within `spread` of each other; False for nan."""
    return bool(max(values) - min(values) <= spread)


def exponent(found: tuple[float, int]) -> str:
    """A fitted exponent in words."""
    value, count = found
    return f"{value:+.2f}" if math.isfinite(value) else f"not fitted ({count} points)"


def power_law(label: str, at: tuple[float, float], slope: float, factor: float, right: bool = False) -> Guide:
    """A line y ~ x^slope from `at` to `factor` times its x."""
    x, y = at
    return Guide(label, (x, x * factor), (y, y * factor**slope), right)
