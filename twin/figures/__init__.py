"""The figures of the papers and of this project, as numbers with claims and verdicts.

    figure("pentacene-2b", quick=True)

Nothing is drawn here: `procedures.machinery` turns a `Figure` into PNG and CSV.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor

from ..quantity import nearest
from . import (
    pentacene_charging,
    pentacene_driven,
    pentacene_keeping,
    pentacene_masing,
    pentacene_scaling,
)
from .effort import Effort
from .figure import Figure

_PENTACENE = (pentacene_charging.FIGURES | pentacene_scaling.FIGURES | pentacene_driven.FIGURES
              | pentacene_masing.FIGURES)
FIGURES: dict[str, Callable[[Effort], Figure]] = {
    **dict(sorted(_PENTACENE.items())), **pentacene_keeping.FIGURES}
"""Name -> what makes it, in the order of the papers."""


def figure(name: str, quick: bool = False, executor: Executor | None = None) -> Figure:
    """The figure of that name; ValueError with the nearest known one."""
    if name not in FIGURES:
        raise ValueError(f"figure: {nearest(name, [*FIGURES, 'all'])}")
    return FIGURES[name](Effort(quick, executor))


__all__ = ["FIGURES", "Effort", "Figure", "figure"]
