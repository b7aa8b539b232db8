"""One kernel laid out for integration: places of variables and derivatives, forms of rates, one call.

`problem` runs one or two stages after each other, `after_pulse` two, `sweep` one for many parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from . import integrate as engine
from .kernels import Kernel
from .straight_line import LANES

ABSOLUTE_TOLERANCE = 1e-30
"""Of the scaled moments: the thermal seed is n_th/N = 1e-13 and is amplified e^20 fold, so it must count."""

MAX_STEPS = 20_000_000
MAX_WORK = 100_000_000
"""Steps times variables: some seconds, however many moments there are."""

COMPLEX_STEP = 1e-30
"""Values whose derivatives are wanted carry this much of an imaginary part; exact to rounding."""


@dataclass(frozen=True, eq=False)
class Segments:
    """What holds between neighbouring edges: bounds (S+1,) [s], rows (S, 8) and lanes (S, 40) of signals
    (`segments`), shifts (S, 8) of each start by each derivative's parameter."""

    bounds: np.ndarray
    rows: np.ndarray
    lanes: np.ndarray
    shifts: np.ndarray

    @classmethod
    def dark(cls, start: float, end: float) -> Segments:
        """Nothing from outside between two times [s]."""
        return cls(np.array([start, end]), np.zeros((1, engine.SIGNAL_COLUMNS)), np.zeros((1, 5 * LANES)),
                   np.zeros((1, LANES)))


@dataclass(frozen=True, eq=False)
class Outcome:
    """Of one integration: status, steps tried, values (T, C) and the record (R, 2 + 8 C) of its steps."""

    status: int
    steps: int
    columns: np.ndarray
    record: np.ndarray


class Stage:
    """A kernel with derivatives by `names`, whose state is a vector: variables, then LANES to each."""

    def __init__(self, kernel: Kernel, names: tuple[str, ...]) -> None:
        self.kernel, self.names = kernel, names
        self.index = {v: i for i, v in enumerate(kernel.variables)}
        self.n = len(self.index)
        self.size = self.n * (1 + LANES) if names else self.n
        self.rate_names = tuple(sorted({r for form in kernel.forms for term, _ in form for r in term}))
        self._products = self._terms()

    def lane(self, variable: str) -> int:
        """Place of the first derivative of a variable."""
        return self.n + LANES * self.index[variable]

    @cache  # noqa: B019 - a stage lives as long as its kernel, which is for ever
    def columns(self, variables: tuple[str, ...]) -> np.ndarray:
        """Places of the variables, then of their derivatives variable by variable; -1 for what stays zero."""
        places = [self.index.get(v, -1) for v in variables]
        for v in variables:
            first = self.lane(v) if v in self.index else None
            places += [-1 if first is None else first + q for q in range(len(self.names))]
        return np.array(places, np.int64)

    def _terms(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All terms of all forms: factors (P, 1), rates (P, 3) padded with 1, first term of each form."""
        place = {r: i for i, r in enumerate(self.rate_names)}
        factors: list[list[float]] = []
        members: list[list[int]] = []
        firsts: list[int] = []
        for form in self.kernel.forms:
            firsts.append(len(factors))
            for term, factor in form:
                factors.append([factor])
                members.append([place[r] for r in term] + [len(place)] * (3 - len(term)))
        return np.array(factors), np.array(members), np.array(firsts)

    def form_values(self, rates: Mapping[str, Any], width: int = 1) -> np.ndarray:
        """(forms, width) values; each rate is one number or a row (width,), complex only if width > 1."""
        factors, members, firsts = self._products
        held = np.ones((len(self.rate_names) + 1, width), complex if width > 1 else float)
        for i, r in enumerate(self.rate_names):
            held[i] = rates[r]
        terms = factors * held[members[:, 0]] * held[members[:, 1]] * held[members[:, 2]]
        return np.add.reduceat(terms, firsts, axis=0)

    def forms(self, rates: Mapping[str, Any]) -> np.ndarray:
        """Forms as the integrator wants them (m,), with derivatives lane by lane (9 m,) if there are names.

        Then a rate is one number or a row: its value, and the same with a complex step in each name in turn.
        """
        found = self.form_values(rates, 1 + len(self.names))
        if not self.names:
            return found[:, 0].real.copy()
        lanes = np.zeros((len(found), LANES))
        lanes[:, : len(self.names)] = found[:, 1:].imag / COMPLEX_STEP
        return np.concatenate((found[:, 0].real, lanes.ravel()))

    def state(self, z: np.ndarray) -> dict[str, np.ndarray]:
        """Value and derivatives (1 + names,) of each variable of a vector."""
        count = len(self.names)
        if not count:
            return {v: z[i: i + 1] for v, i in self.index.items()}
        return {v: np.append(z[i], z[self.lane(v): self.lane(v) + count]) for v, i in self.index.items()}

    def adopt(self, z: np.ndarray, other: Stage) -> np.ndarray:
        """The vector of another stage in these variables; what is not among them is given up."""
        taken = np.zeros(self.size)
        for v, i in self.index.items():
            if v in other.index:
                taken[i] = z[other.index[v]]
                if self.names:
                    here, there = self.lane(v), other.lane(v)
                    taken[here: here + LANES] = z[there: there + LANES]
        return taken

    def run(self, z: np.ndarray, segments: Segments, forms: np.ndarray, times: np.ndarray, rtol: float,
            columns: np.ndarray, longest: float = np.inf, record: int = 0,
            out: np.ndarray | None = None, budget: int | None = None) -> Outcome:
        """Integrate z in place to the end of the segments; nan at times that were not reached.

        forms (S, m or 9 m). `longest` [s] caps a step; `record`: steps to make room for, more if needed;
        `budget`: steps that may be tried, None: MAX_STEPS.
        """
        out = np.empty((len(times), len(columns))) if out is None else out
        kernel = self.kernel
        rhs = kernel.with_derivatives if self.names else kernel.rhs
        start = z.copy() if record else z
        while True:
            store = np.empty((record, 2 + 8 * len(columns)))
            status, steps, kept, reached = engine.integrate(
                rhs, z, self.n, segments.bounds, forms, segments.rows,
                segments.lanes, segments.shifts, kernel.blocks, times, rtol, ABSOLUTE_TOLERANCE, longest,
                min(budget or MAX_STEPS, MAX_WORK // self.n), columns, out, store)
            if status != engine.RECORD_FULL:
                break
            record *= 4
            z[:] = start
        out[reached:] = np.nan
        return Outcome(status, steps, out, store[:kept])


@cache
def stage(kernel: Kernel, names: tuple[str, ...]) -> Stage:
    """The stage of a kernel, laid out once."""
    return Stage(kernel, names)
