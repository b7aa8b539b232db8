"""What a run has measured: all that a procedure's answer may depend on, live and from disk alike.

An answer is a function of this record alone, so that a stored run can be asked again, with another
model or another version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from twin.bench_description import BenchDescription

from ..records.points import key_of
from ..records.rows import Rows
from ..records.shot import Shot
from .store import StoreWriter


@dataclass(frozen=True)
class Measured:
    """The bench as declared, the stored shots with their raw records, and one row of scalars per shot."""

    description: BenchDescription
    shots: Sequence[Shot]
    rows: Rows

    def visited(self) -> frozenset[tuple[int, int]]:
        """(point, repeat) of all shots that belong to a point."""
        keys = (key_of(row.settings) for row in self.rows.complete)
        return frozenset(key for key in keys if key is not None)


def joined(former: Measured, now: Measured) -> Measured:
    """Two runs as one: the shots of the former first, those of the latter numbered on."""
    count = len(former.shots)
    return Measured(now.description, InARow(former.shots, now.shots), now.rows.after(former.rows, count))


class Written(Sequence[Shot]):
    """The shots that a run has stored so far, for the process that writes them."""

    def __init__(self, store: StoreWriter | None) -> None:
        self._store = store

    def __len__(self) -> int:
        return 0 if self._store is None else self._store.committed

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = index + len(self) if index < 0 else index
        if self._store is None or not 0 <= number < len(self):
            raise IndexError(f"shot {index} is not stored; there are {len(self)}")
        return self._store.read(number)


class InARow(Sequence[Shot]):
    """The shots of one sequence after those of another, numbered throughout."""

    def __init__(self, first: Sequence[Shot], second: Sequence[Shot]) -> None:
        self._first, self._second = first, second

    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(f"shot {index} is not stored; there are {len(self)}")
        before = len(self._first)
        return self._first[number] if number < before else replace(self._second[number - before],
                                                                   number=number)
