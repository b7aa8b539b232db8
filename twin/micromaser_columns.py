"""What `simulate micromaser` and `sweep micromaser` can print, and how each column is worked out.

Columns run along the collisions, or along the levels of the last state, or are one number for each run; the
first two kinds cannot stand in one table. `--at` picks rows among the collisions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np

from . import micromaser
from .calculation import Column, Say, Settings, System
from .grid import grid
from .micromaser.propagators import kraus
from .quantity import nearest, read


@dataclasses.dataclass(frozen=True)
class Answer:
    """One run, and what has been asked of its last state."""

    run: micromaser.Run

    @cached_property
    def last(self) -> np.ndarray:
        return self.run.state(self.run.collisions)

    @cached_property
    def populations(self) -> np.ndarray:
        return np.real(np.diag(self.last))


def _departure(m: micromaser.Parameters, photons: int = 10, levels: int = 24) -> float:
    """Largest ||(U - U_JC) |qubit, field>|| for the stream's qubits and any field below so many `photons`."""
    plain = m.replace(collision="jaynes_cummings")
    apart = kraus(m, levels).operators - kraus(plain, levels).operators
    return float(np.linalg.norm(apart[:, :, :photons].reshape(-1, photons), 2))


Value = Callable[[Answer], np.ndarray | float]

_ALONG: dict[str, tuple[Column, Value]] = {
    "collision": (Column("", "number of collisions", along=True), lambda a: np.arange(len(a.run.energy))),
    "energy": (Column("", "<n>, energy in omega without the zero point", along=True), lambda a: a.run.energy),
    "purity": (Column("", "Tr rho^2", along=True), lambda a: a.run.purity),
    "impurity": (Column("", "1 - Tr rho^2", along=True), lambda a: 1.0 - a.run.purity),
    "fano": (Column("", "Var n/<n>", along=True), lambda a: a.run.fano),
    "ergotropy": (Column("", "extractable work in omega", along=True), lambda a: a.run.ergotropy),
    "power": (Column("", "energy per collision", along=True), lambda a: a.run.power),
    "lost_weight": (Column("", "1 - Tr rho, risen above the levels", along=True),
                    lambda a: a.run.lost_weight),
}
_LEVELS: dict[str, tuple[Column, Value]] = {
    "level": (Column("", "photon number n", along=True), lambda a: np.arange(a.run.dimension)),
    "population": (Column("", "P(n) after the last collision", along=True), lambda a: a.populations),
}
_ONCE: dict[str, tuple[Column, Value]] = {
    "final_energy": (Column("", "<n> after the last collision"), lambda a: a.run.energy[-1]),
    "final_purity": (Column("", "Tr rho^2 after the last collision"), lambda a: a.run.purity[-1]),
    "final_impurity": (Column("", "1 - Tr rho^2 after the last collision"), lambda a: 1.0 - a.run.purity[-1]),
    "final_fano": (Column("", "Var n/<n> after the last collision"), lambda a: a.run.fano[-1]),
    "final_ergotropy": (Column("", "extractable work after the last collision"),
                        lambda a: micromaser.ergotropy(a.last)),
    "maximum_power": (Column("", "largest energy per collision"),
                      lambda a: np.nanmax(a.run.power, initial=0.0)),
    "final_lost_weight": (Column("", "1 - Tr rho after the last collision"),
                          lambda a: a.run.lost_weight[-1]),
    "collision_error": (Column("", "||U - U_JC|| of one collision, on fields below 10 photons"),
                        lambda a: _departure(a.run.parameters)),
    "dimension": (Column("", "levels of the cavity that were kept"), lambda a: a.run.dimension),
}
_VALUES = {**_ALONG, **_LEVELS, **_ONCE}


def _unit(name: str) -> str:
    """SI unit of a parameter; ValueError with the nearest."""
    known = micromaser.Parameters.quantities()
    if name not in known:
        raise ValueError(nearest(name, [*known, "collision"]))
    return known[name].unit


def _parameters(settings: Settings) -> micromaser.Parameters:
    known = [*micromaser.NAMES, "collision"]
    for name in settings:
        if name not in known:
            raise ValueError(f"--set: {nearest(name, known)}")
    return micromaser.Parameters().replace_text(settings)


def _solve(settings: Settings, options: Mapping[str, str], columns: tuple[str, ...], say: Say) -> np.ndarray:
    if {*columns} & {*_ALONG} and {*columns} & {*_LEVELS}:
        raise ValueError("--columns: level and population run along the levels of the last state and cannot "
                         "stand beside " + ", ".join(n for n in columns if n in _ALONG))
    m = _parameters(settings)
    collisions = _whole(options["collisions"], "collisions")
    picked = _picked(options["at"], collisions, columns)
    dimension = _whole(options["dimension"], "dimension") if options["dimension"] else None
    answer = Answer(micromaser.charge(m, collisions, dimension))
    lost = float(answer.run.lost_weight[-1])
    if lost > 1e-12:
        say(f"{lost:.2g} of the weight rose above {answer.run.dimension} levels and is lost; without "
            "--dimension enough of them are found")
    values = [_VALUES[n][1](answer) if n in _VALUES else float(np.real(m.value(n))) for n in columns]
    table = np.column_stack(np.broadcast_arrays(*(np.atleast_1d(v) for v in values))).astype(float)
    return table if picked is None else table[picked]


def _picked(text: str, collisions: int, columns: tuple[str, ...]) -> np.ndarray | None:
    """Collisions whose rows are printed, from a grid such as log:1:1e6:181; None for all of them."""
    if not text:
        return None
    if not {*columns} & {*_ALONG}:
        raise ValueError(f"--at {text}: picks rows along the collisions; ask for a column that runs along "
                         "them, such as energy")
    found = np.unique(np.rint(grid(text, "", "at", "--at")))
    if found[0] < 0 or found[-1] > collisions:
        raise ValueError(f"--at {text}: must lie in 0 .. {collisions}, the collisions of the run")
    return found.astype(int)


def _whole(text: str, name: str) -> int:
    number = read(text, "", name)
    if number != int(number):
        raise ValueError(f"--{name} {text}: expected a whole number")
    return int(number)


MICROMASER = System("micromaser", {"collisions": "1000", "dimension": "", "at": ""},
                    {name: column for name, (column, _) in _VALUES.items()},
                    ("collision", "energy", "purity", "fano", "ergotropy", "power", "lost_weight"),
                    _unit, _solve)
"""The collision model as the command line asks it."""
