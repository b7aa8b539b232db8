"""One integration made ready: parameters and drive as segments, forms of rates and signals.

`Problem` is what `simulation`, `charging` and `fit` share. It knows a reading's kernel, cuts time at
every edge of the drive, and differentiates by a complex step through plain arithmetic, so that the
derivative of a rate by a parameter is exact to rounding.

Once an undriven crystal's pump is over and S1 has emptied, the same declaration without pump and S1
takes over: S1's decay (9 ns) would cap every further step of an explicit method.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from . import integrate as engine
from .bins import binned, bins_of, forms_of_bins, without_bins
from .drive import CLOSEST, Drive, Steps
from .kernels import Kernel, kernel
from .pentacene import NAMES, Parameters
from .quantity import nearest
from .rotating_frame import drive_quadratures, drive_turning, frame_values, is_on
from .segments import TONES, edge_shifts, fill_lane, held_values, signal_row
from .solution import SHOWN, Solution, photon_number
from .spread import Spread
from .stage import COMPLEX_STEP, Outcome, Segments, Stage, stage
from .straight_line import LANES
from .system import SWITCHES, rates

DRIVE_NAMES = ("pump_rate", "pump_on_at", "pump_off_at", "rabi_35", "rabi_45", "rabi_34", "cavity_drive",
               "cavity_drive_detuning")
_SIGNALS = DRIVE_NAMES[:3] + DRIVE_NAMES[6:]  # these move no form of rates
_EMPTY = 32.0
"""Lifetimes after which S1 holds 1e-14 of what it held."""
_WORTHWHILE = 100.0
"""Lifetimes of S1 that must follow for a second stage to pay."""


@dataclass(frozen=True, eq=False)
class Problem:
    """A reading of one crystal under one drive, ready to integrate and, by `names`, to differentiate.

    `start` [s] and `state` (variable -> value and derivatives) continue an earlier trajectory; otherwise the
    start is t = 0 with all molecules in level 1, a thermal mode and no correlations. `phase_open` keeps both
    quadratures of the field (stochastic shots). `spread`: bins of molecules (`bins`), mean field only.
    """

    parameters: Parameters
    drive: Drive
    model: str
    names: tuple[str, ...] = ()
    start: float = 0.0
    state: dict[str, np.ndarray] | None = None
    phase_open: bool = False
    seed_photons: float | None = None
    spread: Spread | None = None
    stage: Stage = field(init=False)

    def __post_init__(self) -> None:
        for name in self.names:
            if name not in (*NAMES, *DRIVE_NAMES, "seed_photons"):
                raise ValueError("sensitivity: " + nearest(name, (*NAMES, *DRIVE_NAMES, "seed_photons")))
        if self.names and self.spread is not None:
            raise ValueError("a spread has no sensitivities; difference two runs instead")
        if self.state is not None and bins_of(self.state) != len(self.spread or ()):
            raise ValueError(f"initial: it has {bins_of(self.state) or 'no'} bins of molecules, the spread "
                             f"{len(self.spread or ()) or 'none'}; continue with the spread it began with")
        if len(self.names) > LANES:
            raise ValueError(f"at most {LANES} parameters at once, found {len(self.names)}")
        if "pump_off_at" in self.names and self.drive.pump_off_at is None:
            raise ValueError("sensitivity: pump_off_at is None, so there is no edge to move; give it a time")
        object.__setattr__(self, "stage", stage(self._kernel(self.initial(), self._active), self.names))

    def _kernel(self, started: Any, active: tuple[str, ...]) -> Kernel:
        plain = kernel(self.model, self.parameters.dephasing_operator, tuple(sorted(without_bins(started))),
                       active)
        return plain if self.spread is None else binned(plain, self.spread)

    @property
    def kernel(self) -> Kernel:
        """The kernel at the start."""
        return self.stage.kernel

    @cached_property
    def dark(self) -> Stage:
        """The stage after the pulse: no pump, and so nothing that brings S1 back."""
        left = [v for v in self.kernel.variables if "22" not in v]
        return stage(self._kernel(left, tuple(s for s in self._active if s != "pump")), self.names)

    # what is on -----------------------------------------------------------------------------------

    @cached_property
    def _active(self) -> tuple[str, ...]:
        values = self._own_values
        on = {s for s in SWITCHES[:4] if values[s] != 0 or self._moves(s)}
        on.add("pump")
        if self.spread is not None and self.spread.is_detuned:
            on.add("energy_3")
        on |= {t for t in TONES if is_on(getattr(self.drive, t)) or t in self.names}
        on |= drive_quadratures(self.parameters, self.drive, self.names)
        return tuple(sorted(on))

    def _moves(self, switch: str) -> bool:
        frame = frame_values(self.parameters, self.drive) if self.names else {}
        return any(name in self.names for name, _ in frame.get(switch, ()))

    def _driven(self) -> bool:
        """True if a mean field builds up without a seed."""
        d = self.drive
        return (is_on(d.rabi_35) or is_on(d.cavity_drive) or (is_on(d.rabi_34) and is_on(d.rabi_45)))

    def turning(self, p: Parameters, d: Drive) -> tuple[float, dict[str, float]]:
        """As `drive_turning`; 0 where nobody drives the mode, so that its signals stand still."""
        driven = is_on(d.cavity_drive) or "cavity_drive" in self.names
        return drive_turning(p, d) if driven else (0.0, {})

    def handover(self, d: Drive, end: float, decay: Any) -> float | None:
        """When [s] the stage without pump and S1 takes over; None: not before `end`, or not worth it.

        `decay` of S1 [1/s], a number or a row. A tone's turning sets the steps; a later switch is not seen.
        """
        slowest = float(np.min(decay))
        if any(s in self._active for s in (*TONES, "cavity_drive_re", "cavity_drive_im")) or slowest <= 0.0:
            return None
        if self.spread is not None:  # one more structure to compile, for little: bins cost more than S1
            return None
        empty = max(d.last_light, self.start) + _EMPTY / slowest
        switched = any(edge > empty for edge in d.edges())  # the cavity's decay: the dark stage holds one
        return empty if not switched and (end - empty) * slowest > _WORTHWHILE else None

    # values ---------------------------------------------------------------------------------------

    @cached_property
    def _own_values(self) -> dict[str, Any]:
        return self.flat(self.parameters, self.drive)

    def flat(self, p: Parameters, d: Drive, **changed: Any) -> dict[str, Any]:
        """All values by flat name, energies of the rotating frame included; `changed` may hold rows."""
        values: dict[str, Any] = dict(p.values())
        values.update(dict.fromkeys(("energy_3", "energy_4", "energy_5", "mode_detuning", *TONES), 0.0))
        values.update(changed)
        for energy, parts in frame_values(p, d).items():
            values[energy] = sum(w * (values[n] if n else 1.0) for n, w in parts)
        return values

    def initial(self, p: Parameters | None = None, **changed: Any) -> dict[str, Any]:
        """Variables that are not zero at the start."""
        if self.state is not None:
            return {v: x[0] for v, x in self.state.items()}
        values: dict[str, Any] = {**(p or self.parameters).values(), **changed}
        n, thermal = values["molecules"], values["thermal_photons"]
        if self.model != "mean_field":
            return {"s11": 1.0, "mu": thermal / n}
        ground: dict[str, Any] = {"s11": 1.0, **{f"s11[{b}]": 1.0 for b in range(len(self.spread or ()))}}
        seed = changed.get("seed_photons", thermal if self.seed_photons is None else self.seed_photons)
        if self.phase_open:
            return {**ground, "x.re": (seed / n) ** 0.5, "x.im": 0.0}
        if self._driven() and self.seed_photons is None:
            return ground
        return {**ground, "x.re": (seed / n) ** 0.5}

    def segments(self, p: Parameters, d: Drive, end: float) -> Segments:
        """What holds between neighbouring edges up to `end` [s]."""
        turning, turns = self.turning(p, d)
        inner = [e for e in d.edges() if self.start + CLOSEST < e < end - CLOSEST]
        bounds = [self.start, *inner, end]
        rows = [signal_row(d, a, b, turning) for a, b in pairwise(bounds)]
        if "pump_on_at" in self.names and self.state is None and abs(d.pump_on_at - self.start) <= CLOSEST:
            # The edge at the very start: no time passes before it, but it can move.
            before = signal_row(d, self.start - CLOSEST, self.start, turning)
            bounds, rows = [self.start, *bounds], [before, *rows]
        lanes, shifts = np.zeros((len(rows), 5 * LANES)), np.zeros((len(rows), LANES))
        for q, name in enumerate(self.names):
            shifts[:, q] = edge_shifts(d, name, bounds[:-1])
            for row, lane in zip(rows, lanes, strict=True):
                fill_lane(lane, q, name, d, row, turns)
        return Segments(np.array(bounds), np.array(rows), lanes, shifts)

    def forms(self, of: Stage, p: Parameters, d: Drive, segments: Segments,
              known: dict[tuple, Any] | None = None) -> np.ndarray:
        """Forms (S, m or 9 m) of a stage in each segment; tones and a switched decay are held in between.

        `known` collects the rates, for another stage to find.
        """
        known = {} if known is None else known
        made: dict[tuple, np.ndarray] = {}
        found = []
        for a, b in pairwise(segments.bounds.tolist()):
            held = held_values(d, 0.5 * (a + b))
            key = tuple(held.values())
            if key not in known and self.spread is None:
                known[key] = rates(self._stepped(p, d, held))
            if key not in made:
                made[key] = self.held_forms(p, d, held) if self.spread else of.forms(known[key])
            found.append(made[key])
        return np.array(found)

    def held_forms(self, p: Parameters, d: Drive, held: dict[str, float]) -> np.ndarray:
        """Forms (m,) of the start while tones and cavity decay are `held`; with a spread, bin by bin."""
        values = self._stepped(p, d, held)
        if self.spread is not None:
            return forms_of_bins(self.kernel, values, self.spread)
        return self.stage.forms(rates(values))

    def _stepped(self, p: Parameters, d: Drive, held: dict[str, float]) -> dict[str, Any]:
        """All values; those that are differentiated by as rows: plain, then a complex step in each name."""
        if not self.names and p is self.parameters and d is self.drive:
            return {**self._own_values, **held}
        rows: dict[str, Any] = dict(held)
        for q, name in enumerate(self.names):
            if name in _SIGNALS or name == "seed_photons":
                continue
            shaped = isinstance(getattr(d, name, None), Steps)  # then the derivative is by a common factor
            value = held[name] if name in held else p.value(name)
            rows[name] = np.full(1 + len(self.names), value, complex)
            rows[name][1 + q] += 1j * COMPLEX_STEP * (value if shaped else 1.0)
        return self.flat(p, d, **rows)

    def vector(self, p: Parameters) -> np.ndarray:
        """The state at the start, followed by its derivatives lane by lane if there are names."""
        z = np.zeros(self.stage.size)
        for v, x in self.initial(p).items():
            z[self.stage.index[v]] = np.real(x)
        for q, name in enumerate(self.names):
            for v, slope in self._start_slopes(p, q, name).items():
                z[self.stage.lane(v) + q] = slope
        return z

    def _start_slopes(self, p: Parameters, q: int, name: str) -> dict[str, float]:
        if self.state is not None:
            return {v: float(x[1 + q]) for v, x in self.state.items() if len(x) > 1}
        if name not in ("molecules", "thermal_photons", "seed_photons"):
            return {}
        seeded = name == "seed_photons" and self.seed_photons is not None
        value = self.seed_photons or 0.0 if seeded else p.value(name.replace("seed", "thermal"))
        moved = self.initial(p, **{name: value + 1j * COMPLEX_STEP})
        return {v: float(np.imag(x)) / COMPLEX_STEP for v, x in moved.items()}

    # integration ----------------------------------------------------------------------------------

    def run(self, times: np.ndarray, variables: tuple[str, ...] = SHOWN, rtol: float = 1e-8,
            p: Parameters | None = None, d: Drive | None = None, record: int = 0) -> Solution:
        """Integrate to times[-1]; `p`, `d` replace values, not the structure. `record`: keep the steps."""
        p, d = p or self.parameters, d or self.drive
        times = np.ascontiguousarray(times, float)
        z, end = self.vector(p), float(times[-1])
        out = np.empty((len(times), len(variables) * (1 + len(self.names))))
        if end <= self.start:
            out[:] = np.append(z, 0.0)[self.stage.columns(variables)]
            return self._solution(variables, self.stage, z, out, [])
        handover = self.handover(d, end, p.spontaneous_emission + p.intersystem_crossing)
        rates_by_held: dict[tuple, Any] = {}

        def leg(of: Stage, z: np.ndarray, segments: Segments, part: slice) -> Outcome:
            forms = self.forms(of, p, d, segments, rates_by_held)
            turning = abs(self.turning(p, d)[0])
            longest = 0.25 * np.pi / turning if turning else np.inf
            return of.run(z, segments, forms, times[part], rtol, of.columns(variables), longest, record,
                          out[part])

        split = len(times) if handover is None else int(np.searchsorted(times, handover, side="right"))
        legs = [leg(self.stage, z, self.segments(p, d, handover or end), slice(0, split))]
        if handover is None or legs[0].status != engine.OK:
            out[split:] = np.nan
            return self._solution(variables, self.stage, z, out, legs)
        z = self.dark.adopt(z, self.stage)
        legs.append(leg(self.dark, z, Segments.dark(handover, end), slice(split, None)))
        return self._solution(variables, self.dark, z, out, legs)

    def _solution(self, variables: tuple[str, ...], last: Stage, z: np.ndarray, out: np.ndarray,
                  legs: list[Outcome]) -> Solution:
        count, k = len(variables), len(self.names)
        record = legs[0].record if len(legs) == 1 else np.concatenate(
            [np.empty((0, 2 + 8 * out.shape[1])), *(leg.record for leg in legs)])
        polynomials = record[:, 2:].reshape(len(record), 8, out.shape[1])[..., :count]
        return Solution(legs[-1].status if legs else engine.OK, sum(leg.steps for leg in legs),
                        out[:, :count], out[:, count:].reshape(len(out), count, k), record[:, 0],
                        record[:, 1], polynomials, last, z)

    def solve(self, times: np.ndarray, p: Parameters | None = None, d: Drive | None = None,
              seed_photons: float | None = None, rtol: float = 1e-6) -> tuple[np.ndarray, np.ndarray]:
        """Photons (T,) and their derivatives (T, names) per unit of each parameter: the fit's workhorse."""
        p = p or self.parameters
        problem = self
        if seed_photons is not None and seed_photons != self.seed_photons:
            problem = _with_seed(self, seed_photons)
        found = problem.run(times, ("x.re", "x.im", "mu"), rtol, p, d)
        return photon_number(found, p, self.names)


def _with_seed(problem: Problem, seed: float) -> Problem:
    # The same kernel, so nothing is derived or compiled again.
    copy = object.__new__(Problem)
    copy.__dict__.update(problem.__dict__, seed_photons=float(seed))
    return copy
