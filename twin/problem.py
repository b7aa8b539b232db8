"""One integration made ready: parameters and drive as segments, forms of rates and signals.

`Problem` is what `simulation`, `charging` and `fit` share. It knows a reading's kernel, cuts time at
every edge of the drive, and differentiates by a complex step through plain arithmetic, so that the
derivative of a rate by a parameter is exact to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import integrate as engine
from .drive import Drive, Frame, Gaussian, Steps, pump_line
from .kernels import Kernel, kernel
from .pentacene import NAMES, Parameters
from .quantity import nearest
from .system import SWITCHES, rates

ABSOLUTE_TOLERANCE = 1e-30
"""Of the scaled moments: the thermal seed is n_th/N = 1e-13 and is amplified e^20 fold, so it must count."""

MAX_STEPS = 20_000_000
_STEP = 1e-30
DRIVE_NAMES = ("pump_rate", "rabi_35", "rabi_45", "rabi_34", "cavity_drive", "cavity_drive_detuning")
TONES = ("rabi_35", "rabi_45", "rabi_34")


def frame_values(p: Parameters, d: Drive) -> dict[str, tuple[tuple[str, float], ...]]:
    """Rotating frame: each energy [rad/s] as a weighted sum of frequencies ("" is the number 1).

    Static couplings need the frame of the mode to turn at e5 - e3; a static tone ij at |e_i - e_j|.
    """
    if isinstance(d.frame, Frame):
        f = d.frame
        return {"energy_3": (("", f.e3),), "energy_4": (("", f.e4),), "energy_5": (("", f.e5),),
                "mode_detuning": (("", f.cavity),)}
    if d.frame == "resonant":
        return {"mode_detuning": (("cavity_frequency", 1.0), ("frequency_35", -1.0))}
    on_35, on_45 = is_on(d.rabi_35), is_on(d.rabi_45)
    if on_35 and on_45:
        raise ValueError('frame="printed" has one drive frequency, but rabi_35 and rabi_45 are both on; '
                         'use frame="resonant" or a Frame')
    if not on_45:
        return {"mode_detuning": (("cavity_frequency", 1.0), ("frequency_35", -1.0))}
    # Literally the print: Delta_B = w35 - w45 on levels 5 and 3, nothing on level 4.
    return {"energy_3": (("frequency_35", -0.5), ("frequency_45", 0.5)),
            "energy_5": (("frequency_35", 0.5), ("frequency_45", -0.5)),
            "mode_detuning": (("cavity_frequency", 1.0), ("frequency_45", -1.0))}


def is_on(value: Any) -> bool:
    """True if a tone or drive is anywhere different from zero."""
    return any(v != 0 for v in value.values) if isinstance(value, Steps) else value != 0


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

    def segments(self, p: Parameters, d: Drive, end: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """bounds (S+1,), forms (S, m or 9 m), rows (S, 8), lanes (S, 40): what holds between neighbouring edges."""
        inner = [e for e in d.edges() if self.start < e < end]
        bounds = np.array([self.start, *inner, end])
        rows = np.array([_signal_row(d, a, b) for a, b in zip(bounds, bounds[1:], strict=False)])
        lanes = np.zeros((len(rows), 5 * engine.LANES))
        base = self._flat(p, d)
        made: dict[tuple, np.ndarray] = {}
        forms = []
        for i, (a, b) in enumerate(zip(bounds, bounds[1:], strict=False)):
            held = _held(d, 0.5 * (a + b))
            key = tuple(held.items())
            if key not in made:
                made[key] = self._form_row(p, d, base, held)
            forms.append(made[key])
            for q, name in enumerate(self.names):
                _fill_lane(lanes[i], q, name, d, rows[i])
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
                ABSOLUTE_TOLERANCE, longest, MAX_STEPS, np.asarray(columns, np.int64), out, store)
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


def _held(d: Drive, middle: float) -> dict[str, float]:
    """Tones and the cavity's decay between two edges."""
    held = {}
    for name in TONES:
        value = getattr(d, name)
        held[name] = float(np.real(value.at(middle) if isinstance(value, Steps) else value))
    if d.cavity_decay is not None:
        value = d.cavity_decay
        held["cavity_decay"] = float(np.real(value.at(middle) if isinstance(value, Steps) else value))
    return held


def _signal_row(d: Drive, start: float, stop: float) -> np.ndarray:
    """What `integrate.signals` needs between two edges."""
    row = np.zeros(engine.SIGNAL_COLUMNS)
    middle = 0.5 * (start + stop)
    row[engine.START] = start
    gate = d.pump_on_at <= middle and (d.pump_off_at is None or middle < d.pump_off_at)
    if gate and isinstance(d.pump_rate, Gaussian):
        row[engine.PUMP] = d.pump_rate.peak_rate
        row[engine.CENTRE] = d.pump_rate.centre
        row[engine.SHARPNESS] = 2.0 * np.sqrt(np.log(2.0)) / d.pump_rate.fwhm
    elif gate:
        first, last = pump_line(d.pump_rate, start, stop)
        row[engine.PUMP], row[engine.SLOPE] = first, (last - first) / (stop - start)
    eps = d.cavity_drive.at(middle) if isinstance(d.cavity_drive, Steps) else d.cavity_drive
    row[engine.DRIVE_RE], row[engine.DRIVE_IM] = complex(eps).real, complex(eps).imag
    row[engine.DRIVE_DETUNING] = d.cavity_drive_detuning
    return row


def _fill_lane(lane: np.ndarray, q: int, name: str, d: Drive, row: np.ndarray) -> None:
    """Derivative of the signals by a field of the drive; shaped fields differentiate by a common factor."""
    if name == "pump_rate":
        number = isinstance(d.pump_rate, float)
        gate = d.pump_on_at <= row[engine.START] and (d.pump_off_at is None or row[engine.START] < d.pump_off_at)
        lane[q] = float(gate) if number else row[engine.PUMP]
        lane[engine.LANES + q] = 0.0 if number else row[engine.SLOPE]
    elif name == "cavity_drive":
        way = _direction(d.cavity_drive, row)
        lane[2 * engine.LANES + q], lane[3 * engine.LANES + q] = way.real, way.imag
    elif name == "cavity_drive_detuning":
        lane[4 * engine.LANES + q] = 1.0


def _direction(eps: Any, row: np.ndarray) -> complex:
    """d(eps)/d(cavity_drive): a real drive's value, a complex one's modulus, a shaped one's common factor."""
    if isinstance(eps, Steps):
        return complex(row[engine.DRIVE_RE], row[engine.DRIVE_IM])
    value = complex(eps)
    return value / abs(value) if value.imag else 1.0 + 0.0j
