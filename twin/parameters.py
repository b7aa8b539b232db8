"""What every record of parameters has in common: flat names, checks, replacement.

A record is a frozen dataclass of `quantity(...)` fields. A field that holds a tuple is
addressed member by member (`branching_5`), so that command lines, fits and sweeps know
names and numbers only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from typing import Any, ClassVar, Self

from .quantity import Quantity, check, nearest, read


@dataclasses.dataclass(frozen=True)
class Record:
    """A frozen set of quantities. `members` names the members of tuple fields, in their order."""

    members: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            q = f.metadata.get("quantity")
            if q is not None:
                object.__setattr__(self, f.name, self._checked(f.name, getattr(self, f.name), q))

    def _checked(self, name: str, value: Any, q: Quantity) -> Any:
        if name not in self.members:
            return check(name, value, q)
        names = self.members[name]
        if not isinstance(value, Iterable) or isinstance(value, str) or len(tuple(value)) != len(names):
            raise ValueError(f"{name}: expected {len(names)} numbers ({', '.join(names)}), found {value!r}")
        return tuple(check(n, v, q) for n, v in zip(names, value, strict=True))

    @classmethod
    def quantities(cls) -> dict[str, Quantity]:
        """Flat name -> quantity, tuples spread out; the order of the fields."""
        return {flat: q for flat, _, _, q in cls._flat()}

    @classmethod
    @cache
    def _flat(cls) -> tuple[tuple[str, str, int | None, Quantity], ...]:
        found: list[tuple[str, str, int | None, Quantity]] = []
        for f in dataclasses.fields(cls):
            q = f.metadata.get("quantity")
            if q is None:
                continue
            if f.name in cls.members:
                found += [(n, f.name, i, q) for i, n in enumerate(cls.members[f.name])]
            else:
                found.append((f.name, f.name, None, q))
        return tuple(found)

    def values(self) -> dict[str, Any]:
        """Flat name -> number, tuples spread out."""
        return dict(self._values)

    @cached_property
    def _values(self) -> dict[str, Any]:
        return {flat: getattr(self, owner) if index is None else getattr(self, owner)[index]
                for flat, owner, index, _ in self._flat()}

    def value(self, name: str) -> float:
        """The number behind a flat name; ValueError with the nearest known name."""
        if name not in self._values:
            raise ValueError(nearest(name, self._values))
        return self._values[name]

    def replace(self, **changes: Any) -> Self:
        """A copy with other values, by field or flat name; no other field moves. Unknown: TypeError."""
        known = {f.name for f in dataclasses.fields(self)}
        places = {flat: (owner, index) for flat, owner, index, _ in self._flat() if index is not None}
        fields: dict[str, Any] = {}
        for name, value in changes.items():
            if name in known:
                fields[name] = value
            elif name in places:
                owner, index = places[name]
                held = list(fields.get(owner, getattr(self, owner)))
                held[index] = value
                fields[owner] = tuple(held)
            else:
                raise TypeError(nearest(name, known | set(places)))
        return dataclasses.replace(self, **fields)

    def replace_text(self, settings: Mapping[str, str | float]) -> Self:
        """`replace` from text with units, all applied together and then validated; ValueError throughout."""
        known = {f.name: f for f in dataclasses.fields(self)}
        quantities = self.quantities()
        changes: dict[str, Any] = {}
        for name, text in settings.items():
            if name in quantities:
                changes[name] = read(text, quantities[name].unit, name)
            elif name in self.members and isinstance(text, (list, tuple)):
                changes[name] = tuple(read(t, known[name].metadata["quantity"].unit, name) for t in text)
            elif name in known and "quantity" not in known[name].metadata:
                changes[name] = text
            else:
                raise ValueError(nearest(name, [*quantities, *(n for n in known if n not in self.members)]))
        return self.replace(**changes)
