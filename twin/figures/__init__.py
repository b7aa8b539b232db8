"""The figures of the papers and of this project, as numbers with claims and verdicts.

    figure("pentacene-2b", quick=True)

Nothing is drawn here: `procedures.machinery` turns a `Figure` into PNG and CSV.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace

from ..quantity import nearest
from . import (
    micromaser_coherent,
    micromaser_counter_rotating,
    micromaser_incoherent,
    micromaser_lossy,
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
_MICROMASER = (micromaser_incoherent.FIGURES | micromaser_coherent.FIGURES | micromaser_lossy.FIGURES
               | micromaser_coherent.OWN | micromaser_lossy.OWN | micromaser_counter_rotating.FIGURES)
FIGURES: dict[str, Callable[[Effort], Figure]] = {
    **dict(sorted(_PENTACENE.items())), **pentacene_keeping.FIGURES, **_MICROMASER}
"""Name -> what makes it, in the order of the papers."""


_QUICK = "Drawn with few points (--quick): what is read off them is rough."


def figure(name: str, quick: bool = False, executor: Executor | None = None) -> Figure:
    """The figure of that name; ValueError with the nearest known one."""
    if name not in FIGURES:
        raise ValueError(f"figure: {nearest(name, [*FIGURES, 'all'])}")
    made = FIGURES[name](Effort(quick, executor))
    return replace(made, notes=(*made.notes, _QUICK)) if quick else made


__all__ = ["FIGURES", "Effort", "Figure", "figure"]
