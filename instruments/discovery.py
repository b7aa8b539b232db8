"""Looks who answers: at the resources that VISA lists, and at addresses that somebody names.

Asks each for its identity in the dialects of our drivers and changes nothing. An instrument that allows
one session only does not answer while another program holds it.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import InstrumentError

PORTS = (5025, 10001)
"""Asked on a host that is named alone: SCPI's raw socket, and serial lines behind a Lantronix box."""
_HOST = re.compile(r"(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\])(:(?P<port>\d+))?")
_COMMON = {"read_termination": "\n", "write_termination": "\n", "hello": "*IDN?"}

Dialect = tuple[dict[str, Any], dict[str, type[Any]]]
"""How to ask (settings of a session), and the drivers that ask so."""


@dataclass(frozen=True)
class Answer:
    """One resource: who answers there ("" if nobody does, then `problem` says why), drivers that fit."""

    resource: str
    identity: str
    drivers: tuple[str, ...] = ()
    problem: str = ""


def discover(places: Iterable[str] = (), visa_library: str = "@py", timeout: float = 1.0,
             drivers: Mapping[str, str] | None = None) -> Iterator[Answer]:
    """Answers one by one, as they come; `timeout` [s] for each question.

    `places` are VISA resources, HOST or HOST:PORT; without any, all that VISA itself lists are asked.
    `drivers`, by resource, are those that a bench file names: their dialect is tried first, because every
    wrong one costs its timeout. ValueError for a place that is neither.
    """
    named = [resource for place in places for resource in resources_at(place)]
    dialects = _dialects()
    for resource in named or listed(visa_library):
        likely = (drivers or {}).get(resource, "")
        yield _ask(resource, _likely_first(dialects, likely), visa_library, timeout)


def resources_at(place: str) -> list[str]:
    """VISA resources behind a place; ValueError."""
    if "::" in place:
        return [place]
    match = _HOST.fullmatch(place.strip())
    if match is None:
        raise ValueError(f"{place!r} is neither a VISA resource nor HOST or HOST:PORT")
    ports = (int(match["port"]),) if match["port"] else PORTS
    if not all(0 < port < 65536 for port in ports):
        raise ValueError(f"{place!r}: a port is a number from 1 to 65535")
    return [f"TCPIP::{match['host'].strip('[]')}::{port}::SOCKET" for port in ports]


def listed(visa_library: str = "@py") -> list[str]:
    """What VISA finds by itself: USB, GPIB, serial ports, and instruments that announce themselves."""
    from pyvisa import ResourceManager

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyvisa-py advises packages for every kind of line there is
        return list(ResourceManager(visa_library).list_resources())


def driver_classes() -> dict[str, type[Any]]:
    """Our drivers by the path that a bench file would name; what others derive from is none itself."""
    from .scpi_instrument import Guarded

    found = {}
    for module in pkgutil.iter_modules(importlib.import_module(__package__).__path__):
        for name, value in vars(importlib.import_module(f"{__package__}.{module.name}")).items():
            path = f"{__package__}.{module.name}"
            if isinstance(value, type) and issubclass(value, Guarded) and value.__module__ == path:
                found[f"{path}.{name}"] = value
    bases = {base for driver in found.values() for base in driver.__mro__[1:]}
    return {path: driver for path, driver in found.items() if driver not in bases}


def _dialects() -> list[Dialect]:
    """*IDN? first."""
    ways: list[Dialect] = [(_COMMON, {})]
    for path, driver in driver_classes().items():
        settings = {**_COMMON, **driver.session_settings}
        asked = {key: settings[key] for key in _COMMON}
        own = next((drivers for way, drivers in ways if way == asked), None)
        if own is None:
            ways.append((asked, own := {}))
        own[path] = driver
    return ways


def _likely_first(dialects: list[Dialect], driver: str) -> list[Dialect]:
    return sorted(dialects, key=lambda dialect: driver not in dialect[1])


def _ask(resource: str, dialects: list[Dialect], visa_library: str, timeout: float) -> Answer:
    from .guarded_session import GuardedSession

    problem = ""
    for settings, drivers in dialects:
        try:
            session = GuardedSession(resource, "", visa_library, round(timeout * 1000), **settings)
        except InstrumentError as nobody:
            return Answer(resource, "", (), str(nobody))
        try:
            with session.urgent(timeout):  # which spends no time on asking why there was no answer
                identity = session.greet()
        except InstrumentError as silent:
            problem = problem or str(silent)
        else:
            return Answer(resource, identity, _fitting(identity, drivers, dialects))
        finally:
            session.close()
    return Answer(resource, "", (), problem)


def _fitting(identity: str, drivers: dict[str, type[Any]], dialects: list[Dialect]) -> tuple[str, ...]:
    """Drivers whose pattern the identity matches, in any dialect; else those that ask so, without one."""
    known = {path: driver for _, others in dialects for path, driver in others.items() if driver.models}
    matching = [path for path, driver in known.items() if re.search(driver.models, identity)]
    return tuple(matching or [path for path, driver in drivers.items() if not driver.models])
