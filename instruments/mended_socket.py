"""Mends the raw-socket session of pyvisa-py from outside: deadlines, and a peer that hangs up is noticed.

pyvisa-py 0.8 opens refused ports without complaint, spins at full load when the peer vanishes in
the middle of an answer, and blocks for ever when the peer does not take what is written. Only that
session is touched, found by its features; other VISA libraries are left as they are.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import time
from typing import Any

from pyvisa import constants
from pyvisa.constants import ResourceAttribute, StatusCode

# One receive may bring this much; a megasample block is then a handful of system calls.
LARGEST_RECEIVE = 1 << 20
SOCKET_RESOURCE = re.compile(r"(?i)TCPIP\d*::(?P<host>[^:]+)::(?P<port>\d+)::SOCKET$")
LAST_PORT = 65535
TEXT_RECEIVE = 1 << 14


def mend(connection: Any) -> MendedSocket | None:
    """Put deadlines into the connection's pyvisa-py socket session; None for any other kind of session."""
    sessions = getattr(getattr(connection, "visalib", None), "sessions", None)
    session = sessions.get(connection.session) if isinstance(sessions, dict) else None
    if not isinstance(getattr(session, "interface", None), socket.socket):
        return None
    if not isinstance(getattr(session, "_pending_buffer", None), bytearray):
        return None
    return MendedSocket(session)


def check_host(resource: str) -> None:
    """OSError or ValueError for a host or port that is none; pyvisa-py would leave a socket behind then."""
    found = SOCKET_RESOURCE.match(resource)
    if found:
        port = int(found.group("port"))
        if port > LAST_PORT:
            raise ValueError(f"there is no port {port}")
        socket.getaddrinfo(found.group("host"), port, socket.AF_INET)


def read_plainly(connection: Any, count: int) -> bytes:
    """`count` bytes through any VISA library, not stopping at bytes that look like a line end."""
    usual, connection.read_termination = connection.read_termination, None
    try:
        return connection.read_bytes(count, chunk_size=max(count, 1024))
    finally:
        connection.read_termination = usual


class MendedSocket:
    """Reads and writes of one pyvisa-py socket session, with the session's timeout as deadline."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._socket: socket.socket = session.interface
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        session.read, session.write = self.read, self.write

    def check_connected(self) -> None:
        """OSError where nobody accepted the connection: a refused socket is 'writable' to pyvisa-py."""
        problem = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if problem:
            raise OSError(problem, os.strerror(problem))
        self._socket.getpeername()

    def interrupt(self) -> None:
        """Make a read or write that another thread is in fail at once."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass      # already gone: the other thread has failed by itself

    def unread(self) -> bytes:
        """What lies on the line without having been asked for (up to 200 bytes, not consumed)."""
        if self._session._pending_buffer:
            return bytes(self._session._pending_buffer[:200])
        self._socket.settimeout(0)
        try:
            return self._socket.recv(200, socket.MSG_PEEK)
        except OSError:
            return b""      # nothing there (BlockingIOError), or the next read will say what is wrong

    def discard(self, count: int) -> None:
        """Drop bytes that `unread` has shown."""
        pending = self._session._pending_buffer
        if pending:
            del pending[:count]
        else:
            self._socket.recv(count)

    def write(self, data: bytes) -> tuple[int, StatusCode]:
        """Send all of `data` or give up at the deadline (visa write)."""
        self._socket.settimeout(self._session.timeout or None)
        try:
            self._socket.sendall(data)
        except TimeoutError:
            return 0, StatusCode.error_timeout
        except OSError:
            return 0, StatusCode.error_connection_lost
        return len(data), StatusCode.success

    def read(self, count: int) -> tuple[bytes, StatusCode]:
        """Up to `count` bytes, ending at the termination character where one is enabled (visa read)."""
        pending, end = self._session._pending_buffer, self._termination()
        deadline, looked = self._deadline(), 0
        if end is None:
            data, status = self.read_exactly(count)
            return bytes(data), status
        while True:
            at = pending.find(end, looked, count)
            if at >= 0:
                return self._take(at + 1), StatusCode.success_termination_character_read
            if len(pending) >= count:
                return self._take(count), StatusCode.success_max_count_read
            looked = len(pending)
            status = self._receive(pending, deadline)
            if status is not StatusCode.success:
                return self._take(len(pending)), status

    def read_exactly(self, count: int) -> tuple[bytearray, StatusCode]:
        """`count` bytes straight into one buffer; fewer where the status is an error."""
        data = bytearray(count)
        head = self._take(count)
        data[:len(head)] = head
        filled, view, deadline = len(head), memoryview(data), self._deadline()
        while filled < count:
            got, status = self._receive_into(view[filled:filled + LARGEST_RECEIVE], deadline)
            if status is not StatusCode.success:
                return bytearray(view[:filled]), status
            filled += got
        return data, StatusCode.success_max_count_read

    def _termination(self) -> bytes | None:
        enabled, _ = self._session.get_attribute(ResourceAttribute.termchar_enabled)
        char, _ = self._session.get_attribute(constants.ResourceAttribute.termchar)
        return bytes([char]) if enabled and char is not None else None

    def _deadline(self) -> float | None:
        limit = self._session.timeout
        return None if limit is None else time.monotonic() + limit

    def _take(self, count: int) -> bytes:
        pending = self._session._pending_buffer
        taken = bytes(pending[:count])
        del pending[:count]
        return taken

    def _receive(self, pending: bytearray, deadline: float | None) -> StatusCode:
        buffer = bytearray(TEXT_RECEIVE)
        got, status = self._receive_into(memoryview(buffer), deadline)
        pending += memoryview(buffer)[:got]
        return status

    def _receive_into(self, view: memoryview, deadline: float | None) -> tuple[int, StatusCode]:
        left = None if deadline is None else max(deadline - time.monotonic(), 0)
        self._socket.settimeout(left)
        try:
            got = self._socket.recv_into(view)
        except (TimeoutError, BlockingIOError):
            return 0, StatusCode.error_timeout
        except OSError as problem:
            known = problem.errno in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN, errno.EBADF)
            return 0, StatusCode.error_connection_lost if known else StatusCode.error_io
        return got, StatusCode.success if got else StatusCode.error_connection_lost
