"""Single shots: truncated Wigner with thermal seed and the noise of mode and spins.

The mode starts as a complex Gaussian with <|alpha|^2> = n_th + 1/2 and is kept there by noise of strength
kappa (n_th + 1/2); photons = |alpha|^2 - 1/2. The spins' coherences carry the noise that their decay
demands (`langevin`). Drift is the mean field; steps are Runge-Kutta 4 of fixed length with one kick
each, so a shot depends on its seed and not on the times at which it is read. Second order is not the
mean of these shots: it gives every shot the root-mean-square seed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types

from . import integrate as engine
from .compiled import INDEX, MATRIX, VECTOR, compiled
from .drive import CLOSEST, Drive, Gaussian
from .function_value import FUNCTION, call_rhs, place
from .langevin import noise
from .pentacene import Parameters
from .problem import Problem
from .segments import held_values
from .simulation import Trajectory, checked_times

_LONGEST = 2_000_000
"""Steps of one shot, all of which are kept: about 0.5 GB."""
_POPULATIONS = tuple(f"s{i}{i}" for i in range(1, 6))


@compiled(types.void(FUNCTION, VECTOR, VECTOR, VECTOR, MATRIX, MATRIX, INDEX, INDEX, INDEX, MATRIX, MATRIX,
                     VECTOR, MATRIX, MATRIX))
def _march(rhs, z, starts, lengths, forms, rows, counts, levels, places, strengths, kicks, times, states,
           slopes):
    """Runge-Kutta 4 with a kick after each step; every state and slope is kept.

    Segment s begins at starts[s] and has counts[s] steps of lengths[s]; levels (5,): places of the
    populations in z; places (P,): what is kicked; strengths (S * P, 1 + 5): constant variance per second and
    factors of the five populations; kicks (steps, P) standard normal. Filled: times (steps + 1,), states and
    slopes (steps + 1, n).
    """
    n, m = len(z), forms.shape[1]
    k1, k2, k3, k4, trial = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    u, none = np.empty(3), np.empty(0)
    at = 0
    last = len(starts) - 1
    for s in range(len(starts)):
        h = lengths[s]
        for j in range(counts[s]):
            t = starts[s] + j * h
            engine.signals(t, rows[s], none, u)
            call_rhs(rhs, place(z, 0), place(forms, s * m), place(u, 0), place(k1, 0))
            times[at] = t
            states[at] = z
            slopes[at] = k1
            for i in range(n):
                trial[i] = z[i] + 0.5 * h * k1[i]
            engine.signals(t + 0.5 * h, rows[s], none, u)
            call_rhs(rhs, place(trial, 0), place(forms, s * m), place(u, 0), place(k2, 0))
            for i in range(n):
                trial[i] = z[i] + 0.5 * h * k2[i]
            call_rhs(rhs, place(trial, 0), place(forms, s * m), place(u, 0), place(k3, 0))
            for i in range(n):
                trial[i] = z[i] + h * k3[i]
            engine.signals(t + h, rows[s], none, u)
            call_rhs(rhs, place(trial, 0), place(forms, s * m), place(u, 0), place(k4, 0))
            for i in range(n):
                z[i] += h / 6.0 * (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i])
            for p in range(len(places)):
                strength = strengths[s * len(places) + p]
                variance = strength[0]
                for level in range(5):
                    variance += strength[1 + level] * z[levels[level]]
                z[places[p]] += np.sqrt(max(variance, 0.0) * h) * kicks[at, p]
            at += 1
    times[at] = starts[last] + counts[last] * lengths[last]
    engine.signals(times[at], rows[last], none, u)
    call_rhs(rhs, place(z, 0), place(forms, last * m), place(u, 0), place(k1, 0))
    states[at] = z
    slopes[at] = k1


@dataclass(frozen=True, eq=False)
class _Plan:
    """What all shots of one crystal and drive share."""

    problem: Problem
    starts: np.ndarray
    lengths: np.ndarray
    counts: np.ndarray
    forms: np.ndarray
    rows: np.ndarray
    levels: np.ndarray
    places: np.ndarray
    strengths: np.ndarray


def _plan(p: Parameters, d: Drive, end: float, initial: Trajectory | None) -> _Plan:
    start = 0.0 if initial is None else float(initial.times[-1])
    state = None if initial is None else initial.final_state
    problem = Problem(p, d, "mean_field", start=start, state=state, phase_open=True)
    index = {v: i for i, v in enumerate(problem.kernel.variables)}
    starts, lengths, counts = _grid(start, end, d.edges(), _step(problem, p, d))
    segments = problem.segments(d, float(starts[-1] + counts[-1] * lengths[-1]))
    forms, rows = problem.forms(problem.stage, p, d, segments), segments.rows
    decays = [held_values(d, a + 0.5 * h).get("cavity_decay", p.cavity_decay)
              for a, h in zip(starts, lengths, strict=True)]
    places, strengths = noise(p, decays, index)
    return _Plan(problem, starts, lengths, counts, forms[: len(starts)], rows[: len(starts)],
                 np.array([index[v] for v in _POPULATIONS], np.int64), places, strengths)


def _grid(start: float, end: float, edges: tuple[float, ...],
          step: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start, length of a step and number of steps of each segment up to `end` or at most one step beyond.

    A segment is divided as if it went on to its own next edge, so that a shot does not depend on where the
    caller stops.
    """
    starts = [start, *(e for e in edges if start + CLOSEST < e < end - CLOSEST)]
    beyond = (e for e in edges if e >= end - CLOSEST and start + CLOSEST < e < np.inf)
    following = [*starts[1:], next(beyond, None)]
    lengths = [step if b is None else (b - a) / max(1, np.ceil((b - a) / step - 1e-9))
               for a, b in zip(starts, following, strict=True)]
    reach = [*starts[1:], end]
    counts = [max(1, round((b - a) / h) if b < end - CLOSEST else int(np.ceil((b - a) / h - 1e-9)))
              for a, b, h in zip(starts, reach, lengths, strict=True)]
    if sum(counts) > _LONGEST:
        raise ValueError(f"a stochastic shot would take {sum(counts):.3g} steps of {min(lengths):.2g} s; the "
                         f"limit is {_LONGEST}: shorten the times or lower the fastest rate or drive")
    return np.array(starts), np.array(lengths, float), np.array(counts, np.int64)


def _step(problem: Problem, p: Parameters, d: Drive) -> float:
    """A step [s] at which Runge-Kutta 4 errs by less than 1e-4 of the peak."""
    fastest = p.collective_coupling
    for name in ("rabi_35", "rabi_45", "rabi_34"):
        value = getattr(d, name)
        fastest = max(fastest, *(abs(v) for v in np.atleast_1d(getattr(value, "values", value))))
    frame = problem._flat(p, d)
    fastest = max(fastest, *(abs(frame[e]) for e in ("mode_detuning", "energy_3", "energy_4", "energy_5")),
                  abs(d.cavity_drive_detuning))
    pump = np.max(getattr(d.pump_rate, "rates", getattr(d.pump_rate, "rate", getattr(
        d.pump_rate, "peak_rate", getattr(d.pump_rate, "values", d.pump_rate)))))
    decay = np.max(np.real(getattr(d.cavity_decay, "values", d.cavity_decay or 0.0)))
    relax = max(2.0 * float(np.real(pump)) + p.spontaneous_emission + p.intersystem_crossing,
                p.cavity_decay, float(decay), p.coherence_decay_35)
    step = min(0.115 / fastest if fastest else 1e-6, 0.5 / relax)
    return min(step, d.pump_rate.fwhm / 8.0) if isinstance(d.pump_rate, Gaussian) else step


def _generator(seed: Any) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed))


def _run(plan: _Plan, p: Parameters, times: np.ndarray, seed: Any, fresh: bool) -> Trajectory:
    random = _generator(seed)
    problem = plan.problem
    index = {v: i for i, v in enumerate(problem.kernel.variables)}
    z = problem.vector(p)
    if fresh:
        # Thermal state of the mode in Wigner's sense: n_th + 1/2 quanta, half in each quadrature.
        width = np.sqrt(0.5 * (p.thermal_photons + 0.5) / p.molecules)
        z[index["x.re"]], z[index["x.im"]] = width * random.standard_normal(2)
    total = int(plan.counts.sum())
    kicks = random.standard_normal((total, len(plan.places)))
    grid, states, slopes = np.empty(total + 1), np.empty((total + 1, len(z))), np.empty((total + 1, len(z)))
    _march(problem.kernel.rhs, z, plan.starts, plan.lengths, plan.forms, plan.rows, plan.counts, plan.levels,
           plan.places, plan.strengths, kicks, grid, states, slopes)
    return _read(plan, p, times, grid, states, slopes, index)


def _read(plan: _Plan, p: Parameters, times: np.ndarray, grid: np.ndarray, states: np.ndarray,
          slopes: np.ndarray, index: dict[str, int]) -> Trajectory:
    """Cubic Hermite between the steps: as good as the steps themselves."""
    i = np.clip(np.searchsorted(grid, times, side="right") - 1, 0, len(grid) - 2)
    h = (grid[i + 1] - grid[i])[:, None]
    f = (times - grid[i])[:, None] / h
    g = 1.0 - f
    values = (g * g * ((1.0 + 2.0 * f) * states[i] + f * h * slopes[i])
              + f * f * ((1.0 + 2.0 * g) * states[i + 1] - g * h * slopes[i + 1]))
    field = p.molecules**0.5 * (values[:, index["x.re"]] + 1j * values[:, index["x.im"]])
    populations = values[:, plan.levels]
    final = dict(zip(index, values[-1, :, None], strict=True))
    finite = bool(np.isfinite(field[-1]))
    status = "ok" if finite else engine.STATUS[engine.STEP_TOO_SMALL]
    return Trajectory(p, plan.problem.drive, "stochastic", times, populations, np.abs(field) ** 2 - 0.5,
                      field, status, final_state=final)


def shot(p: Parameters, d: Drive, times: np.ndarray, seed: Any,
         initial: Trajectory | None = None) -> Trajectory:
    """One shot; `seed` is an int, a tuple of ints, or None for a new one each time."""
    if initial is not None and initial.model != "stochastic":
        raise ValueError(f'initial: a {initial.model} trajectory cannot be continued as "stochastic"')
    if initial is not None and initial.final_state is None:
        raise ValueError("initial: a shot taken out of an ensemble keeps no coherences; continue "
                         "simulate(..., seed=(seed, i)) instead")
    if initial is not None and times[-1] <= initial.times[-1]:
        raise ValueError("times: must reach beyond the trajectory that is continued")
    end = float(times[-1]) if times[-1] > 0 else 1e-9
    return _run(_plan(p, d, end, initial), p, times, seed, initial is None)


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Many shots at the same `times` (T,): photons, field (shots, T), populations (shots, T, 5)."""

    parameters: Parameters
    drive: Drive
    times: np.ndarray
    photons: np.ndarray
    populations: np.ndarray
    field: np.ndarray

    def __len__(self) -> int:
        return len(self.photons)

    def __getitem__(self, i: int) -> Trajectory:
        return Trajectory(self.parameters, self.drive, "stochastic", self.times, self.populations[i],
                          self.photons[i], self.field[i])

    def __iter__(self) -> Iterator[Trajectory]:
        return (self[i] for i in range(len(self)))


def simulate_ensemble(p: Parameters, d: Drive, times: Any, shots: int, seed: int | None = None) -> Ensemble:
    """`shots` stochastic shots on all cores; shot i is the single shot with seed (seed, i)."""
    times = checked_times(times)
    if times[0] < 0:
        raise ValueError(f"times: the first is {times[0]:g} s, before the start at 0 s")
    if shots < 1:
        raise ValueError(f"shots = {shots} must be at least 1")
    if seed is None:
        seed = int(np.random.default_rng().integers(2**63))
    plan = _plan(p, d, float(times[-1]) or 1e-9, None)
    photons, field = np.empty((shots, len(times))), np.empty((shots, len(times)), complex)
    populations = np.empty((shots, len(times), 5))

    def fill(i: int) -> None:
        one = _run(plan, p, times, (seed, i), True)
        photons[i], populations[i], field[i] = one.photons, one.populations, one.field

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(fill, range(shots)))
    return Ensemble(p, d, times, photons, populations, field)
