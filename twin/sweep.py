"""Maps: a reading of the model over a grid of parameters, on all cores.

Points that share a structure share everything but numbers: their forms of rates are worked out as rows, and
one compiled loop integrates them one after the other without the interpreter's lock.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from . import integrate as engine
from .batch import Batch
from .drive import Drive
from .pentacene import NAMES, Parameters
from .problem import Problem
from .quantity import check, nearest
from .rotating_frame import is_on
from .segments import TONES, held_values
from .simulation import MODELS, RTOL, checked_times, simulate
from .solution import SHOWN
from .stage import Segments, Stage
from .system import rates

if TYPE_CHECKING:
    from xarray import Dataset

_DRIVE_AXES = ("pump_rate", "pump_on_at", "pump_off_at", *TONES, "cavity_drive", "cavity_drive_detuning")
_EDGES = ("pump_on_at", "pump_off_at")
_CHUNK = 60
"""Points to a piece of work: a few milliseconds, so that cores share evenly and progress moves."""
_LARGEST = 4e9
"""Bytes of a result; more would not fit beside what a person does with it."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Work:
    """What every piece of a sweep needs; plain data, cheap to send to another process."""

    parameters: Parameters
    drive: Drive
    times: np.ndarray
    names: tuple[str, ...]
    model: str
    rtol: float
    seed: Any

    def at(self, point: Sequence[Any]) -> tuple[Parameters, Drive]:
        """Parameters and drive of one point; ValueError where the values do not go together."""
        ours = {n: v for n, v in zip(self.names, point, strict=True) if n in NAMES}
        theirs = {n: v for n, v in zip(self.names, point, strict=True) if n not in NAMES}
        return self.parameters.replace(**ours), self.drive.replace(**theirs)


def sweep(p: Parameters, d: Drive, times: Any, axes: Mapping[str, Any], model: str = "cumulant",
          executor: Executor | None = None, *, rtol: float = RTOL, seed: int | None = None,
          progress: Progress | None = None) -> Dataset:
    """The trajectories over the grid that `axes` (name of a parameter or of a drive's field -> values) span.

    Returns a Dataset with the axes, `time` [s] and `level` as coordinates: populations (..., time, level),
    photons and field (..., time), steps and status (...), 0 where all is well. `executor`: any of
    concurrent.futures' kind, processes included; None: threads on all cores. `progress(done, points)` is
    called after each piece. Point i of a stochastic sweep is the shot with seed (seed, i). Raises ValueError
    for unknown names, values out of range, or a result above 4 GB.
    """
    times = checked_times(times)
    if model not in MODELS:
        raise ValueError("model: " + nearest(str(model), MODELS))
    grid = {name: _axis(name, values) for name, values in axes.items()}
    if not grid:
        raise ValueError("axes: expected at least one name with its values, found none")
    points = list(itertools.product(*(a.tolist() for a in grid.values())))
    size = len(points) * len(times) * 8 * 8
    if size > _LARGEST:
        raise ValueError(f"axes: {len(points)} points at {len(times)} times make {size / 1e9:.3g} GB; the "
                         f"limit is {_LARGEST / 1e9:g} GB: ask for fewer times or sweep in parts")
    work = _Work(p, d, times, tuple(grid), model, rtol, seed)
    work.at(points[0])
    pieces = [(i, points[i: i + _CHUNK]) for i in range(0, len(points), _CHUNK)]
    out = _Arrays(len(points), len(times))
    for first, piece in _pieces(work, pieces, executor):
        out.put(first, piece)
        if progress is not None:
            progress(out.done, len(points))
    return out.dataset(grid, times, model)


def _axis(name: str, values: Any) -> np.ndarray:
    known = (*NAMES, *_DRIVE_AXES)
    if name not in known:
        raise ValueError("axes: " + nearest(name, known))
    found = np.atleast_1d(np.asarray(values))
    if found.ndim != 1 or not found.size or found.dtype.kind not in "iufc":
        raise ValueError(f"axes: {name} needs a row of numbers, found {values!r}")
    quantity = (Parameters if name in NAMES else Drive).quantities()[name]
    for part in (found.real, found.imag) if name == "cavity_drive" else (found,):
        for value in part:
            check(name, value, quantity)
    return found.astype(complex if found.dtype.kind == "c" else float)


def _pieces(work: _Work, pieces: list[tuple[int, list[tuple]]],
            executor: Executor | None) -> Iterator[tuple[int, _Arrays]]:
    """Results as they come."""
    own = ThreadPoolExecutor(os.cpu_count() or 1) if executor is None else None
    try:
        running = {(executor or own).submit(_solve, work, first, piece): first  # type: ignore[union-attr]
                   for first, piece in pieces}
        for done in as_completed(running):
            yield running[done], done.result()
    finally:
        if own is not None:
            own.shutdown(cancel_futures=True)


class _Arrays:
    """Results point by point: populations (P, T, 5), photons (P, T), field (P, T), steps and status (P,)."""

    def __init__(self, points: int, times: int) -> None:
        self.populations = np.empty((points, times, 5))
        self.photons, self.field = np.empty((points, times)), np.empty((points, times), complex)
        self.steps, self.status = np.zeros(points, np.int64), np.zeros(points, np.int64)
        self.done = 0

    def put(self, place: Any, other: _Arrays) -> None:
        """Take another's points over, from `place` on or at the places of an index."""
        here = slice(place, place + len(other.photons)) if isinstance(place, int) else place
        for name in ("populations", "photons", "field", "steps", "status"):
            getattr(self, name)[here] = getattr(other, name)
        self.done += len(other.photons)

    def dataset(self, grid: dict[str, np.ndarray], times: np.ndarray, model: str) -> Dataset:
        import xarray

        shape, names = tuple(len(a) for a in grid.values()), tuple(grid)
        units = {**Parameters.quantities(), **Drive.quantities()}
        coordinates: dict[str, Any] = {n: (n, a, {"units": units[n].unit, "long_name": units[n].meaning})
                                       for n, a in grid.items()}
        coordinates |= {"time": ("time", times, {"units": "s"}), "level": [1, 2, 3, 4, 5]}
        told = {n: ((*names, "time"), getattr(self, n).reshape(*shape, -1)) for n in ("photons", "field")}
        told |= {n: (names, getattr(self, n).reshape(shape)) for n in ("steps", "status")}
        populations = (*names, "time", "level"), self.populations.reshape(*shape, -1, 5)
        return xarray.Dataset({"populations": populations, **told}, coordinates, {"model": model})


def _solve(work: _Work, first: int, points: list[tuple]) -> _Arrays:
    """One piece of the grid; a pure function, so it runs anywhere."""
    if work.model in ("stochastic", "exact"):
        return _one_by_one(work, first, points)
    out = _Arrays(len(points), len(work.times))
    for places in _alike(work, points):
        chosen = [points[i] for i in places]
        out.put(np.array(places), _together(work, chosen))
    return out


def _one_by_one(work: _Work, first: int, points: list[tuple]) -> _Arrays:
    out = _Arrays(len(points), len(work.times))
    for i, point in enumerate(points):
        seed = (work.seed, first + i) if work.seed is not None else None
        found = simulate(*work.at(point), work.times, model=work.model, rtol=work.rtol, seed=seed)
        out.populations[i], out.photons[i], out.field[i] = found.populations, found.photons, found.field
        out.steps[i], out.status[i] = found.steps, found.status != "ok"
    return out


def _alike(work: _Work, points: list[tuple]) -> list[list[int]]:
    """Places of points whose models have the same variables and edges: zero in the same names."""
    groups: dict[tuple, list[int]] = {}
    tuned = [work.parameters.value("cavity_frequency"), work.parameters.value("frequency_35")]
    for i, point in enumerate(points):
        values = dict(zip(work.names, point, strict=True))
        detuned = values.get("cavity_frequency", tuned[0]) != values.get("frequency_35", tuned[1])
        key = (detuned, *(v if n in _EDGES else (v.real == 0, v.imag == 0) for n, v in values.items()))
        groups.setdefault(key, []).append(i)
    return list(groups.values())


def _together(work: _Work, points: list[tuple]) -> _Arrays:
    """Points of one structure: rows of numbers through one compiled loop."""
    cross_checked = any(n.startswith("branching") for n in work.names)
    p, d = [work.at(point) for point in (points if cross_checked else points[:1])][0]  # noqa: RUF015
    problem = Problem(p, d, work.model)
    columns = {n: np.array(column) for n, column in zip(work.names, zip(*points, strict=True), strict=True)}
    values = problem.flat(p, d, **{n: v for n, v in columns.items() if n not in _DRIVE_AXES or n in TONES})
    batch = Batch(len(points), work.times, work.rtol)
    initial = problem.initial(p, **{n: values[n] for n in ("molecules", "thermal_photons")})
    batch.start(problem.stage, initial)
    end = float(work.times[-1])
    handover = problem.handover(d, end, values["spontaneous_emission"] + values["intersystem_crossing"])
    segments = problem.segments(p, d, handover or end)
    batch.run(segments, _forms(problem.stage, d, segments, values, columns, len(points)),
              _rows(segments, columns, len(points), d, values["mode_detuning"]))
    if handover is not None:
        segments = Segments.dark(handover, end)
        batch.hand_over(problem.dark)
        batch.run(segments, _forms(problem.dark, d, segments, values, columns, len(points)),
                  np.zeros((len(points), 1, engine.SIGNAL_COLUMNS)))
    return _read(batch, np.broadcast_to(values["molecules"], (len(points),)), len(points))


def _forms(of: Stage, d: Drive, segments: Segments, values: dict[str, Any], columns: dict[str, np.ndarray],
           points: int) -> np.ndarray:
    """(P, S, m)."""
    found = []
    for a, b in pairwise(segments.bounds.tolist()):
        held = {n: v for n, v in held_values(d, 0.5 * (a + b)).items()
                if n not in columns or n not in TONES}
        found.append(of.form_values(rates({**values, **held}), points).real)
    return np.ascontiguousarray(np.array(found).transpose(2, 0, 1))


def _rows(segments: Segments, columns: dict[str, np.ndarray], points: int, d: Drive,
          mode_detuning: Any) -> np.ndarray:
    """Signals (P, S, 8): the representative's, with the swept numbers in place of its own."""
    rows = np.tile(segments.rows, (points, 1, 1))
    if "pump_rate" in columns:
        lit = segments.rows[:, engine.PUMP] != 0.0
        rows[:, lit, engine.PUMP] = columns["pump_rate"][:, None]
    if "cavity_drive" in columns:
        rows[:, :, engine.DRIVE_RE] = columns["cavity_drive"].real[:, None]
        rows[:, :, engine.DRIVE_IM] = columns["cavity_drive"].imag[:, None]
    if is_on(d.cavity_drive) or "cavity_drive" in columns:
        turning = columns.get("cavity_drive_detuning", d.cavity_drive_detuning) + mode_detuning
        rows[:, :, engine.DRIVE_DETUNING] = np.broadcast_to(turning, (points,))[:, None]
    return rows


def _read(batch: Batch, molecules: np.ndarray, points: int) -> _Arrays:
    out = _Arrays(0, 0)
    found = batch.out
    re, im = found[..., SHOWN.index("x.re")], found[..., SHOWN.index("x.im")]
    out.populations = found[..., :5]
    out.photons = molecules[:, None] * (re * re + im * im + found[..., SHOWN.index("mu")])
    out.field = molecules[:, None] ** 0.5 * (re + 1j * im)
    out.steps, out.status, out.done = batch.steps, batch.status, points
    return out
