"""One integration made ready: parameters and drive as segments, forms of rates and signals.

`Problem` is what `simulation`, `charging` and `fit` share. It knows a reading's kernel, cuts time at
every edge of the drive, and differentiates by a complex step through plain arithmetic, so that the
derivative of a rate by a parameter is exact to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from . import integrate as engine
from .drive import CLOSEST, Drive, Steps
from .kernels import Kernel, kernel
from .pentacene import NAMES, Parameters
from .quantity import nearest
from .rotating_frame import frame_values, is_on
from .segments import TONES, fill_lane, held_values, signal_row
from .system import SWITCHES, rates

ABSOLUTE_TOLERANCE = 1e-30
"""Of the scaled moments: the thermal seed is n_th/N = 1e-13 and is amplified e^20 fold, so it must count."""

MAX_STEPS = 20_000_000
MAX_WORK = 200_000_000
"""Steps times variables: half a minute or so, however many moments there are."""
_STEP = 1e-30
DRIVE_NAMES = ("pump_rate", "rabi_35", "rabi_45", "rabi_34", "cavity_drive", "cavity_drive_detuning")


Segments = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""bounds (S+1,), forms (S, m or 9 m), rows (S, 8), lanes (S, 40)."""


@dataclass(frozen=True, eq=False)
class Solution:
    """What one integration returned: columns (T, C) at the times, the record of its steps, its status."""

    status: int
    steps: int
    columns: np.ndarray
    record: np.ndarray
    last: np.ndarray


@dataclass(frozen=True, eq=False)
class Problem:
    """A reading of one crystal under one drive, ready to integrate and, by `names`, to differentiate.

    `start` [s] and `state` (variable -> value) continue an earlier trajectory; otherwise the start is
    t = 0 with all molecules in level 1, a thermal mode and no correlations. `phase_open` keeps both
    quadratures of the field (stochastic shots).
    """

    parameters: Parameters
    drive: Drive
    model: str
    names: tuple[str, ...] = ()
    start: float = 0.0
    state: dict[str, float] | None = None
    phase_open: bool = False
    seed_photons: float | None = None
    kernel: Kernel = field(init=False)

    def __post_init__(self) -> None:
        for name in self.names:
            if name not in (*NAMES, *DRIVE_NAMES, "seed_photons"):
                raise ValueError("sensitivity: " + nearest(name, (*NAMES, *DRIVE_NAMES, "seed_photons")))
        if len(self.names) > engine.LANES:
            raise ValueError(f"at most {engine.LANES} parameters at once, found {len(self.names)}")
        active = self._active()
        started = set(self.initial())
        compiled = kernel(self.model, self.parameters.dephasing_operator, tuple(sorted(started)), active)
        object.__setattr__(self, "kernel", compiled)

    # what is on -----------------------------------------------------------------------------------

    def _active(self) -> tuple[str, ...]:
        values = self._flat(self.parameters, self.drive)
        on = {s for s in SWITCHES[:4] if values[s] != 0 or self._moves(s)}
        on.add("pump")
        on |= {t for t in TONES if is_on(getattr(self.drive, t)) or t in self.names}
        eps = self.drive.cavity_drive
        if is_on(eps):
            parts = eps.values if isinstance(eps, Steps) else (eps,)
            turning = self.drive.cavity_drive_detuning != 0 or "cavity_drive_detuning" in self.names
            if turning or any(complex(v).real != 0 for v in parts):
                on.add("cavity_drive_re")
            if turning or any(complex(v).imag != 0 for v in parts):
                on.add("cavity_drive_im")
        elif "cavity_drive" in self.names:  # at zero its direction is the real one
            on |= {"cavity_drive_re"} | ({"cavity_drive_im"} if self.drive.cavity_drive_detuning else set())
        return tuple(sorted(on))

    def _moves(self, switch: str) -> bool:
        frame = frame_values(self.parameters, self.drive)
        return any(name in self.names for name, _ in frame.get(switch, ()))

    def _driven(self) -> bool:
        """True if a mean field builds up without a seed."""
        d = self.drive
        return (is_on(d.rabi_35) or is_on(d.cavity_drive) or (is_on(d.rabi_34) and is_on(d.rabi_45)))

    # values ---------------------------------------------------------------------------------------

    def _flat(self, p: Parameters, d: Drive, **changed: complex) -> dict[str, complex]:
        values: dict[str, complex] = dict(p.values())
        values.update(dict.fromkeys(("energy_3", "energy_4", "energy_5", "mode_detuning", *TONES), 0.0))
        values.update(changed)
        for energy, parts in frame_values(p, d).items():
            values[energy] = sum(w * (values[n] if n else 1.0) for n, w in parts)
        return values

    def initial(self, p: Parameters | None = None, **changed: complex) -> dict[str, complex]:
        """Variables that are not zero at the start."""
        if self.state is not None:
            return {v: x for v, x in self.state.items()}
        p = p or self.parameters
        values = self._flat(p, self.drive, **changed)
        n, thermal = values["molecules"], values["thermal_photons"]
        if self.model != "mean_field":
            return {"s11": 1.0, "mu": thermal / n}
        seed = changed.get("seed_photons", thermal if self.seed_photons is None else self.seed_photons)
        if self.phase_open:
            return {"s11": 1.0, "x.re": (seed / n) ** 0.5, "x.im": 0.0}
        if self._driven() and self.seed_photons is None:
            return {"s11": 1.0}
        return {"s11": 1.0, "x.re": (seed / n) ** 0.5}

    def segments(self, p: Parameters, d: Drive, end: float) -> Segments:
        """What holds between neighbouring edges up to `end` [s]."""
        inner = [e for e in d.edges() if self.start + CLOSEST < e < end - CLOSEST]
        bounds = np.array([self.start, *inner, end])
        rows = np.array([signal_row(d, a, b) for a, b in pairwise(bounds)])
        lanes = np.zeros((len(rows), 5 * engine.LANES))
        base = self._flat(p, d)
        made: dict[tuple, np.ndarray] = {}
        forms = []
        for i, (a, b) in enumerate(pairwise(bounds)):
            held = held_values(d, 0.5 * (a + b))
            key = tuple(held.items())
            if key not in made:
                made[key] = self._form_row(p, d, base, held)
            forms.append(made[key])
            for q, name in enumerate(self.names):
                fill_lane(lanes[i], q, name, d, rows[i])
        return bounds, np.array(forms), rows, lanes

    def _form_row(self, p: Parameters, d: Drive, base: dict, held: dict[str, float]) -> np.ndarray:
        row = self.kernel.form_values(rates({**base, **held})).real
        if not self.names:
            return row
        lanes = np.zeros((len(row), engine.LANES))
        for q, name in enumerate(self.names):
            if name in NAMES or name in TONES:
                lanes[:, q] = self._form_slope(p, d, held, name)
        return np.concatenate((row, lanes.ravel()))

    def _form_slope(self, p: Parameters, d: Drive, held: dict[str, float], name: str) -> np.ndarray:
        shaped = isinstance(getattr(d, name, None), Steps)  # then the derivative is by a common factor
        if name in held:
            moved = {**held, name: held[name] + 1j * _STEP * (held[name] if shaped else 1.0)}
            values = {**self._flat(p, d), **moved}
        elif name in NAMES:
            values = {**self._flat(p, d, **{name: p.value(name) + 1j * _STEP}), **held}
        else:
            values = {**self._flat(p, d), **held, name: 1j * _STEP}
        return self.kernel.form_values(rates(values)).imag / _STEP

    def vector(self, p: Parameters) -> np.ndarray:
        """The state at the start, followed by its derivatives lane by lane if there are names."""
        index = {v: i for i, v in enumerate(self.kernel.variables)}
        n = len(index)
        z = np.zeros(n * (1 + engine.LANES) if self.names else n)
        for v, x in self.initial(p).items():
            z[index[v]] = np.real(x)
        if self.state is None:
            for q, name in enumerate(self.names):
                if name in ("molecules", "thermal_photons", "seed_photons"):
                    for v, x in self.initial(p, **{name: self._value(p, name) + 1j * _STEP}).items():
                        z[n + engine.LANES * index[v] + q] = np.imag(x) / _STEP
        return z

    def _value(self, p: Parameters, name: str) -> float:
        if name != "seed_photons":
            return p.value(name)
        return p.thermal_photons if self.seed_photons is None else self.seed_photons

    # integration ----------------------------------------------------------------------------------

    def run(self, times: np.ndarray, columns: Sequence[int], rtol: float, p: Parameters | None = None,
            d: Drive | None = None, z: np.ndarray | None = None, record: int = 0) -> Solution:
        """Integrate to times[-1]; `columns` index the vector. `p`, `d` replace values, not the structure."""
        p, d = p or self.parameters, d or self.drive
        z = self.vector(p) if z is None else z.copy()
        n = len(self.kernel.variables)
        times = np.ascontiguousarray(times, float)
        out = np.full((len(times), len(columns)), np.nan)
        if times[-1] <= self.start:
            out[:] = z[list(columns)]
            return Solution(engine.OK, 0, out, np.empty((0, 2 + 8 * len(columns))), z)
        bounds, forms, rows, lanes = self.segments(p, d, float(times[-1]))
        function = self.kernel.rhs_with_sensitivities if self.names else self.kernel.rhs
        longest = 0.25 * np.pi / abs(d.cavity_drive_detuning) if d.cavity_drive_detuning else np.inf
        while True:
            store = np.empty((record, 2 + 8 * len(columns)))
            work = z.copy()
            status, steps, kept = engine.integrate(
                function, work, n, bounds, forms, rows, lanes, self.kernel.blocks, times, rtol,
                ABSOLUTE_TOLERANCE, longest, min(MAX_STEPS, MAX_WORK // n), np.asarray(columns, np.int64),
                out, store)
            if status != engine.RECORD_FULL:
                return Solution(status, steps, out, store[:kept], work)
            record *= 4

    def solve(self, times: np.ndarray, p: Parameters | None = None, d: Drive | None = None,
              seed_photons: float | None = None, rtol: float = 1e-6) -> tuple[np.ndarray, np.ndarray]:
        """Photons (T,) and their derivatives (T, names) per unit of each parameter: the fit's workhorse."""
        p = p or self.parameters
        problem = self
        if seed_photons is not None and seed_photons != self.seed_photons:
            problem = _with_seed(self, seed_photons)
        index = {v: i for i, v in enumerate(self.kernel.variables)}
        parts = [index[v] for v in ("x.re", "x.im", "mu") if v in index]
        n, lanes, names = len(index), engine.LANES, len(self.names)
        columns = parts + [n + lanes * i + q for i in parts for q in range(names)]
        found = problem.run(times, columns, rtol, p, d).columns
        photons, slopes = np.zeros(len(times)), np.zeros((len(times), names))
        for j, i in enumerate(parts):
            own = found[:, j]
            dx = found[:, len(parts) + names * j: len(parts) + names * (j + 1)]
            if self.kernel.variables[i] == "mu":
                photons += own
                slopes += dx
            else:
                photons += own * own
                slopes += 2.0 * own[:, None] * dx
        if "molecules" in self.names:
            slopes[:, self.names.index("molecules")] += photons / p.molecules
        return p.molecules * photons, p.molecules * slopes


def _with_seed(problem: Problem, seed: float) -> Problem:
    # The same kernel, so nothing is derived or compiled again.
    copy = object.__new__(Problem)
    for name in Problem.__dataclass_fields__:
        object.__setattr__(copy, name, getattr(problem, name))
    object.__setattr__(copy, "seed_photons", float(seed))
    return copy
