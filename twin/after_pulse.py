"""The mean field after a short pulse, many times faster than over the general path: the fit's workhorse.

Two things make a burst dear. While S1 is in the model, its decay (9 ns) caps every step of an
explicit integrator at 45 ns, for tens of microseconds after S1 is empty; and a pulse recorded at
31 knots costs more Python per call than compiled time. So the pulse's segments are cut once, and
when S1 holds less than 1e-8 of what it held, the same declaration without pump and S1 takes over
(3 times at 30 us). One compiled integrator serves both.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from . import integrate as engine
from .crossing import first_light
from .drive import Drive, Gaussian, Sampled, Square
from .kernels import Kernel, kernel
from .pentacene import NAMES, Parameters
from .problem import ABSOLUTE_TOLERANCE, MAX_STEPS, Problem
from .system import rates

_EMPTY = 18.5  # lifetimes of S1
_STEP = 1e-30  # complex step
_ZERO = ("energy_3", "energy_4", "energy_5", "rabi_35", "rabi_45", "rabi_34")


def is_pulse(drive: Drive) -> bool:
    """True for a pump that ends, without tones, drives or switching of the cavity."""
    quiet = all(getattr(drive, n) == 0.0 for n in ("rabi_35", "rabi_45", "rabi_34", "cavity_drive"))
    ends = isinstance(drive.pump_rate, (Square, Gaussian, Sampled)) or drive.pump_off_at is not None
    return quiet and ends and drive.cavity_decay is None and drive.frame == "resonant"


class AfterPulse:
    """`solve(times, p, seed)` like `Problem.solve`, for one drive with `is_pulse` and names of parameters."""

    def __init__(self, p: Parameters, d: Drive, names: tuple[str, ...]) -> None:
        self.names = names
        moved = {"cavity_frequency", "frequency_35"} & set(names)
        self.structure = p.dephasing_operator, p.cavity_frequency != p.frequency_35 or bool(moved)
        self.lit, self.dark = _stages(names, *self.structure)
        light = first_light(d)
        plain = Problem(p, d, "mean_field", start=light)
        self.bounds, _, self.rows, self.lanes = plain.segments(p, d, self._handover(p, d, light))

    @staticmethod
    def _handover(p: Parameters, d: Drive, light: float) -> float:
        ends = [d.pump_off_at, max(getattr(d.pump_rate, "edges", ()), default=None)]
        last = max(min(e for e in ends if e is not None), light)
        return last + _EMPTY / max(p.spontaneous_emission + p.intersystem_crossing, 1.0)

    def without_derivatives(self) -> AfterPulse:
        """The same pulse, photons only: five times faster."""
        other = object.__new__(AfterPulse)
        lit, dark = _stages((), *self.structure)
        other.__dict__.update(self.__dict__, names=(), lit=lit, dark=dark)
        return other

    def solve(self, times: np.ndarray, p: Parameters, seed: float, rtol: float = 1e-6
              ) -> tuple[np.ndarray, np.ndarray]:
        """Photons (T,) at `times` [s] after the first light, and derivatives (T, names) per unit of each."""
        values: Any = rates(_values(p, self.names))  # rows instead of numbers: the arithmetic is the same
        lit, dark = self.lit, self.dark
        z = np.zeros(lit.size)
        z[lit.index["s11"]] = 1.0
        z[lit.index["x.re"]] = x = (seed / p.molecules) ** 0.5
        for name, slope in (("seed_photons", 0.5 * x / seed), ("molecules", -0.5 * x / p.molecules)):
            if name in self.names:
                z[lit.lane("x.re", self.names.index(name))] = slope
        handover = self.bounds[-1]
        first = int(np.searchsorted(times, handover, side="right"))
        early = lit.run(z, self.bounds, lit.forms(values), self.rows, self.lanes,
                        np.append(times[:first], handover), rtol)[:first]
        if first == len(times):
            return lit.photons(early, p)
        z = dark.adopt(z, lit)
        late = dark.run(z, np.array([handover, times[-1]]), dark.forms(values), self.rows[-1:] * 0.0,
                        self.lanes[-1:] * 0.0, times[first:], rtol)
        parts = [lit.photons(early, p), dark.photons(late, p)]
        return np.concatenate([n for n, _ in parts]), np.concatenate([s for _, s in parts])


class _Stage:
    """One kernel with its columns and forms laid out for speed."""

    def __init__(self, kernel: Kernel, names: tuple[str, ...]) -> None:
        self.kernel, self.names = kernel, names
        self.index = {v: i for i, v in enumerate(kernel.variables)}
        self.n = len(self.index)
        self.size = self.n * (1 + engine.LANES) if names else self.n
        self.fields = [v for v in ("x.re", "x.im") if v in self.index]
        self.columns = np.array([self.index[v] for v in self.fields]
                                + [self.lane(v, q) for v in self.fields for q in range(len(names))], np.int64)
        self.rate_names = tuple(sorted({r for form in kernel.forms for term, _ in form for r in term}))
        self.products = self._products()

    def lane(self, variable: str, q: int) -> int:
        """Place of the q-th derivative of a variable."""
        return self.n + engine.LANES * self.index[variable] + q

    def _products(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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

    def forms(self, values: dict[str, np.ndarray]) -> np.ndarray:
        """One row (1, 9 m): forms, then their derivatives lane by lane."""
        factors, members, firsts = self.products
        held = np.ones((len(self.rate_names) + 1, 1 + len(self.names)), complex)
        for i, r in enumerate(self.rate_names):
            held[i] = values[r]
        terms = factors * held[members[:, 0]] * held[members[:, 1]] * held[members[:, 2]]
        found = np.add.reduceat(terms, firsts, axis=0)
        if not self.names:
            return found.real.T.copy()
        lanes = np.zeros((len(firsts), engine.LANES))
        lanes[:, :len(self.names)] = found[:, 1:].imag / _STEP
        return np.concatenate((found[:, 0].real, lanes.ravel()))[None, :]

    def run(self, z: np.ndarray, bounds: np.ndarray, forms: np.ndarray, rows: np.ndarray, lanes: np.ndarray,
            times: np.ndarray, rtol: float) -> np.ndarray:
        """Integrates z in place; columns (T, C) at the times, nan beyond a failure."""
        out = np.full((len(times), len(self.columns)), np.nan)
        rhs = self.kernel.rhs_with_sensitivities if self.names else self.kernel.rhs
        engine.integrate(rhs, z, self.n, bounds,
                         np.repeat(forms, len(rows), axis=0), rows, lanes,
                         self.kernel.blocks, times, rtol, ABSOLUTE_TOLERANCE, np.inf, MAX_STEPS, self.columns,
                         out, np.empty((0, 2 + 8 * len(self.columns))))
        return out

    def adopt(self, z: np.ndarray, other: _Stage) -> np.ndarray:
        """The state of another stage in these variables."""
        taken = np.zeros(self.size)
        for v, i in self.index.items():
            if v in other.index:
                taken[i] = z[other.index[v]]
                if self.names:
                    here, there = self.lane(v, 0), other.lane(v, 0)
                    taken[here: here + engine.LANES] = z[there: there + engine.LANES]
        return taken

    def photons(self, columns: np.ndarray, p: Parameters) -> tuple[np.ndarray, np.ndarray]:
        """(T,) and (T, names) from the field's columns."""
        k, count = len(self.fields), len(self.names)
        photons, slopes = np.zeros(len(columns)), np.zeros((len(columns), count))
        for j in range(k):
            x = columns[:, j]
            photons += x * x
            slopes += 2.0 * x[:, None] * columns[:, k + count * j: k + count * (j + 1)]
        if "molecules" in self.names:
            slopes[:, self.names.index("molecules")] += photons / p.molecules
        return p.molecules * photons, p.molecules * slopes


def _values(p: Parameters, names: tuple[str, ...]) -> Any:
    """Flat values as rows: plain, then with a complex step in each name in turn."""
    values = {n: np.asarray(v, complex) for n, v in p.values().items()}
    for q, name in enumerate(names):
        if name in NAMES:
            row = np.full(1 + len(names), values[name])
            row[1 + q] += 1j * _STEP
            values[name] = row
    values.update(dict.fromkeys(_ZERO, np.asarray(0.0)))
    values["mode_detuning"] = values["cavity_frequency"] - values["frequency_35"]
    return values


@cache
def _stages(names: tuple[str, ...], dephasing_operator: str, detuned: bool) -> tuple[_Stage, _Stage]:
    """With pump and S1, and without: nothing reaches S1 once the pump is no active switch."""
    active = ("mode_detuning",) if detuned else ()
    lit = kernel("mean_field", dephasing_operator, ("s11", "x.re"), (*active, "pump"))
    dark = kernel("mean_field", dephasing_operator, ("s33", "s44", "s55", "s53.im", "x.re"), active)
    return _Stage(lit, names), _Stage(dark, names)
