"""All that an instrument can be asked for of its settings: values, units, and which of them can be set.

A driver's `settings()` names what matters in every shot. The rest are its properties that set something;
they are read once, for the record of a run. Units stand in their docstrings, as everywhere in PyMeasure.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from .errors import Busy, CannotConnect, InstrumentError, InstrumentTimeout, PeerClosed

_UNIT = re.compile(r"\bin (Hz|Hertz|Sa/s|m/s|m|s|seconds|volts|V|A|dBm|dB|K|J|W|ohm|percent|degrees Celsius|"
                   r"degrees|rad)\b")
_LONG = {"Hertz": "Hz", "seconds": "s", "percent": "%", "volts": "V"}  # as upstream's drivers have it
_VERBS = {"sample_rate": "Sa/s", "lamp_delay": "s", "q_switch_delay": "s", "digitiser_delay": "s",
          "gate_start": "s", "gate_length": "s", "pretrigger": "s", "full_scale": "V", "offset": "V",
          "impedance": "ohm"}
"""Units of what `settings()` names after a role's verbs and not after a property."""
_SILENT = (InstrumentTimeout, PeerClosed, Busy, CannotConnect)


@dataclass(frozen=True)
class Reading:
    """One setting as it read back: number, text, bool or a tuple of them; `unit` SI, "" where it has none.

    `settable`: the driver has a property that sets it.
    """

    value: Any
    unit: str
    settable: bool


@dataclass(frozen=True)
class Readings:
    """Settings by their path ("power", "channels.2.offset"), and why others could not be read."""

    values: Mapping[str, Reading]
    unread: Mapping[str, str]


def read_settings(instrument: Any) -> Readings:
    """All settings of a connected instrument. What it does not answer is told in `unread`; never raises for
    it, except where `settings()`, which every run needs, fails."""
    places = list(settable(instrument))
    can_be_set = {path for path, _, _ in places}
    found = {name: Reading(_plain(value), _unit_of_setting(instrument, name, value), name in can_be_set)
             for name, value in instrument.settings().items()}
    unread: dict[str, str] = {}
    for path, owner, name in places:
        if path in found:
            continue
        try:
            value = getattr(owner, name)
        except _SILENT as problem:
            unread[path] = f"{problem}; nothing more was asked"
            break
        except (InstrumentError, ValueError, TypeError, LookupError) as problem:
            unread[path] = str(problem)
        else:
            found[path] = Reading(_plain(value), unit_of(type(owner), name), True)  # type: ignore[arg-type]
    if unread:
        unread |= _forgiven(instrument)
    return Readings(found, unread)


def _unit_of_setting(instrument: Any, name: str, value: Any) -> str:
    last = name.rpartition(".")[2]
    documented = unit_of(type(instrument), last)  # type: ignore[arg-type]
    return documented or (_VERBS.get(last, "") if isinstance(value, float) else "")


def settable(instrument: Any) -> Iterator[tuple[str, Any, str]]:
    """(path, owner, name) of every property of driver and channels that sets something, those left out that
    the driver says are not to be asked. No I/O."""
    places = [("", instrument), *((f"{prefix}.{number}.", channel)
                                  for prefix, number, channel in _channels(instrument))]
    unasked = tuple(getattr(instrument, "unasked", ()))
    for prefix, owner in places:
        yield from ((prefix + name, owner, name) for name in _properties(type(owner))  # type: ignore[arg-type]
                    if not (prefix + name).startswith(unasked))


@cache
def _properties(owner: type) -> tuple[str, ...]:
    return tuple(name for name, member in inspect.getmembers(owner, lambda found: isinstance(found, property))
                 if not name.startswith("_") and all(map(_speaks, (member.fget, member.fset))))


def _speaks(accessor: Any) -> bool:
    """Whether it reads or sets anything: of a measurement PyMeasure makes a setter that only refuses, and of
    what can only be set a getter that does."""
    if accessor is None:
        return False
    recorded = inspect.signature(accessor).parameters
    return all(recorded[name].default for name in ("get_command", "set_command") if name in recorded)


def _channels(instrument: Any) -> Iterator[tuple[str, Any, Any]]:
    from pymeasure.instruments.common_base import CommonBase

    for name, _ in inspect.getmembers(type(instrument),
                                      lambda found: isinstance(found, CommonBase.MultiChannelCreator)):
        for number, channel in getattr(instrument, name).items():
            yield name, number, channel


@cache
def unit_of(owner: type, name: str) -> str:
    """The unit that a property's docstring names; "" where it names none."""
    match = _UNIT.search(getattr(owner, name, None).__doc__ or "") if hasattr(owner, name) else None
    return _LONG.get(match[1], match[1]) if match else ""


def _plain(value: Any) -> Any:
    """As JSON can hold it; what is not finite is None."""
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return float(value) if math.isfinite(value) else None


def _forgiven(instrument: Any) -> dict[str, str]:
    """Empties the queue of errors that our questions have caused, so that nobody else is blamed for them."""
    try:
        instrument.check_errors()
    except (InstrumentError, ValueError) as problem:
        return {"error queue": str(problem)}
    return {}
