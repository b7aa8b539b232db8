"""A plan of several runs as a TOML file says it: steps, nested scans of settings, order, repeats, waits.

    title = "threshold at three qualities"

    [[step]]
    procedure = "vector_sweep"

    [[step]]
    procedure = "pump_threshold"
    set = { shots = 12 }
    scan = { repetition_rate = "5Hz, 10Hz", pump_energy_stop = "log:1mJ:5mJ:3" }   # the last runs fastest
    order = "random"
    repeats = 2
    wait = "30s"
    on_failure = "go_on"

Text in, records out; touches no instrument and no file. Whatever can be known without a bench is checked.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymeasure.experiment import FloatParameter

from procedures import catalogue
from twin.grid import grid
from twin.quantity import nearest, read

from .records.points import ORDERS
from .records.settings import declared, values

ON_FAILURE = ("stop", "go_on")
LARGEST = 10_000
"""Runs of a sequence."""
_STEP = ("procedure", "set", "scan", "order", "repeats", "wait", "on_failure")


@dataclass(frozen=True)
class PlannedRun:
    """One run of a sequence: its `number` in it, the `step` that wants it, and every setting in SI units.

    `scanned` names what differs from run to run of a step; `wait` [s] comes before it.
    """

    number: int
    step: int
    procedure: str
    settings: Mapping[str, Any]
    scanned: tuple[str, ...]
    wait: float
    goes_on: bool

    @property
    def duration(self) -> float:
        """About how long it takes [s], the wait included."""
        return self.wait + float(catalogue.procedure(self.procedure)(**self.settings).duration())


@dataclass(frozen=True)
class SequencePlan:
    """All runs in the order in which they are made; `text` is the file."""

    title: str
    text: str
    runs: tuple[PlannedRun, ...]

    @property
    def duration(self) -> float:
        """About how long all of them take [s]."""
        return sum(run.duration for run in self.runs)


def read_plan(text: str, name: str, seed: int) -> SequencePlan:
    """The plan that a file's `text` describes; `seed` decides random orders. ValueError names the step."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        raise ValueError(f"{name} is no TOML: {broken}") from None
    _known(name, tables, ("title", "step"))
    steps = tables.get("step")
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        raise ValueError(f"{name}: a sequence needs at least one [[step]] with a procedure")
    runs: list[PlannedRun] = []
    for number, step in enumerate(steps):
        random = np.random.default_rng([seed, number])
        runs += _runs(step, f"{name}, step {number + 1}", number, len(runs), random)
        if len(runs) > LARGEST:
            raise ValueError(f"{name}: more than {LARGEST} runs; a sequence has at most that many")
    return SequencePlan(str(tables.get("title", "")), text, tuple(runs))


def _runs(step: Mapping[str, Any], where: str, number: int, first: int,
          random: np.random.Generator) -> Iterator[PlannedRun]:
    _known(where, step, _STEP)
    try:
        procedure = catalogue.procedure(str(step.get("procedure", "")))
        axes = {name: _axis(procedure, name, text) for name, text in _table(step, "scan").items()}
        fixed = _table(step, "set")
        both = [name for name in axes if name in fixed]
        if both:
            raise ValueError(f"{both[0]} is set and scanned as well; leave it out of one of them")
        grid_points = [dict(zip(axes, point, strict=True)) for point in itertools.product(*axes.values())]
        wait, repeats = read(step.get("wait", 0.0), "s", "wait"), _repeats(step)
        order = _one_of(step, "order", ORDERS)
        goes_on = _one_of(step, "on_failure", ON_FAILURE) == "go_on"
        if wait < 0.0:
            raise ValueError(f"wait = {wait:g} s must not be negative")
        given = [values(procedure, {**fixed, **point}) for point in grid_points]
    except ValueError as wrong:
        raise ValueError(f"{where}: {wrong}") from None
    places = itertools.chain.from_iterable(_ordered(len(given), order, random) for _ in range(repeats))
    for count, place in enumerate(places):
        yield PlannedRun(first + count, number, catalogue.name_of(procedure), given[place], tuple(axes), wait,
                         goes_on)


def _axis(procedure: Any, name: str, told: Any) -> list[Any]:
    """The values of one setting, as a list or as text such as "log:1mJ:5mJ:5"."""
    known = declared(procedure)
    if name not in known:
        raise ValueError(f"scan: {nearest(name, known)}")
    if isinstance(told, list):
        found = told
    elif isinstance(known[name], FloatParameter):
        found = grid(str(told), known[name].units or "", name, f"scan, {name}").tolist()
    else:
        found = [part.strip() for part in str(told).split(",")]
    if not found:
        raise ValueError(f"scan: {name} has no values")
    return found


def _ordered(count: int, order: str, random: np.random.Generator) -> list[int]:
    if order == "random":
        return [int(place) for place in random.permutation(count)]
    return list(range(count))[::-1] if order == "backward" else list(range(count))


def _repeats(step: Mapping[str, Any]) -> int:
    repeats = step.get("repeats", 1)
    if isinstance(repeats, bool) or not isinstance(repeats, int) or not 1 <= repeats <= LARGEST:
        raise ValueError(f"repeats = {repeats!r} must be a whole number from 1 to {LARGEST}")
    return repeats


def _one_of(step: Mapping[str, Any], key: str, known: tuple[str, ...]) -> str:
    found = str(step.get(key, known[0]))
    if found not in known:
        raise ValueError(f"{key}: {nearest(found, known)}")
    return found


def _table(step: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = step.get(key, {})
    if not isinstance(table, dict):
        raise ValueError(f"{key}: expected a table such as {{ shots = 5 }}, found {table!r}")
    return table


def _known(where: str, table: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in table:
        if key not in keys:
            raise ValueError(f"{where}: {nearest(key, keys)}")
