"""What a procedure's picture shows, as numbers: panels of points with errors, lines, and marks with labels.

Nothing is drawn here, and no drawing library is known: a file (picture_drawing.py) and a window can show the
same. Values are in SI units; whoever draws chooses the prefix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["points", "hollow", "line", "dashed", "bars"]
"""Measured points; points that were left out; a fitted line; a prediction; a histogram."""


@dataclass(frozen=True)
class Axis:
    """`unit` is SI, or one that takes no prefix such as dBm; "" for a number."""

    label: str
    unit: str = ""
    log: bool = False


@dataclass(frozen=True, eq=False)
class Series:
    """x and y (N,), y_sigma (N,) or None. Bars stand at x, side by side. No `name`: not in the legend."""

    name: str
    kind: Kind
    x: np.ndarray
    y: np.ndarray
    y_sigma: np.ndarray | None = None


@dataclass(frozen=True)
class Mark:
    """A thin line across a panel: at `x` or at `y`, with `sigma` shaded to both sides where it is known."""

    label: str
    x: float | None = None
    y: float | None = None
    sigma: float = 0.0


@dataclass(frozen=True, eq=False)
class Panel:
    """One pair of axes. `share`: its height against that of others."""

    x: Axis
    y: Axis
    series: tuple[Series, ...]
    marks: tuple[Mark, ...] = ()
    share: float = 1.0


@dataclass(frozen=True, eq=False)
class Picture:
    """Panels one below the other, with one x axis where theirs is the same."""

    title: str
    panels: tuple[Panel, ...]

    @property
    def one_axis(self) -> bool:
        """Whether all panels share their x axis."""
        return len({panel.x for panel in self.panels}) == 1


def points(name: str, x: np.ndarray, y: np.ndarray, y_sigma: np.ndarray | None = None) -> Series:
    """What was measured."""
    return Series(name, "points", np.asarray(x, float), np.asarray(y, float), y_sigma)


def line(name: str, x: np.ndarray, y: np.ndarray) -> Series:
    """What was fitted to it."""
    return Series(name, "line", np.asarray(x, float), np.asarray(y, float))


def residuals(x: Axis, at: np.ndarray, left: np.ndarray, unit: str) -> Panel:
    """A low panel with what the line leaves of the points."""
    return Panel(x, Axis("residual", unit), (points("", at, left),), (Mark("", y=0.0),), 0.4)
