"""The mean field after a short pulse, many times faster than over the general path: the fit's workhorse.

Two things make a burst dear. While S1 is in the model, its decay (9 ns) caps every step of an
explicit integrator at 45 ns, for tens of microseconds after S1 is empty; and a pulse recorded at
31 knots costs more Python per call than compiled time. So the pulse's segments are cut once, and
when S1 holds less than 1e-8 of what it held, the same declaration without pump and S1 takes over
(3 times at 30 us). `Problem` does the same on its general path; here nothing is made ready twice.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from .crossing import first_light
from .drive import Drive, Gaussian, Sampled, Square
from .kernels import kernel
from .pentacene import NAMES, Parameters
from .problem import Problem
from .stage import COMPLEX_STEP, Segments, Stage, stage
from .system import rates

_EMPTY = 18.5  # lifetimes of S1
_BUDGET = 3_000
"""Steps with derivatives: twenty times what a burst takes. Only a search that has gone astray, to rates
that no crystal has, would take more; without this it takes hours."""
_FIELD = ("x.re", "x.im")
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
        self.budget: int | None = _BUDGET
        moved = {"cavity_frequency", "frequency_35"} & set(names)
        self.structure = p.dephasing_operator, p.cavity_frequency != p.frequency_35 or bool(moved)
        self.lit, self.dark = _stages(names, *self.structure)
        light = first_light(d)
        plain = Problem(p, d, "mean_field", start=light)
        decay = max(p.spontaneous_emission + p.intersystem_crossing, 1.0)
        self.pulse = plain.segments(plain.parameters, d, max(d.last_light, light) + _EMPTY / decay)

    def without_derivatives(self) -> AfterPulse:
        """The same pulse, photons only: five times faster, and to the end however long that takes."""
        other = object.__new__(AfterPulse)
        lit, dark = _stages((), *self.structure)
        other.__dict__.update(self.__dict__, names=(), lit=lit, dark=dark, budget=None)
        return other

    def solve(self, times: np.ndarray, p: Parameters, seed: float, rtol: float = 1e-6
              ) -> tuple[np.ndarray, np.ndarray]:
        """Photons (T,) at `times` [s] after the first light, and derivatives (T, names) per unit of each.

        nan at times that the budget of steps does not reach.
        """
        values: Any = rates(_values(p, self.names))  # rows instead of numbers: the arithmetic is the same
        lit, dark, handover = self.lit, self.dark, float(self.pulse.bounds[-1])
        z = np.zeros(lit.size)
        z[lit.index["s11"]] = 1.0
        z[lit.index["x.re"]] = x = (seed / p.molecules) ** 0.5
        for name, slope in (("seed_photons", 0.5 * x / seed), ("molecules", -0.5 * x / p.molecules)):
            if name in self.names:
                z[lit.lane("x.re") + self.names.index(name)] = slope
        first = int(np.searchsorted(times, handover, side="right"))
        forms = np.repeat(lit.forms(values)[None], len(self.pulse.rows), axis=0)
        early = lit.run(z, self.pulse, forms, np.append(times[:first], handover), rtol, lit.columns(_FIELD),
                        budget=self.budget)
        parts = [self._photons(early.columns[:first], p)]
        if first < len(times):
            rest = Segments.dark(handover, float(times[-1]))
            late = dark.run(dark.adopt(z, lit), rest, dark.forms(values)[None], times[first:], rtol,
                            dark.columns(_FIELD), budget=self.budget)
            parts.append(self._photons(late.columns, p))
        return np.concatenate([n for n, _ in parts]), np.concatenate([s for _, s in parts])

    def _photons(self, columns: np.ndarray, p: Parameters) -> tuple[np.ndarray, np.ndarray]:
        """(T,) and (T, names) from the field's two quadratures and their derivatives."""
        count = len(self.names)
        x, slopes = columns[:, :2], columns[:, 2:].reshape(len(columns), 2, count)
        photons = np.sum(x * x, axis=1)
        found = 2.0 * np.einsum("tv,tvk->tk", x, slopes)
        if "molecules" in self.names:
            found[:, self.names.index("molecules")] += photons / p.molecules
        return p.molecules * photons, p.molecules * found


def _values(p: Parameters, names: tuple[str, ...]) -> Any:
    """Flat values as rows: plain, then with a complex step in each name in turn."""
    values = {n: np.asarray(v, complex if names else float) for n, v in p.values().items()}
    for q, name in enumerate(names):
        if name in NAMES:
            row = np.full(1 + len(names), values[name])
            row[1 + q] += 1j * COMPLEX_STEP
            values[name] = row
    values.update(dict.fromkeys(_ZERO, np.asarray(0.0)))
    values["mode_detuning"] = values["cavity_frequency"] - values["frequency_35"]
    return values


@cache
def _stages(names: tuple[str, ...], dephasing_operator: str, detuned: bool) -> tuple[Stage, Stage]:
    """With pump and S1, and without: nothing reaches S1 once the pump is no active switch."""
    active = ("mode_detuning",) if detuned else ()
    lit = kernel("mean_field", dephasing_operator, ("s11", "x.re"), (*active, "pump"))
    dark = kernel("mean_field", dephasing_operator, ("s33", "s44", "s55", "s53.im", "x.re"), active)
    return stage(lit, names), stage(dark, names)
