"""Questions to the micromaser in the words of a figure, and the axes that its figures share.

m stands for (pi/theta)^2 as in the paper, whose theta = pi/sqrt(m) makes n = m the first trap.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..calculation import Calculation, Pairs
from ..micromaser import Parameters, Run, charge
from .figure import Axis

COLLISION = Axis("collision", "", "number of collisions k")
LOG_COLLISION = Axis("collision", "", "number of collisions k", log=True)
ENERGY = Axis("energy", "", "energy E = ⟨n⟩ [ħω]")
PURITY = Axis("purity", "", "purity Tr ρ²")
IMPURITY = Axis("impurity", "", "1 − Tr ρ²", log=True, low=1e-17)
FANO = Axis("fano", "", "Fano factor Var n/⟨n⟩")
RANGE = "Axis ranges are ours: only text and captions were at hand."

INCOHERENT = {"q": 0.25, "c": 0.0}
COHERENT = {"q": 0.25, "c": 1.0}
LOSSY = {"q": 0.25, "c": 1.0, "thermal_photons": 0.15}
"""Protocols of Figs. 1-2, 3-4 and 5-7."""

Settings = dict[str, float]


def along(columns: str, m: float, collisions: int, settings: Settings, at: str = "",
          collision: str = "", dimension: int | None = None) -> Calculation:
    """One run; `at`: the collisions that are kept, as a grid."""
    return Calculation("micromaser", tuple(columns.split(",")), (), _pairs(m, settings, collision),
                       _options(collisions, at, dimension))


def over(axis: str, columns: str, m: float, collisions: int, settings: Settings,
         collision: str = "") -> Calculation:
    """The end of a run for each point of `axis` ("q=lin:0:1:21")."""
    name, _, points = axis.partition("=")
    return Calculation("micromaser", tuple(columns.split(",")), ((name, points),),
                       _pairs(m, settings, collision), _options(collisions))


def run(m: float, collisions: int, **settings: Any) -> Run:
    """The battery itself, for what a claim needs."""
    return charge(Parameters(theta=_theta(m), **settings), collisions)


def _theta(m: float) -> float:
    return math.pi / math.sqrt(m)


def _pairs(m: float, settings: Settings, collision: str) -> Pairs:
    found = {"theta": repr(_theta(m)), **{name: repr(value) for name, value in settings.items()}}
    return (*found.items(), *((("collision", collision),) if collision else ()))


def _options(collisions: int, at: str = "", dimension: int | None = None) -> Pairs:
    return (("collisions", str(collisions)), *((("dimension", str(dimension)),) if dimension else ()),
            *((("at", at),) if at else ()))


def settled(values: np.ndarray, share: float) -> int:
    """The first collision from which on all values stay within `share` of the last one."""
    away = np.flatnonzero(np.abs(values - values[-1]) > share * abs(values[-1]))
    return int(away[-1]) + 1 if len(away) else 0


def escape(run: Run, levels: int, first: int, last: int) -> float:
    """Chance per collision to leave the `levels` lowest levels, between two collisions on a plateau."""
    kept = [float(run.populations(k)[:levels].sum()) for k in (first, last)]
    return math.log(kept[0] / kept[1]) / (last - first)


def less(value: float, reference: float) -> str:
    """How far a value has fallen, in percent."""
    return f"{100.0 * (value / reference - 1.0):+.1f} %"
