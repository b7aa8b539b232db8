"""What can go wrong between the controller and an instrument, said in one readable sentence each.

Every error names the role and the resource, what was found, what was expected and what to do.
"""

from __future__ import annotations


class InstrumentError(Exception):
    """An instrument refuses, vanishes or lies. Survives pickling between processes."""

    def __init__(self, role: str, resource: str, found: str, expected: str = "", remedy: str = "") -> None:
        super().__init__(role, resource, found, expected, remedy)
        self.role, self.resource = role, resource
        self.found, self.expected, self.remedy = found, expected, remedy

    def __str__(self) -> str:
        where = " at ".join(part for part in (self.role or "instrument", self.resource) if part)
        parts = [self.found, self.expected and f"expected {self.expected}", self.remedy]
        return f"{where}: " + "; ".join(part for part in parts if part) + "."


class CannotConnect(InstrumentError):
    """Nothing that can be talked to answers at the resource."""


class PeerClosed(InstrumentError):
    """The instrument closed the connection, or it was lost. Its settings may be gone with it."""


class InstrumentTimeout(InstrumentError):
    """No answer, half an answer, or a command not taken, within the time allowed."""


class ProtocolError(InstrumentError):
    """An answer came, but not one that this question can have."""


class Refused(InstrumentError):
    """The instrument's error queue objects to a command."""


class Busy(InstrumentError):
    """Another thread holds the session for longer than this one may wait."""


class NotTaken(InstrumentError):
    """A setting read back differs from what was set."""


class NoTrigger(InstrumentError):
    """The digitiser was armed and no trigger came."""


class DriverRefused(InstrumentError, ValueError):
    """The driver named for a role may not be loaded, does not exist, or cannot serve the role."""
