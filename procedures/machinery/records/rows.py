"""The scalars of a run, one row per shot: what goes into run.csv and what answers are computed from.

Numbers only; touches no instrument and no file.
"""

from __future__ import annotations

import dataclasses
import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .shot import AS_MEASURED, BELONGS, CONTROL, FitRow, Shot

FITTED = {"collective_coupling": "rad/s", "cavity_decay": "rad/s", "dephasing_35": "1/s", "seed_photons": "",
          "amplitude_scale": ""}
"""Fitted parameters that have columns of their own, with their SI units."""


_ASKED = (*AS_MEASURED, *BELONGS)  # a shot has dozens of settings, and a run many shots


def _titled(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


COLUMNS = ["shot", "moment", "energy (J)", "start (s)", "verdict", "chi2_per_dof", "fit_seconds (s)",
           *(_titled(name + suffix, unit) for name, unit in FITTED.items() for suffix in ("", "_sigma"))]
"""DATA_COLUMNS of every procedure that fires the laser; the units in brackets are SI."""


class Numbers(Mapping[str, float]):
    """Numbers by name in a sixth of a dictionary's memory: a run holds one of them for each shot."""

    __slots__ = ("_names", "_values")
    _alike: dict[tuple[str, ...], tuple[str, ...]] = {}  # names that shots share are held once

    def __init__(self, numbers: Mapping[str, float]) -> None:
        names = tuple(numbers)
        self._names = self._alike.setdefault(names, names)
        self._values = struct.pack(f"{len(names)}d", *numbers.values())

    def __getitem__(self, name: str) -> float:
        try:
            return float(struct.unpack_from("d", self._values, 8 * self._names.index(name))[0])
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


_NONE = Numbers({})


@dataclass(frozen=True, slots=True)
class Row:
    """One shot without its records; `settings` are those that answers take from rows."""

    number: int
    moment: str
    energy: float
    start: float
    settings: Mapping[str, float]
    fit: FitRow | None

    @property
    def control(self) -> bool:
        """Whether it was taken without light, between others."""
        return self.settings.get(CONTROL) == 1.0

    def as_csv(self) -> dict[str, Any]:
        """The row for PyMeasure's table; nan where there is no value."""
        fit = self.fit
        unfitted = "CONTROL" if self.control else ""
        row: dict[str, Any] = {"shot": self.number, "moment": self.moment, "energy (J)": self.energy,
                               "start (s)": self.start, "verdict": fit.verdict.name if fit else unfitted,
                               "chi2_per_dof": _or_nan(fit.chi2_per_dof if fit else None),
                               "fit_seconds (s)": _or_nan(fit.seconds if fit else None)}
        for name, unit in FITTED.items():
            row[_titled(name, unit)] = fit.parameters.get(name, math.nan) if fit else math.nan
            row[_titled(name + "_sigma", unit)] = fit.sigma.get(name, math.nan) if fit else math.nan
        return row


class Rows:
    """All shots of a run so far; a shot's row is complete when its fit has answered or was given up."""

    def __init__(self) -> None:
        self._stored: dict[int, Row] = {}
        self.complete: list[Row] = []

    def stored(self, shot: Shot) -> None:
        """A shot is on disk."""
        found = {name: shot.settings[name] for name in _ASKED if name in shot.settings}
        asked = Numbers(found) if found else _NONE
        self._stored[shot.number] = Row(shot.number, shot.moment, shot.energy, shot.start, asked, None)

    def completed(self, number: int, fit: FitRow | None) -> Row:
        """The shot's fit has answered, or None: it will not. Returns its row."""
        held = self._stored.pop(number)
        if fit is not None:  # what no answer is made of is left out: a run may be long
            fit = dataclasses.replace(fit, parameters=Numbers(fit.parameters), sigma=Numbers(fit.sigma),
                                      sigma_model=_NONE, model_time=None, model_volts=None)
        row = Row(held.number, held.moment, held.energy, held.start, held.settings, fit)
        self.complete.append(dataclasses.replace(row, moment=""))  # which no answer is made of, either
        return row

    def after(self, former: Rows, count: int) -> Rows:
        """These rows after those of a `former` run of `count` shots, numbered on."""
        both = Rows()
        both.complete = [*former.complete,
                         *(dataclasses.replace(row, number=row.number + count) for row in self.complete)]
        return both

    def pending(self) -> list[int]:
        """Numbers of the shots whose fit has not answered."""
        return sorted(self._stored)

    def resolved(self) -> list[Row]:
        """Rows whose fit is OK, in the order of their shots."""
        ok = [row for row in self.complete if row.fit is not None and row.fit.verdict.name == "OK"]
        return sorted(ok, key=lambda row: row.number)

    def verdicts(self) -> dict[str, int]:
        """How many shots have which verdict."""
        found: dict[str, int] = {}
        for row in self.complete:
            name = row.fit.verdict.name if row.fit else "CONTROL" if row.control else "NOT_FITTED"
            found[name] = found.get(name, 0) + 1
        return found

    def means(self) -> dict[str, Any]:
        """Mean of every fitted parameter over the OK shots, with the error of that mean from the scatter."""
        rows = self.resolved()
        answer: dict[str, Any] = {"verdicts": self.verdicts()}
        for name in FITTED:
            values = [row.fit.parameters[name] for row in rows if row.fit and name in row.fit.parameters]
            if values:
                answer[name] = float(np.mean(values))
            if len(values) > 1:
                answer[name + "_sigma"] = float(np.std(values, ddof=1) / math.sqrt(len(values)))
        return answer


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
