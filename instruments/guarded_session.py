"""The one session through which every driver talks: VISA with the guard rails that VISA leaves out.

A `GuardedSession` is an adapter of PyMeasure, so upstream's drivers run on it unchanged. It knows
bytes, deadlines and whose turn it is; what the messages mean is the drivers' business.

Rules it keeps:
* A port that nobody listens on fails when it is opened, with role and resource in the message.
* Every read and write has a deadline; a peer that hangs up is noticed at once.
* After a timeout the line is closed and opened anew and the instrument's identity compared, because a
  late answer would otherwise be taken for the answer to the next question. Then the error queue is
  asked once, and the error says what it answered. Nothing is ever sent twice.
* A connection lost to the peer stays lost until `reopen`: an instrument that was switched off has
  forgotten its settings, and going on gives wrong numbers.
* One thread at a time has the turn. `urgent` takes it from a thread that hangs in a transfer.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pymeasure.adapters import VISAAdapter
from pyvisa.constants import StatusCode
from pyvisa.errors import InvalidSession, VisaIOError

from .errors import Busy, CannotConnect, InstrumentError, InstrumentTimeout, PeerClosed, ProtocolError
from .mended_socket import MendedSocket, check_host, mend, read_plainly

GRACE = 0.1                 # [s] within which an ordinary exchange ends by itself
EXPLANATION_TIME = 0.5      # [s] spent at most on each question after a timeout
QUEUE_ENTRY = re.compile(r"[-+]?\d+(\s*,.*)?")
GONE = (StatusCode.error_connection_lost, StatusCode.error_io, StatusCode.error_invalid_object)
LINE_ENDS = b"\r\n\x03 "
REPEAT = "repeat the measurement; a new connection is made first"


class GuardedSession(VISAAdapter):
    """One instrument's VISA session with deadlines, verification after a timeout, and turns.

    `timeout` [ms, as VISA counts] limits each read and each write. `hello` asks who is there, `error_query`
    what is wrong; "" for instruments that know neither. `varying` matches what changes in the answer to
    `hello`, which has `hello_lines`. Other keywords go to PyVISA. Raises CannotConnect.
    """

    def __init__(self, resource: str, role: str = "", visa_library: str = "@py", timeout: int = 2000,
                 hello: str = "*IDN?", error_query: str = "SYST:ERR?", varying: str = "",
                 hello_lines: int = 1, log: Any = None, **settings: Any) -> None:
        self.role, self.resource_name = role, resource
        self._library, self._settings, self._parent_log = visa_library, settings, log
        self._timeout, self._error_query, self._varying = timeout, error_query, varying
        self._hello, self._hello_lines = hello, hello_lines
        self._lock = threading.RLock()
        self._line: MendedSocket | None = None
        self._state, self._identity, self._sent, self._hurried = "closed", "", "", False
        self._open()

    # turns

    @contextmanager
    def turn(self, patience: float | None = None) -> Iterator[None]:
        """Hold the session for one exchange; Busy after `patience` [s], by default the timeout and 1 s."""
        patience = self.timeout + 1.0 if patience is None else patience
        if not self._lock.acquire(timeout=patience):
            raise self._error(Busy, f"another thread has been waiting for the answer to {self._sent!r} "
                              f"for more than {patience:g} s", "", "abort it, or use urgent()")
        try:
            yield
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            if self._state == "open":
                self._state = "doubtful"      # its answer may still come, and be taken for the next one
            raise
        finally:
            self._lock.release()

    @contextmanager
    def urgent(self, timeout: float = 0.3) -> Iterator[None]:
        """Hold the session now, with a short timeout [s]: a transfer in another thread is broken off.

        For the safe state only. A lost connection is opened again here, since silence is worse.
        """
        self._take_turn(timeout)
        usual, hurried = self.timeout, self._hurried
        try:
            self.timeout, self._hurried = timeout, True
            if self._state != "open":
                self.reopen()
            yield
        finally:
            self.timeout, self._hurried = usual, hurried
            self._lock.release()

    def _take_turn(self, timeout: float) -> None:
        """Get the lock, breaking off whoever has it; Busy where that does not help within `timeout` [s]."""
        deadline, broken_off = time.monotonic() + GRACE + timeout, False
        while not self._lock.acquire(timeout=GRACE):
            if time.monotonic() > deadline:
                raise self._error(Busy, f"cannot break off the transfer of {self._sent!r} in another thread",
                                  "", "use the emergency stop")
            self.interrupt()
            broken_off = True
        if broken_off:
            self._state = "doubtful"

    def interrupt(self) -> None:
        """Break off another thread's transfer with a PeerClosed; without pyvisa-py it ends at its timeout."""
        if self._line is not None:
            self._line.interrupt()

    @property
    def timeout(self) -> float:
        """Seconds allowed to each read and to each write."""
        return self._timeout / 1000

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._timeout = max(round(seconds * 1000), 1)
        if self._state != "closed":
            self.connection.timeout = self._timeout

    # opening

    def reopen(self) -> None:
        """Open a fresh connection, free of late answers, to the same instrument."""
        with self.turn():
            self.close()
            self._open()
            self._verify()

    def close(self) -> None:
        """Close the connection; closing twice is no error."""
        if getattr(self, "_state", "closed") != "closed":
            self._state = "closed"
            super().close()

    def greet(self) -> str:
        """Ask who is there, remember it for the comparison after a timeout, and return it."""
        with self.turn():
            self.write(self._hello)
            self._identity = self._heard(self.read)
        return self._identity

    def _heard(self, read: Callable[[], str]) -> str:
        """The answer to `hello`, without what changes in it."""
        return re.sub(self._varying, "", " ".join(read() for _ in range(self._hello_lines))).strip()

    def _open(self) -> None:
        settings = {"timeout": self._timeout, "open_timeout": self._timeout, **self._settings}
        try:
            if self._library.endswith("@py"):
                check_host(self.resource_name)
            super().__init__(self.resource_name, self._library, self._parent_log, **settings)
        except Exception as problem:      # pyvisa-py raises bare Exception, others almost anything
            raise self._cannot_connect(problem) from problem
        self._state, self._line = "open", mend(self.connection)
        try:
            if self._line is not None:
                self._line.check_connected()
        except OSError as problem:
            self.close()
            raise self._cannot_connect(problem) from problem

    def _cannot_connect(self, problem: Exception) -> InstrumentError:
        what = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        return self._error(CannotConnect, f"cannot connect ({what.lower().rstrip('.')})",
                           "an instrument that accepts a connection",
                           "switch it on, check address and port, close other programs that use it")

    def _verify(self) -> None:
        """Compare the identity with the remembered one; the session is lost if it differs."""
        if not self._hello:
            return
        try:
            self.connection.write(self._hello)
            found = self._heard(self.connection.read)
        except VisaIOError as problem:
            self._state = "doubtful"
            found = f"it takes a new connection but does not answer {self._hello!r}"
            raise self._error(InstrumentTimeout, found, "its name", "see its front panel") from problem
        if self._identity and found != self._identity:
            self._state = "lost"
            raise self._error(ProtocolError, f"after a new connection {found!r} answers",
                              repr(self._identity), "check what is connected there")

    # what PyMeasure calls

    def _write(self, command: str, **kwargs: Any) -> None:
        with self.turn():
            self._ready()
            self._sent = command
            self._guard(self.connection.write, command, doing="taking the command")

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        with self.turn():
            self._ready()
            self._sent = content[:40].decode("ascii", "replace")
            self._guard(super()._write_bytes, content, doing=f"taking {len(content)} bytes")

    def _read(self, **kwargs: Any) -> str:
        with self.turn():
            self._must_be_open()
            return self._guard(self.connection.read, doing="answering")

    def _read_bytes(self, count: int, break_on_termchar: bool = False, **kwargs: Any) -> bytes:
        with self.turn():
            self._must_be_open()
            if count < 0 or break_on_termchar:
                return self._guard(super()._read_bytes, count, break_on_termchar, doing="answering")
            return bytes(self._exactly(count))

    def _ready(self) -> None:
        """Nothing may be sent over a lost or doubtful line, nor over one with an unasked answer on it."""
        if self._state == "doubtful":
            self.reopen()
        self._must_be_open()
        if self._line is None:
            return
        unread = self._line.unread()
        if unread and not unread.strip(LINE_ENDS):
            self._line.discard(len(unread))      # an extra line end harms nobody
        elif unread:
            self._state = "doubtful"
            found = f"{unread[:40]!r} lies on the line after {self._sent!r} was answered"
            raise self._error(ProtocolError, found, "silence", REPEAT)

    def read_exactly(self, count: int) -> bytearray:
        """`count` bytes in one buffer, whatever bytes they are."""
        with self.turn():
            self._must_be_open()
            return self._exactly(count)

    def _must_be_open(self) -> None:
        if self._state != "open":
            raise self._error(PeerClosed, "the connection is closed", "",
                              "reopen it and set everything again")

    def spoilt(self, found: str, expected: str) -> InstrumentError:
        """The error for an answer that makes no sense; the line is opened anew before the next question."""
        self._state = "doubtful"
        return self._error(ProtocolError, f"{found} in answer to {self._sent!r}", expected, REPEAT)

    def _exactly(self, count: int) -> bytearray:
        if self._line is None:
            return bytearray(self._guard(read_plainly, self.connection, count, doing="sending a block"))
        data, status = self._line.read_exactly(count)
        if status >= 0:
            return data
        raise self._failed(status, f"sending {count} bytes, of which {len(data)} came")

    # when it goes wrong

    def _guard(self, action: Callable[..., Any], *args: Any, doing: str) -> Any:
        try:
            return action(*args)
        except (VisaIOError, InvalidSession) as problem:
            status = getattr(problem, "error_code", StatusCode.error_invalid_object)
            raise self._failed(status, doing) from problem
        except UnicodeDecodeError as problem:
            raise self.spoilt(f"{problem.object[:40]!r} came", "text") from problem

    def _failed(self, status: int, doing: str) -> InstrumentError:
        if status != StatusCode.error_timeout:
            self._state = "lost" if status in GONE else "doubtful"
            return self._error(PeerClosed, f"the connection broke off during {doing} ({self._sent!r})",
                               "", "check power and cable, then reopen: its settings may be lost")
        found = f"{self.timeout:g} s were not enough for {doing} ({self._sent!r}); {self._explain()}"
        return self._error(InstrumentTimeout, found, "", "see its front panel, or allow it more time")

    def _explain(self) -> str:
        """Ask the error queue once, open anew and verify; a sentence in any case."""
        self._state = "doubtful"
        if self._hurried:
            return "there was no time to ask why"
        usual, self.timeout = self.timeout, min(self.timeout, EXPLANATION_TIME)
        try:
            said = self._ask_queue()
            self.reopen()
            return f"{said or self._ask_queue() or 'it gives no reason'}; a new connection works"
        except InstrumentError:
            return "on a new connection it does not answer either"
        finally:
            self.timeout = usual

    def _ask_queue(self) -> str:
        """What the error queue says: on the old line first, as many instruments keep one for each client.

        A late answer may come in its place; it is known by its form, and the line is dropped anyway.
        """
        try:
            said = self.connection.query(self._error_query or self._hello).strip()
        except (VisaIOError, InvalidSession, UnicodeDecodeError):
            return ""
        return f"its error queue says {said}" if self._error_query and QUEUE_ENTRY.fullmatch(said) else ""

    def _error(self, kind: type[InstrumentError], found: str, expected: str = "",
               remedy: str = "") -> InstrumentError:
        return kind(self.role, self.resource_name, found, expected, remedy)
