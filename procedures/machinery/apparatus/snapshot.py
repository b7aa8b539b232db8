"""The state of a bench before a run's first shot: every setting of every role, with unit, driver and origin.

Reads instruments, or the snapshot that a run holds; sets nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from instruments.readable import read_settings

from ..records.shot import Origin
from ..storage.runs import Run
from .bench import Bench


@dataclass(frozen=True)
class RoleState:
    """One role as it read back: {path of a setting: value}, {path: unit}, and why others were not read."""

    driver: str
    identity: str
    origin: str
    values: Mapping[str, Any]
    units: Mapping[str, str]
    unread: Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """A setting that is not what it was."""

    role: str
    path: str
    unit: str
    then: Any
    now: Any


def take_snapshot(bench: Bench) -> dict[str, Any]:
    """{"roles": {role: ...}} for the store, as `states` reads it again."""
    return {"roles": {role: {"driver": state.driver, "identity": state.identity, "origin": state.origin,
                             "settings": {path: {"value": value, "unit": state.units[path]}
                                          for path, value in state.values.items()},
                             "unread": dict(state.unread)}
                      for role, state in read_states(bench).items()}}


def read_states(bench: Bench) -> dict[str, RoleState]:
    """Every role of a bench that answers, as it reads back now."""
    return {role: _state(bench, role) for role in bench.roles}


def _state(bench: Bench, role: str) -> RoleState:
    instrument = bench.roles[role]
    found = read_settings(instrument)
    origin = Origin.SIMULATED if instrument.simulated else Origin.REAL
    return RoleState(bench.description.roles[role].driver, bench.identities[role], origin.value,
                     {path: reading.value for path, reading in found.values.items()},
                     {path: reading.unit for path, reading in found.values.items()}, found.unread)


def states(run: Run) -> dict[str, RoleState]:
    """The roles as a run found them; ValueError for a run that holds no snapshot of them."""
    held = run.stored.snapshot() if run.stored is not None else {}
    if not held.get("roles"):
        raise ValueError(f"run {run.path.name} holds no snapshot of its bench: it ended before its first "
                         "shot, was recorded by others, or comes from a version that kept none")
    return {role: RoleState(row["driver"], row["identity"], row["origin"],
                            {path: each["value"] for path, each in row["settings"].items()},
                            {path: each["unit"] for path, each in row["settings"].items()}, row["unread"])
            for role, row in held["roles"].items()}


def differences(then: Mapping[str, RoleState], now: Mapping[str, RoleState]) -> Iterator[Difference]:
    """What reads back otherwise, in the order of the snapshot.

    What only one side has is left out: another instrument, or a name that a driver gives a channel of its
    digitiser while a run goes on ("burst.offset" is "channels.1.offset").
    """
    for role, before in then.items():
        after = now[role].values if role in now else {}
        for path, value in before.values.items():
            if path in after and not _same(value, after[path]):
                yield Difference(role, path, before.units[path], value, after[path])


def _same(one: Any, other: Any) -> bool:
    numbers = [isinstance(each, (int, float)) and not isinstance(each, bool) for each in (one, other)]
    if all(numbers):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-15)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return all(map(_same, one, other))
    return bool(one == other)
