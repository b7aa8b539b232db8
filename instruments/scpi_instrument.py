"""What our drivers have in common: guarded session, identity, sets that are checked, safe state.

`Guarded` stands before PyMeasure's own bases (`class DG645(Guarded, SCPIMixin, Instrument)`), so
each driver remains an ordinary PyMeasure driver that also runs on any other adapter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from pymeasure.adapters import Adapter
from pymeasure.instruments import Channel

from .block import read_block
from .errors import InstrumentError, NotTaken, ProtocolError, Refused
from .guarded_session import GuardedSession
from .roles import SafeReport

# Queues hold 10 to 30 entries; one that never empties is itself a fault.
LONGEST_QUEUE = 32
SWITCH = {False: 0, True: 1}         # how a switch stands on the wire


# A type checker sees what Guarded always stands beside; at run time it is a plain mixin.
if TYPE_CHECKING:
    from pymeasure.instruments import Instrument as Beside
else:
    Beside = object


def is_property(owner: Any, name: str) -> bool:
    """Whether setting this attribute speaks to the instrument."""
    return isinstance(getattr(type(owner), name, None), property)


class GuardedChannel(Channel):
    """A channel whose questions and checked sets, too, are one exchange each."""

    def __setattr__(self, name: str, value: Any) -> None:
        with self.parent.turn() if is_property(self, name) else nullcontext():
            super().__setattr__(name, value)

    def ask(self, command: str, query_delay: float | None = None) -> str:
        """Send a question and return its answer; no other thread comes in between."""
        return self.parent.ask(self.insert_id(command), query_delay)


class Guarded(Beside):
    """Mixin: opens resources as guarded sessions, and gives the verbs of all roles.

    A driver states `models` (a pattern its identity must match), `one_session` (whether the instrument
    serves one connection only) and `unasked` (beginnings of the paths of settings that it has no answer
    for), and defines `_to_safe_state` and `_read_safe_state`. No I/O happens before the first property is
    used.
    """

    role = ""
    models: ClassVar[str] = ""
    one_session: ClassVar[bool] = False
    unasked: ClassVar[tuple[str, ...]] = ()
    session_settings: ClassVar[dict[str, str]] = {}

    def __init__(self, adapter: Any, name: str, role: str = "", **kwargs: Any) -> None:
        self.role = role
        kwargs.setdefault("includeSCPI", False)
        if isinstance(adapter, str):
            scpi = kwargs.pop("includeSCPI")
            adapter = GuardedSession(adapter, role, **(dict(self.session_settings) | kwargs))
            kwargs = {"includeSCPI": scpi}
        super().__init__(adapter, name, **kwargs)

    # who it is

    @property
    def identity(self) -> str:
        """Get what the instrument says it is (str)."""
        return self.ask("*IDN?").strip()

    @property
    def simulated(self) -> bool:
        """Get whether this is a software instrument: its serial number says SIMULATED."""
        return "SIMULATED" in self.identity.upper()

    @property
    def reference_locked(self) -> bool | None:
        """Get whether it is locked to the bench's 10 MHz; None where that cannot be read (bool, no I/O)."""
        return None

    @property
    def resource(self) -> str:
        """Get the VISA resource that the driver talks to (str, no I/O)."""
        return str(getattr(self.adapter, "resource_name", "") or type(self.adapter).__name__)

    # one exchange at a time

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a property and check what the instrument says to it, in one turn."""
        with self.turn() if is_property(self, name) else nullcontext():
            super().__setattr__(name, value)

    def turn(self) -> AbstractContextManager[None]:
        """Hold the session for an exchange of several messages."""
        return self.adapter.turn() if isinstance(self.adapter, GuardedSession) else nullcontext()

    def urgent(self) -> AbstractContextManager[None]:
        """Hold the session at once, whatever hangs in it, with a short timeout."""
        return self.adapter.urgent() if isinstance(self.adapter, GuardedSession) else nullcontext()

    def ask(self, command: str, query_delay: float | None = None) -> str:
        """Send a question and return its answer; no other thread comes in between."""
        with self.turn():
            self.write(command)
            self.wait_for(query_delay)
            return self.hear()

    def hear(self) -> str:
        """Read one answer (PyMeasure's `read`; a digitiser's `read` gives records)."""
        return self.adapter.read()

    @contextmanager
    def patience(self, seconds: float) -> Iterator[None]:
        """Allow the instrument at least this long [s] to answer."""
        session = self.adapter
        if not isinstance(session, GuardedSession):
            yield
            return
        with session.turn():
            usual = session.timeout
            session.timeout = max(usual, seconds)
            try:
                yield
            finally:
                session.timeout = usual

    def read_block(self, expected: int | None = None) -> bytes | bytearray:
        """Read an IEEE 488.2 definite block of `expected` bytes; ProtocolError for any other answer."""
        with self.turn():
            return read_block(self, expected)

    def read_exactly(self, count: int) -> bytes | bytearray:
        """Read `count` bytes, into one buffer where the session can."""
        session = self.adapter
        return session.read_exactly(count) if isinstance(session, GuardedSession) else self.read_bytes(count)

    def spoilt(self, found: str, expected: str) -> InstrumentError:
        """The error for an answer that makes no sense."""
        if isinstance(self.adapter, GuardedSession):
            return self.adapter.spoilt(found, expected)
        return self.error(ProtocolError, found, expected)

    # sets that are checked

    def check_errors(self) -> list:
        """Read the error queue until it is empty; Refused with its entries where it is not."""
        entries: list[str] = []
        with self.turn():
            while len(entries) < LONGEST_QUEUE and (entry := self._queue_entry()):
                entries.append(entry)
        if entries:
            raise self.error(Refused, f"its error queue says {'; '.join(entries)}", "", "correct the setting")
        return []

    def _queue_entry(self) -> str:
        """The oldest entry of the error queue, "" where it is empty."""
        answer = self.ask("SYST:ERR?").strip()
        code = answer.partition(",")[0]
        if not code.lstrip("+-").isdigit():
            raise self.spoilt(f"{answer!r} came as an entry of the error queue", 'code,"text"')
        return answer if int(code) else ""

    def put(self, name: str, value: Any, relative: float = 1e-6, absolute: float = 0.0) -> Any:
        """Set a property, read it back and return what was read; NotTaken where it differs by more."""
        with self.turn():
            setattr(self, name, value)
            found = getattr(self, name)
        number = isinstance(value, (int, float)) and isinstance(found, (int, float))
        same = math.isclose(found, value, rel_tol=relative, abs_tol=absolute) if number else found == value
        if not same:
            raise self.not_taken(name, found, value)
        return found

    def not_taken(self, name: str, found: Any, value: Any) -> InstrumentError:
        """The error for a setting that reads back another value than was set."""
        return self.error(NotTaken, f"{name} reads back {found!r}", repr(value),
                          "see whether it can do this value, or somebody works at its front panel")

    # safe state

    def make_safe(self) -> None:
        """Bring the instrument into its safe state now, even while another thread hangs in a transfer."""
        with self.urgent():
            self._to_safe_state()

    def verify_safe(self) -> SafeReport:
        """Read back whether it is safe; an instrument that does not answer is unknown, never safe."""
        try:
            with self.urgent():
                safe, found = self._read_safe_state()
        except InstrumentError as problem:
            return SafeReport(self.role, None, str(problem))
        return SafeReport(self.role, safe, found)

    def shutdown(self) -> None:
        """Bring the instrument into its safe state; PyMeasure calls this at the end of a `with`."""
        self.make_safe()
        super().shutdown()

    def disconnect(self) -> None:
        """Close the connection without changing the instrument."""
        if isinstance(self.adapter, Adapter):
            self.adapter.close()

    def _to_safe_state(self) -> None:
        raise NotImplementedError(f"{type(self).__name__} has no safe state")

    def _read_safe_state(self) -> tuple[bool | None, str]:
        raise NotImplementedError(f"{type(self).__name__} cannot read its safe state back")

    def error(self, kind: type[InstrumentError], found: str, expected: str = "",
              remedy: str = "") -> InstrumentError:
        """An error of this kind that names the instrument's role and resource."""
        return kind(self.role or type(self).__name__, self.resource, found, expected, remedy)
