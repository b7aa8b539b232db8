"""The status of a run for dashboards: lines of JSON over loopback TCP, told and never asked.

Nothing that a client sends is read, so nothing can be acted on. The run's thread only appends to queues; one
thread of its own sends. A reader that is slow or dead loses lines, which are counted and told, and holds up
neither the run nor other readers. No other file of this package listens on a socket.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

from ..records.events import Event
from ..records.failures import WrongUse
from .lines import State, fields_of, line
from .note import StatusNote

LOOPBACK = "127.0.0.1"
CLIENTS = 16
WAITING = 256 * 1024
"""Bytes that may wait for one client, beside what the kernel holds for it."""

_FAREWELL = 0.5  # [s] that the last lines get to leave


@dataclass
class _Client:
    """One reader: what waits for it, how much that is, and how many lines it has lost since it was told."""

    connection: socket.socket
    lines: deque[bytes] = field(default_factory=deque)
    waiting: int = 0
    dropped: int = 0

    def add(self, text: bytes) -> None:
        """Queue a line, or drop and count it. Once a line is lost none follows before that is told."""
        if self.dropped or self.waiting + len(text) > WAITING:
            self.dropped += 1
            return
        self.lines.append(text)
        self.waiting += len(text)

    def send(self) -> None:
        """As much as the kernel takes; OSError when the reader has gone."""
        while self.lines:
            text = self.lines[0]
            try:
                sent = self.connection.send(text)
            except BlockingIOError:
                return
            self.waiting -= sent
            if sent < len(text):
                self.lines[0] = text[sent:]
                return
            self.lines.popleft()


class StatusStream:
    """Call it with every event of a run; WrongUse when the port cannot be had, 0 lets the system choose."""

    def __init__(self, port: int = 0) -> None:
        self._lock = threading.Lock()
        self._state = State()
        self._clients: dict[socket.socket, _Client] = {}
        self._closing = False
        self._server = _listening(port)
        self.port: int = self._server.getsockname()[1]
        self._note = StatusNote(self.port)
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._thread = threading.Thread(target=self._serve, name="status", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Append a line for each reader; returns at once, whatever they do."""
        with self._lock:
            self._state = self._state.after(event)
            text = line(type(event).__name__, fields_of(event))
            for client in self._clients.values():
                client.add(text)
        self._ring()

    def close(self) -> None:
        """Let the last lines leave, for a moment at most, and hang up."""
        self._closing = True
        self._ring()
        self._thread.join(2.0 * _FAREWELL)
        self._note.close()
        for end in (self._server, self._bell, self._ear):
            end.close()

    def __enter__(self) -> StatusStream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _ring(self) -> None:
        with suppress(OSError):  # a bell that is still ringing
            self._bell.send(b".")

    # the thread that sends

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._server, selectors.EVENT_READ)
            selector.register(self._ear, selectors.EVENT_READ)
            while not self._closing:
                for key, _ in selector.select():
                    if key.fileobj is self._server:
                        self._welcome()
                    elif key.fileobj is self._ear:
                        self._ear.recv(4096)
                self._send(selector)
            self._farewell(selector)

    def _farewell(self, selector: selectors.BaseSelector) -> None:
        selector.unregister(self._server)
        selector.unregister(self._ear)
        self._send(selector)
        end = time.monotonic() + _FAREWELL
        while selector.get_map() and (left := end - time.monotonic()) > 0.0:
            selector.select(left)
            self._send(selector)
        for connection in list(self._clients):
            self._part(selector, connection)

    def _welcome(self) -> None:
        """A reader begins with the whole state; one too many is turned away."""
        try:
            connection, _ = self._server.accept()
        except OSError:
            return  # gone again before it was met
        if len(self._clients) >= CLIENTS:
            connection.close()
            return
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, WAITING)  # of the kernel's memory, too
        with self._lock:
            client = self._clients[connection] = _Client(connection)
            client.add(self._whole())

    def _whole(self) -> bytes:
        return line("State", {name: getattr(self._state, name) for name in self._state.__dataclass_fields__})

    def _send(self, selector: selectors.BaseSelector) -> None:
        """To each what waits for it; the selector watches those whose kernel buffer is full."""
        with self._lock:
            for connection, client in list(self._clients.items()):
                try:
                    client.send()
                    if client.dropped and not client.lines:
                        self._catch_up(client)
                        client.send()
                except OSError:
                    self._part(selector, connection)
                    continue
                watched = connection in selector.get_map()
                if client.lines and not watched:
                    selector.register(connection, selectors.EVENT_WRITE)
                elif watched and not client.lines:
                    selector.unregister(connection)

    def _catch_up(self, client: _Client) -> None:
        """A reader that has lost lines is told how many, and where the run stands now."""
        dropped, client.dropped = client.dropped, 0
        client.add(line("Dropped", {"lines": dropped}))
        client.add(self._whole())

    def _part(self, selector: selectors.BaseSelector, connection: socket.socket) -> None:
        del self._clients[connection]
        if connection in selector.get_map():
            selector.unregister(connection)
        connection.close()


def _listening(port: int) -> socket.socket:
    try:
        server = socket.create_server((LOOPBACK, port))
    except (OSError, OverflowError) as refused:
        reason = getattr(refused, "strerror", None) or refused
        raise WrongUse(f"--status {port}: this port of {LOOPBACK} cannot be opened ({reason}); name another, "
                       "or 0 for one that is free") from None
    server.setblocking(False)
    return server
