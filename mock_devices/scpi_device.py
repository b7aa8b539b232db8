"""A SCPI instrument as a table: every command is declared once, in one line of its device's table.

Executing a message is a generator: it yields a future wherever the message has to wait (*OPC?, *WAI,
a record that is not there yet) and returns the bytes of the reply. Whoever drives it (the TCP server,
or a test by hand) decides how to wait. No sockets, no clocks and no threads here.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .scpi import MESSAGE_LIMIT, Framer, Pattern, ScpiError, Unit, parse
from .scpi_status import OPERATION_COMPLETE, Status
from .scpi_values import Integer, Kind

Reply = str | bytes
Steps = Generator["Future[Any]", None, bytes]


@dataclass
class Session:
    """One client's conversation with one device: its own input buffer, status and pending *OPC."""

    framer: Framer
    status: Status = field(default_factory=Status)
    completing: Future[Any] | None = None


@dataclass(frozen=True)
class Request:
    """What a handler gets: numeric suffixes of the header, converted arguments, and who asks."""

    suffixes: tuple[int, ...]
    values: tuple[Any, ...]
    session: Session


@dataclass(frozen=True)
class Later:
    """A handler's answer that waits for `future`; `then` makes the reply from its result."""

    future: Future[Any]
    then: Callable[[Any], Reply]


@dataclass(frozen=True)
class Command:
    """One line of a device's table. `name` (with {0}, {1} for suffixes) is where a setting lives."""

    pattern: Pattern
    name: str = ""
    kind: Kind | None = None
    default: Any = None
    on_set: Callable[[Any, Request], Reply | None] | None = None
    on_query: Callable[[Any, Request], Reply | Later] | None = None
    arguments: tuple[Kind, ...] = ()
    query_arguments: tuple[Kind, ...] = ()
    optional: int = 0
    suffixes: tuple[range, ...] = ()


def setting(pattern: str, name: str, kind: Kind, default: Any, *suffixes: range) -> Command:
    """A value that can be set and read back; *RST restores `default`."""
    return Command(Pattern(pattern), name, kind, default, suffixes=suffixes)


def query(pattern: str, answer: Callable[..., Reply | Later], *arguments: Kind, optional: int = 0,
          suffixes: tuple[range, ...] = ()) -> Command:
    """A measurement: `answer(device, request)`; the last `optional` arguments may be missing."""
    return Command(Pattern(pattern), on_query=answer, query_arguments=arguments, optional=optional,
                   suffixes=suffixes)


def action(pattern: str, act: Callable[..., Any], *arguments: Kind, optional: int = 0,
           suffixes: tuple[range, ...] = ()) -> Command:
    """Something to do: `act(device, request)`."""
    return Command(Pattern(pattern), on_set=act, arguments=arguments, optional=optional, suffixes=suffixes)


class ScpiDevice:
    """Base of the SCPI instruments. Subclasses declare `identity`, `commands` and what happens.

    `settings` holds every declared value by name; `changed(name)` is called after each set.
    """

    identity: ClassVar[str]
    commands: ClassVar[tuple[Command, ...]] = ()
    reply_end: ClassVar[bytes] = b"\n"
    message_ends: ClassVar[bytes] = b"\n"
    fused_headers: ClassVar[bool] = False
    message_limit: ClassVar[int] = MESSAGE_LIMIT

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}
        self.sessions: list[Session] = []
        self._known: dict[tuple[str, bool], tuple[Command, tuple[int, ...]]] = {}
        self.restore()

    # --- to be refined by devices ----------------------------------------------------------------

    def changed(self, name: str) -> None:
        """A setting has just been set."""

    def pending(self) -> Future[Any] | None:
        """The overlapped operation that *OPC?, *OPC and *WAI wait for; None if there is none."""
        return None

    def restore(self) -> None:
        """*RST: every declared default."""
        for command in (*self.commands, *COMMON):
            if command.kind is not None:
                for suffix in command.suffixes[0] if command.suffixes else (1,):
                    self.settings[command.name.format(suffix)] = command.default

    def report(self, session: Session, error: ScpiError) -> None:
        """An error of this client; instruments with other error systems override it."""
        session.status.push(error.code, error.detail)

    def push_error(self, code: int) -> None:
        """An error that no command caused: every client finds it in its queue."""
        for session in self.sessions:
            session.status.push(code)

    # --- conversation ----------------------------------------------------------------------------

    def open_session(self) -> Session:
        """A new client."""
        session = Session(Framer(self.message_ends, self.message_limit))
        self.sessions.append(session)
        return session

    def close_session(self, session: Session) -> None:
        """The client has gone."""
        self.sessions.remove(session)

    def execute(self, session: Session, message: bytes) -> Steps:
        """Carries out one program message; yields futures to wait for, returns the reply (b"" for none)."""
        replies: list[bytes] = []
        try:
            for unit in parse(message, self.fused_headers):
                try:
                    reply = yield from self._unit(session, unit)
                except ScpiError as error:
                    self.report(session, error)
                    if error.code > -200:  # 488.2: command errors end the message, execution errors do not
                        break
                else:
                    if reply is not None:
                        replies.append(_bytes(reply))
        except ScpiError as error:
            self.report(session, error)
        return b";".join(replies) + self.reply_end if replies else b""

    def _unit(self, session: Session, unit: Unit) -> Generator[Future[Any], None, Reply | None]:
        command, suffixes = self._find(unit)
        for number, allowed in zip(suffixes, command.suffixes, strict=False):
            if number not in allowed:
                raise ScpiError(-114, f"{unit.header}: {allowed.start} .. {allowed.stop - 1}")
        waits = unit.header == "*WAI" or (unit.header == "*OPC" and unit.query)
        if waits and (operation := self.pending()) is not None:
            yield operation
        try:
            answer = self._carry_out(command, unit, Request(suffixes, (), session))
            if isinstance(answer, Later):
                yield answer.future
                answer = answer.then(answer.future.result())
        except ScpiError:
            raise
        except Exception as fault:  # a bug of ours must not end the conversation silently
            traceback.print_exc()
            raise ScpiError(-300, f"{type(fault).__name__}: {fault}") from fault
        return answer

    def _carry_out(self, command: Command, unit: Unit, request: Request) -> Reply | Later | None:
        if command.kind is not None:
            name = command.name.format(*request.suffixes)
            if unit.query:
                return self._show(command.kind, name, unit)
            (value,) = self._read((command.kind,), unit, 0)
            self.settings[name] = value
            self.changed(name)
            return None
        handler = command.on_query if unit.query else command.on_set
        kinds = command.query_arguments if unit.query else command.arguments
        if handler is None:
            raise ScpiError(-113, f"{unit.header} {'cannot be asked' if unit.query else 'can only be asked'}")
        values = self._read(kinds, unit, command.optional)
        return handler(self, Request(request.suffixes, values, request.session))

    def _show(self, kind: Kind, name: str, unit: Unit) -> str:
        for argument in unit.arguments[:1]:  # FREQ? MIN
            return kind.show(kind.read(argument))
        return kind.show(self.settings[name])

    @staticmethod
    def _read(kinds: tuple[Kind, ...], unit: Unit, optional: int) -> tuple[Any, ...]:
        if len(unit.arguments) > len(kinds):
            raise ScpiError(-108, f"{unit.header} takes {len(kinds)}, found {len(unit.arguments)}")
        if len(unit.arguments) < len(kinds) - optional:
            raise ScpiError(-109, f"{unit.header} takes {len(kinds)}, found {len(unit.arguments)}")
        return tuple(k.read(a) for k, a in zip(kinds, unit.arguments, strict=False))

    def _find(self, unit: Unit) -> tuple[Command, tuple[int, ...]]:
        key = (unit.header, unit.query)
        if key not in self._known:
            found = self._search(unit)
            if len(self._known) > 4096:  # strangers invent headers without end
                self._known.clear()
            self._known[key] = found
        return self._known[key]

    def _search(self, unit: Unit) -> tuple[Command, tuple[int, ...]]:
        hits = []
        for command in (*self.commands, *COMMON):
            suffixes = command.pattern.match(unit.header)
            if suffixes is not None:
                hits.append((command, suffixes))
        for command, suffixes in hits:
            if command.kind or (command.on_query if unit.query else command.on_set):
                return command, suffixes
        raise ScpiError(-113, unit.header + ("?" if unit.query else ""))


def _bytes(reply: Reply) -> bytes:
    """A reply as it goes onto the wire; letters that Latin-1 lacks become question marks."""
    return reply.encode("latin-1", "replace") if isinstance(reply, str) else reply


def _operation_complete(device: ScpiDevice, request: Request) -> None:
    waiting = device.pending()
    if waiting is None:
        request.session.status.event_status |= OPERATION_COMPLETE
    request.session.completing = waiting


def _event_status(device: ScpiDevice, request: Request) -> str:
    session = request.session
    if session.completing is not None and session.completing.done():
        session.status.event_status |= OPERATION_COMPLETE
        session.completing = None
    return str(session.status.read_event_status())


def _register(name: str) -> tuple[Command, Command]:
    def put(device: ScpiDevice, request: Request) -> None:
        setattr(request.session.status, name, request.values[0])

    def get(device: ScpiDevice, request: Request) -> str:
        return str(getattr(request.session.status, name))

    header = {"event_enable": "*ESE", "service_enable": "*SRE"}[name]
    return action(header, put, Integer(0, 255)), query(header, get)


COMMON: tuple[Command, ...] = (
    query("*IDN", lambda device, request: device.identity),
    action("*RST", lambda device, request: device.restore()),
    action("*CLS", lambda device, request: request.session.status.clear()),
    query("*OPC", lambda device, request: "1"),
    action("*OPC", _operation_complete),
    action("*WAI", lambda device, request: None),
    query("*ESR", _event_status),
    query("*STB", lambda device, request: str(request.session.status.byte())),
    query("*TST", lambda device, request: "0"),
    *_register("event_enable"), *_register("service_enable"),
    query("SYSTem:ERRor[:NEXT]", lambda device, request: request.session.status.pop()),
    query("SYSTem:ERRor:COUNt", lambda device, request: str(len(request.session.status.errors))),
    query("SYSTem:VERSion", lambda device, request: "1999.0"),
)
"""What every 488.2 instrument answers."""
