"""Reading tables of a bench file strictly: every complaint names file, line and table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from .bench_text import BenchFileError, lines_of, load
from .quantity import Quantity, check, nearest, read

Path = tuple[str, ...]


class BenchReader:
    """One bench file while it is read: its tables, and where each key stands."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name = text, name
        self.tables = load(text, name)
        self.lines = lines_of(text)

    def at(self, path: Path) -> Any:
        """What stands at a path, or None."""
        found: Any = self.tables
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def table(self, path: Path) -> dict[str, Any]:
        """The table at a path; an absent one is empty."""
        for length in range(1, len(path) + 1):
            found = self.at(path[:length])
            if found is None:
                return {}
            if not isinstance(found, dict):
                name = ".".join(path[:length])
                raise self.wrong(f"expected a table [{name}], found {found!r}", path[:length])
        return self.at(path)

    def line(self, path: Path) -> int:
        """Line of the deepest part of a path that stands in the file; 0 when none does."""
        return next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), 0)

    def wrong(self, message: str, path: Path) -> BenchFileError:
        inside = path if isinstance(self.at(path), dict) else path[:-1]
        return BenchFileError(message, self.name, ".".join(inside), self.line(path))

    def known(self, path: Path, keys: Iterable[str], names: Iterable[str]) -> None:
        """Refuse the first of `keys` that is not among `names`."""
        names = list(names)
        for key in keys:
            if key not in names:
                raise self.wrong(nearest(key, names), (*path, key))

    def flag(self, path: Path) -> bool:
        """True or false; absent is false."""
        value = self.at(path)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(f"{path[-1]}: expected true or false, found {value!r}", path)
        return bool(value)

    def number(self, path: Path, value: Any, q: Quantity) -> float:
        """A number or text with a unit, within its bounds."""
        try:
            return check(path[-1], _read(path[-1], value, q.unit), q)
        except ValueError as error:
            raise self.wrong(str(error), path) from None

    def fill(self, record: Any, path: Path, skip: Iterable[str] = ()) -> Any:
        """`record` with the values of a table: each checked by itself first, so that its line can be told."""
        table = {key: value for key, value in self.table(path).items() if key not in set(skip)}
        quantities = record.quantities()
        self.known(path, table, [*(f.name for f in dataclasses.fields(record)), *quantities, *skip])
        for key, value in table.items():
            if key in quantities:
                self.number((*path, key), value, quantities[key])
        changes = {}
        for key, value in table.items():
            try:
                changes[key] = si(key, value, quantities)
                if key not in quantities:
                    record.replace(**{key: changes[key]})
            except (ValueError, TypeError) as error:
                raise self.wrong(str(error), (*path, key)) from None
        try:
            return record.replace(**changes)
        except ValueError as error:
            first = str(error).split(" ")[0].rstrip(":")
            raise self.wrong(str(error), (*path, first) if first in table else path) from None


def si(key: str, value: Any, quantities: Mapping[str, Quantity]) -> Any:
    """A field's value from what the file has: numbers in SI, tables and lists member by member."""
    if key in quantities:
        return _read(key, value, quantities[key].unit)
    return members_si({key: value})[key]


def _read(key: str, value: Any, unit: str) -> float:
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise ValueError(f"{key}: expected a number [{unit or 'no unit'}], found {value!r}")
    return read(value, unit, key)


def members_si(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table with the numbers inside gains_db and energy_table in SI; everything else as it is."""
    found = dict(table)
    if isinstance(found.get("gains_db"), dict):
        found["gains_db"] = {n: _read(f"gains_db.{n}", v, "dB") for n, v in found["gains_db"].items()}
    rows = found.get("energy_table")
    if isinstance(rows, list) and all(isinstance(row, list) and len(row) == 2 for row in rows):
        found["energy_table"] = tuple((_read("energy_table", d, "s"), _read("energy_table", e, "J"))
                                      for d, e in rows)
    return found
