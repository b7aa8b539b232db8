"""Finds a driver by the path that a bench file names, and connects it.

Only drivers from `instruments`, from `pymeasure.instruments` or announced by an installed package
(entry points of the group "maserbench.drivers") are loaded: a bench file that a colleague sends
can name instruments, not run code.
"""

from __future__ import annotations

import importlib
import re
from importlib.metadata import entry_points
from typing import Any

from .errors import DriverRefused, ProtocolError
from .roles import missing

GROUP = "maserbench.drivers"
HOMES = (__package__, "pymeasure.instruments")
LINES = {"read_termination": "\n", "write_termination": "\n"}      # what upstream's drivers leave open
PATH = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+")


def load_driver(path: str, role: str = "") -> type[Any]:
    """The driver class named by `path`; DriverRefused (a ValueError) where it may not serve. No I/O."""
    found = _installed(path) or _shipped(path, role)
    from pymeasure.instruments import Instrument

    if not (isinstance(found, type) and issubclass(found, Instrument)):
        raise DriverRefused(role, "", f"{path!r} is no instrument driver", "a class derived from Instrument")
    lacking = missing(found, role)
    if lacking:
        raise DriverRefused(role, "", f"driver {path!r} lacks {', '.join(lacking)}",
                            f"all verbs of the role {role!r}", "name another driver in the bench file")
    return found


def connect(driver_path: str, resource: str, role: str = "", name: str = "", timeout: float = 2.0,
            visa_library: str = "@py") -> Any:
    """Open the instrument and learn who it is; returns the driver, which has changed no setting.

    `timeout` [s] for each read and write. `visa_library`: "@py", "@ivi" or a path, as PyVISA takes it.
    Raises DriverRefused, CannotConnect, InstrumentTimeout, or ProtocolError for another model.
    """
    from .guarded_session import GuardedSession
    from .scpi_instrument import Guarded

    driver_class = load_driver(driver_path, role)
    ours = issubclass(driver_class, Guarded)
    defaults = driver_class.session_settings if ours else LINES
    session = GuardedSession(resource, role, visa_library, round(timeout * 1000), **defaults)
    try:
        greeting = session.greet()
        extra = {"role": role} if ours else {}
        driver = driver_class(session, name=name or f"{role} {driver_class.__name__}".strip(), **extra)
        if ours and driver_class.models and not re.search(driver_class.models, greeting):
            raise ProtocolError(role, resource, f"{greeting!r} answers",
                                f"an instrument for the driver {driver_class.__name__}",
                                "check the address in the bench file, or name the driver that fits")
    except BaseException:
        session.close()
        raise
    return driver


def _installed(path: str) -> Any:
    """The driver that an installed package announces under this name, or None."""
    for point in entry_points(group=GROUP, name=path):
        return point.load()
    return None


def _shipped(path: str, role: str) -> Any:
    """The driver at a dotted path inside the homes of drivers."""
    module, _, class_name = path.rpartition(".")
    if not PATH.fullmatch(path) or not any(f"{module}.".startswith(f"{home}.") for home in HOMES):
        raise DriverRefused(role, "", f"driver {path!r} may not be loaded",
                            f"one from {' or '.join(HOMES)}, or an installed entry point of {GROUP!r}",
                            "a bench file cannot bring code of its own; install the driver as a package")
    try:
        return getattr(importlib.import_module(module), class_name)
    except (ImportError, AttributeError) as problem:
        raise DriverRefused(role, "", f"driver {path!r} does not exist ({problem})", "",
                            "correct the path: package, module, class") from problem
