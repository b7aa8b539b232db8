"""Single shots: truncated Wigner with thermal seed and the noise of mode and spins.

The mode starts as a complex Gaussian with <|alpha|^2> = n_th + 1/2 and is kept there by noise of strength
kappa (n_th + 1/2); photons = |alpha|^2 - 1/2. The spins' coherences carry the noise that their decay
demands (`langevin`). Drift is the mean field; steps are Runge-Kutta 4 of fixed length with one kick
each (`march`), so a shot depends on its seed and not on the times at which it is read. Second order is not
the mean of these shots: it gives every shot the root-mean-square seed.

Several shots go through one loop side by side; with a spread (`spread`) the bins of one shot do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import integrate as engine
from .drive import Drive
from .march import march
from .noisy_plan import Plan, plan
from .pentacene import Parameters
from .simulation import Trajectory, checked_times
from .spread import Spread


def _generator(seed: Any) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed))


def _run(made: Plan, times: np.ndarray, seeds: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Shots (S, T, 7) at the times: quadratures of the scaled field, populations; last states (n, .)."""
    streams = [_generator(seed) for seed in seeds]
    z = made.start(streams)
    out = np.empty((len(seeds), len(times), len(made.columns)))
    total, block, asked = int(made.counts.sum()), made.block, 0
    kicks = np.zeros((made.width, block, made.places.size))
    for first in range(0, total, block):
        steps = min(block, total - first)
        for q, stream in enumerate(streams):
            stream.standard_normal(out=kicks[q, :steps])
        asked = march(made.rhs, z, made.starts, made.lengths, made.counts, made.forms, made.rows, first,
                      first + steps, made.width, made.places, made.levels, made.strengths, kicks, times,
                      asked, made.columns, out)
    return out, z.reshape(-1, made.width)


def _shown(made: Plan, read: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Photons, field, populations of shots (.., T, 7) as `_run` reads them."""
    field = made.parameters.molecules**0.5 * (read[..., 0] + 1j * read[..., 1])
    return field.real**2 + field.imag**2 - 0.5, field, read[..., 2:]


def _status(field: np.ndarray) -> str:
    return "ok" if np.all(np.isfinite(field[-1])) else engine.STATUS[engine.STEP_TOO_SMALL]


def shot(p: Parameters, d: Drive, times: np.ndarray, seed: Any, initial: Trajectory | None = None,
         spread: Spread | None = None) -> Trajectory:
    """One shot; `seed` is an int, a tuple of ints, or None for a new one each time."""
    if initial is not None and initial.model != "stochastic":
        raise ValueError(f'initial: a {initial.model} trajectory cannot be continued as "stochastic"')
    if initial is not None and initial.final_state is None:
        raise ValueError("initial: a shot taken out of an ensemble keeps no coherences; continue "
                         "simulate(..., seed=(seed, i)) instead")
    if initial is not None and times[-1] <= initial.times[-1]:
        raise ValueError("times: must reach beyond the trajectory that is continued")
    end = float(times[-1]) if times[-1] > 0 else 1e-9
    made = plan(p, d, end, spread, 0.0 if initial is None else float(initial.times[-1]),
                None if initial is None else initial.final_state)
    read, last = _run(made, times, [seed])
    photons, field, populations = _shown(made, read[0])
    return Trajectory(p, d, "stochastic", times, populations, photons, field, _status(field),
                      final_state=made.named(last[:, 0]), origin=initial)


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
                          self.photons[i], self.field[i], _status(self.field[i]))

    def __iter__(self) -> Iterator[Trajectory]:
        return (self[i] for i in range(len(self)))


def simulate_ensemble(p: Parameters, d: Drive, times: Any, shots: int, seed: int | None = None, *,
                      spread: Spread | None = None) -> Ensemble:
    """`shots` stochastic shots on all cores; shot i is the single shot with seed (seed, i)."""
    times = checked_times(times)
    if times[0] < 0:
        raise ValueError(f"times: the first is {times[0]:g} s, before the start at 0 s")
    if shots < 1:
        raise ValueError(f"shots = {shots} must be at least 1")
    if seed is None:
        seed = int(np.random.default_rng().integers(2**63))
    made = plan(p, d, float(times[-1]) or 1e-9, spread)
    photons, field = np.empty((shots, len(times))), np.empty((shots, len(times)), complex)
    populations = np.empty((shots, len(times), 5))

    def fill(first: int) -> None:
        few = slice(first, min(first + made.width, shots))
        read, _ = _run(made, times, [(seed, i) for i in range(few.start, few.stop)])
        photons[few], field[few], populations[few] = _shown(made, read)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(fill, range(0, shots, made.width)))
    return Ensemble(p, d, times, photons, populations, field)
