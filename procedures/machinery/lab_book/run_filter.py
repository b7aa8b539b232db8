"""What is asked of runs: comparisons with units, dates, words. No I/O."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from twin.quantity import nearest, read

from ..storage.run_record import RunRecord

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le, ">=": operator.ge, "!=": operator.ne, "==": operator.eq, "<": operator.lt,
    ">": operator.gt, "=": operator.eq}
_CONDITION = re.compile(r"\s*([\w.]+)\s*(<=|>=|!=|==|<|>|=)\s*(.+?)\s*")
_PLACES = ("settings", "result")
_ROUNDING = 1e-9  # relative: 5 mJ as typed and as stored may differ in the last digit


@dataclass(frozen=True)
class Condition:
    """A setting or an answer compared with a value, as "pump_energy>1mJ" says it.

    `place` "settings" or "result" where the name says so ("result.frequency"); "": a setting, else an answer.
    """

    name: str
    compare: str
    value: str
    place: str = ""

    @classmethod
    def read(cls, text: str) -> Condition:
        """ValueError for what is no comparison."""
        match = _CONDITION.fullmatch(text)
        if match is None:
            raise ValueError(f"--where {text!r}: expected a name, one of < <= > >= = != and a value, such as "
                             "'pump_energy>1mJ'")
        place, dot, name = match[1].partition(".")
        if dot and place in _PLACES:
            return cls(name, match[2], match[3], place)
        return cls(match[1], match[2], match[3])

    def holds(self, record: RunRecord) -> bool:
        """False where the run has no such setting or answer; ValueError for a value in a wrong unit."""
        for place in [self.place] if self.place else _PLACES:
            found = dict(_flat(getattr(record, place))).get(self.name)
            if found is not None:
                return self._compared(found, record, place)
        return False

    def _compared(self, found: Any, record: RunRecord, place: str) -> bool:
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            if self.compare not in ("=", "==", "!="):
                raise ValueError(f"--where {self.name}{self.compare}{self.value}: {self.name} is "
                                 f"{str(found)!r}, which can only be compared by = and !=")
            return _COMPARE[self.compare](str(found).lower(), self.value.lower())
        wanted = _plain(self.value)
        if wanted is None:
            wanted = read(self.value, unit_of(record, self.name, place), self.name)
        if abs(found - wanted) <= _ROUNDING * abs(wanted):
            return "=" in self.compare and self.compare != "!="
        return _COMPARE[self.compare](found, wanted)


def _plain(text: str) -> float | None:
    """A bare number, for which no unit has to be looked up."""
    try:
        return float(text)
    except ValueError:
        return None


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Names and values, members of tables with a dot: verdicts.OK."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def unit_of(record: RunRecord, name: str, place: str) -> str:
    """SI unit of a setting or an answer of a run; "" where it has none or is not known any more."""
    if place == "settings":
        return _setting_units(record.procedure).get(name, "")
    from ..records.answers import UNITS

    return UNITS.get(name.removesuffix("_sigma"), "")


@cache
def _setting_units(procedure: str) -> dict[str, str]:
    from procedures import catalogue

    try:
        return {setting.name: setting.unit for setting in catalogue.settings(procedure)}
    except ValueError:
        return {}  # bursts that others recorded, or a procedure of a later version


def check_known(found: Sequence[RunRecord], conditions: Sequence[Condition]) -> None:
    """ValueError for a name that no run knows, with the nearest that one does."""
    for condition in conditions if found else ():
        places = [condition.place] if condition.place else _PLACES
        known = {name for record in found for place in places for name, _ in _flat(getattr(record, place))}
        if condition.name not in known:
            raise ValueError(f"--where {condition.name}: no run knows it; {nearest(condition.name, known)}")


def says(record: RunRecord, words: str) -> bool:
    """Whether all words stand in what people wrote about the run, or in its names; case is ignored."""
    if not words:
        return True
    text = " ".join([*record.notes, *record.tags, record.sample, record.operator, record.name]).lower()
    return all(word in text for word in words.lower().split())


@dataclass(frozen=True)
class Span:
    """A span of time in which a run may have begun; either end may be open."""

    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def read(cls, since: str | None, until: str | None) -> Span:
        """Ends as "2026-11-26", "2026-11-26T18:00" (UTC) or "7d" ago; ValueError."""
        return cls(None if since is None else _moments(since, "--since")[0],
                   None if until is None else _moments(until, "--until")[1])

    def holds(self, record: RunRecord) -> bool:
        """Whether the run began then."""
        if self.since is None and self.until is None:
            return True
        if not record.started:
            return False
        began = datetime.fromisoformat(record.started)
        return (self.since is None or began >= self.since) and (self.until is None or began <= self.until)


def _moments(text: str, option: str) -> tuple[datetime, datetime]:
    """First and last moment (UTC) that a date, a moment or an age ("7d") stands for."""
    if re.fullmatch(r"\s*\d.*[a-zA-Z]\s*", text) and "T" not in text:
        then = datetime.now(UTC) - timedelta(seconds=read(text, "s", option))
        return then, then
    try:
        then = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{option} {text!r}: expected a date as 2026-11-26, a moment as 2026-11-26T18:00 "
                         "(UTC), or an age as 7d") from None
    then = then.astimezone(UTC) if then.tzinfo else then.replace(tzinfo=UTC)
    whole_day = len(text.strip()) == len("2026-11-26")
    return then, then + timedelta(days=1, microseconds=-1) if whole_day else then
