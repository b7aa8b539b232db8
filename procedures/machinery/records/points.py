"""What a run sweeps, told as data: points, and the order in which a plan visits them.

Pure functions of settings and of what has been taken already; touches no instrument and no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .shot import CONTROL, POINT, REPEAT

ORDERS = ("forward", "backward", "random")


@dataclass(frozen=True)
class Point:
    """What is set for one shot, by the name of what is swept, in SI units; `number` whatever the order."""

    number: int
    values: Mapping[str, float]

    def __getitem__(self, name: str) -> float:
        return self.values[name]


@dataclass(frozen=True)
class Visit:
    """One record of a plan: the `repeat`-th at a point, or a control without light (`point` None)."""

    point: Point | None
    repeat: int = 0

    @property
    def key(self) -> tuple[int, int]:
        """(point, repeat), which tells a visit from every other of its run; of points only."""
        assert self.point is not None
        return self.point.number, self.repeat

    def settings(self) -> dict[str, float]:
        """As it is stored with a shot."""
        if self.point is None:
            return {POINT: np.nan, REPEAT: np.nan, CONTROL: 1.0}
        return {POINT: float(self.point.number), REPEAT: float(self.repeat), CONTROL: 0.0}


class Points(Sequence[Point]):
    """Points along `values` (N,) of what is swept, made one by one as they are asked for.

    A run may have a million, and to make so many at once holds up the heartbeat of a crowded machine.
    """

    def __init__(self, name: str, values: Iterable[float]) -> None:
        self._name, self._values = name, np.fromiter(values, float)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        return Point(number, {self._name: float(self._values[number])} if self._name else {})


def along(name: str, values: Iterable[float]) -> Points:
    """One point for each value (N,) of what is swept."""
    return Points(name, values)


def alike(count: int) -> Points:
    """Points that differ in nothing."""
    return Points("", np.zeros(count))


@dataclass(frozen=True)
class Plan:
    """How the points of a run are visited: all of them `repeats` times over, each time in its order, and a
    control after every `control_every` shots (0: none)."""

    points: Sequence[Point]
    order: str = "forward"
    repeats: int = 1
    control_every: int = 0

    def __len__(self) -> int:
        return self.total(self.shots)

    @property
    def shots(self) -> int:
        """Records at points, without controls."""
        return len(self.points) * self.repeats

    def total(self, shots: int) -> int:
        """Records of so many shots at points, controls included."""
        return shots + (shots // self.control_every if self.control_every else 0)

    def visits(self, seed: int | None, taken: frozenset[tuple[int, int]] = frozenset()) -> Iterator[Visit]:
        """All visits but those `taken`, in order; a random one is `seed`'s, and new for each repeat."""
        ordered = self._ordered(np.random.default_rng(seed))
        return self._with_controls(visit for visit in ordered if visit.key not in taken)

    def _ordered(self, random: np.random.Generator) -> Iterator[Visit]:
        for repeat in range(self.repeats):
            order = np.arange(len(self.points))
            if self.order == "random":
                random.shuffle(order)
            for i in order[::-1] if self.order == "backward" else order:
                yield Visit(self.points[int(i)], repeat)

    def _with_controls(self, visits: Iterable[Visit]) -> Iterator[Visit]:
        for count, visit in enumerate(visits, 1):
            yield visit
            if self.control_every and count % self.control_every == 0:
                yield Visit(None)


def key_of(settings: Mapping[str, Any]) -> tuple[int, int] | None:
    """Which visit a stored shot was; None for a control, and for shots that belong to no point."""
    point, repeat = settings.get(POINT, np.nan), settings.get(REPEAT, np.nan)
    return None if point != point else (int(point), int(repeat))
