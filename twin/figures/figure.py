"""Figures as numbers: axes, series with the command that yields them, guides, and claims with verdicts.

Nothing is drawn here. Every series is a `Calculation`, so its numbers and its command belong together.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..calculation import Calculation


@dataclass(frozen=True)
class Axis:
    """`name` is the column of that axis, `label` what stands beside it; `unit` is SI.

    `low`: nothing below it is drawn, though it stays in the table; None: down to the smallest value.
    """

    name: str
    unit: str
    label: str
    log: bool = False
    low: float | None = None


@dataclass(frozen=True, eq=False)
class Series:
    """A curve, or a map if there is a third column. table (rows, 2 or 3) in the order of the command's rows.

    `right`: measured on the figure's right axis. `dashed`: drawn broken.
    """

    name: str
    calculation: Calculation
    table: np.ndarray
    right: bool = False
    dashed: bool = False

    @property
    def x(self) -> np.ndarray:
        return self.table[:, 0]

    @property
    def y(self) -> np.ndarray:
        return self.table[:, 1]

    @property
    def z(self) -> np.ndarray | None:
        return self.table[:, 2] if self.table.shape[1] > 2 else None


@dataclass(frozen=True)
class Guide:
    """A thin line for the eye with its label: a slope, a threshold, a level."""

    label: str
    x: tuple[float, float]
    y: tuple[float, float]
    right: bool = False


@dataclass(frozen=True)
class Claim:
    """What the paper says, what comes out here, and whether the two agree (and if not, why)."""

    paper: str
    ours: str
    verdict: str

    def __str__(self) -> str:
        return f"claim: {self.paper}; ours: {self.ours}; verdict: {self.verdict}"


@dataclass(frozen=True, eq=False)
class Figure:
    """`notes` are sentences of the caption; `inset` is drawn as a smaller panel and has a CSV of its own."""

    name: str
    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    claims: tuple[Claim, ...]
    z: Axis | None = None
    right: Axis | None = None
    guides: tuple[Guide, ...] = ()
    notes: tuple[str, ...] = ()
    inset: Figure | None = field(default=None)

    @property
    def caption(self) -> str:
        """Title, claims with verdicts, notes; the inset's after the figure's own."""
        own = [f"{self.name}: {self.title}.", *(f"Paper: {c.paper}. Ours: {c.ours}. Verdict: {c.verdict}."
                                               for c in self.claims), *self.notes]
        return " ".join([*own, *([self.inset.caption] if self.inset else [])])
