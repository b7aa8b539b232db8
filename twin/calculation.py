"""One question to the twin, as the command line asks it: `maserbench simulate ...` or `sweep ...`.

A figure's series, the command under which it can be had again, and what that command prints are all made
from the same `Calculation`, so that they cannot part. A `System` answers it at one point; the grid is here.
"""

from __future__ import annotations

import itertools
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from .grid import grid
from .quantity import nearest

Pairs = tuple[tuple[str, str], ...]
Settings = Mapping[str, str | float]
Say = Callable[[str], None]
LARGEST = 10_000_000
"""Points of a grid."""


@dataclass(frozen=True)
class Column:
    """What a column holds. `along`: one value for each time (or collision), otherwise one for each run."""

    unit: str
    meaning: str
    along: bool = False


@dataclass(frozen=True)
class System:
    """A model that the command line can ask.

    `options`: flags beside --set with their defaults; `shown`: the columns when none are asked for;
    `unit(name)`: the SI unit of a setting, ValueError for an unknown one; `solve(settings, options, columns,
    say)`: the table (rows, columns) at one point, `say` takes what a person should know beside it.
    """

    name: str
    options: Mapping[str, str]
    columns: Mapping[str, Column]
    shown: tuple[str, ...]
    unit: Callable[[str], str]
    solve: Callable[[Settings, Mapping[str, str], tuple[str, ...], Say], np.ndarray]


NAMES = ("pentacene", "micromaser")


def system(name: str) -> System:
    """The system of that name; ValueError with the nearest known one."""
    if name == "pentacene":
        from .pentacene_columns import PENTACENE

        return PENTACENE
    if name == "micromaser":
        from .micromaser_columns import MICROMASER

        return MICROMASER
    raise ValueError(f"system: {nearest(name, NAMES)}")


def _silent(text: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Calculation:
    """axes ((name, "log:1e5:1e8:41"), ...), the first varying slowest; settings and options as text."""

    system: str
    columns: tuple[str, ...]
    axes: Pairs = ()
    settings: Pairs = ()
    options: Pairs = ()

    @property
    def command(self) -> str:
        """The shell command that prints `rows` as CSV."""
        words = ["maserbench", "sweep" if self.axes else "simulate", self.system]
        words += [w for name, text in self.axes for w in ("--axis", f"{name}={text}")]
        words += [w for name, text in self.settings for w in ("--set", f"{name}={text}")]
        words += [w for name, text in self.options for w in (f"--{name}", text)]
        return shlex.join([*words, "--columns", ",".join(self.columns)])

    def grids(self) -> dict[str, np.ndarray]:
        """Axis -> its points; ValueError for an unknown axis, one that is also set, or too many points."""
        found: dict[str, np.ndarray] = {}
        for name, text in self.axes:
            if name in found or name in dict(self.settings):
                raise ValueError(f"--axis {name} is given twice, or set as well")
            found[name] = grid(text, self._unit(name, "--axis"), name)
        total = int(np.prod([len(points) for points in found.values()])) if found else 1
        if total > LARGEST:
            raise ValueError(f"--axis: the grid has {total} points; the limit is {LARGEST}")
        return found

    def _unit(self, name: str, option: str) -> str:
        try:
            return system(self.system).unit(name)
        except ValueError as unknown:
            raise ValueError(f"{option}: {unknown}") from None

    def rows(self, say: Say = _silent, progress: Callable[[int, int], None] | None = None,
             executor: Executor | None = None) -> np.ndarray:
        """The table (rows, columns), grid point by grid point, on all cores; `progress(done, of)`."""
        self._check()
        grids = self.grids()
        points = [dict(zip(grids, point, strict=True)) for point in itertools.product(*grids.values())]
        parts = []
        with _workers(executor, len(points)) as run:
            for done, part in enumerate(run(lambda point: self._at(point, say), points), start=1):
                parts.append(part)
                if progress is not None:
                    progress(done, len(points))
        return np.concatenate(parts)

    def _check(self) -> None:
        of = system(self.system)
        known = {**of.columns, **dict(self.axes)}
        for name in self.columns:
            if name not in known and not self._is_setting(name):
                raise ValueError(f"--columns: {nearest(name, known)}")
        for name, _ in self.options:
            if name not in of.options:
                raise ValueError(f"{self.system} takes no --{name}; it takes "
                                 + ", ".join(f"--{n}" for n in of.options))

    def _is_setting(self, name: str) -> bool:
        try:
            system(self.system).unit(name)
        except ValueError:
            return False
        return True

    def _at(self, point: dict[str, float], say: Say) -> np.ndarray:
        of = system(self.system)
        settings: dict[str, str | float] = dict(self.settings)
        settings.update({name: float(value) for name, value in point.items()})
        table = of.solve(settings, {**of.options, **dict(self.options)}, self.columns, say)
        for name, value in point.items():  # as they stand on the grid, to the last digit
            for place in (i for i, column in enumerate(self.columns) if column == name):
                table[:, place] = value
        return table


@contextmanager
def _workers(executor: Executor | None, count: int) -> Iterator[Callable]:
    if executor is not None:
        yield executor.map
    elif count == 1:
        yield map
    else:  # the compiled part releases the GIL
        with ThreadPoolExecutor(os.cpu_count()) as own:
            yield own.map
