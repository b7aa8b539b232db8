"""The sockets: one listening port per device, one conversation per client. No other file opens any.

Loopback only unless told otherwise. Everything runs on one asyncio loop, so a device is touched by one
message at a time; long work happens in futures that the conversation waits for, and while it waits other
clients go on. A slow reader holds up nobody but itself, and what waits for it is bounded.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from .scpi import ScpiError

LOOPBACK = "127.0.0.1"
CLIENTS = 64  # per device; one where it says `one_session`
LEAVING = 0.2  # [s] in which an earlier client of such a device may still be on its way out
WAITING_MESSAGES = 16  # per client; more stay in the kernel's buffers, which stops the sender
CHUNK = 1 << 16


class Device(Protocol):
    """What a server serves: see scpi_device.ScpiDevice."""

    def open_session(self) -> Any: ...

    def close_session(self, session: Any) -> None: ...

    def report(self, session: Any, error: ScpiError) -> None: ...

    def execute(self, session: Any, message: bytes) -> Generator[Future[Any], None, bytes]: ...


@dataclass(frozen=True)
class Delivery:
    """How a reply leaves: late by `delay` [s], and with the connection cut behind it if `cut`."""

    reply: bytes
    delay: float = 0.0
    cut: bool = False


Tamper = Callable[[bytes, bytes], Delivery]


class Endpoint:
    """One device on one port. `tamper(message, reply)` may spoil what leaves; `after` is called last."""

    def __init__(self, device: Device, port: int = 0, host: str = LOOPBACK, tamper: Tamper | None = None,
                 after: Callable[[], None] = lambda: None) -> None:
        self.device, self.host, self.port, self.tamper, self._after = device, host, port, tamper, after
        self._listening: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()
        self._opening: asyncio.Task[None] | None = None

    @property
    def clients(self) -> int:
        """Open connections."""
        return len(self._conversations)

    def listen(self) -> int:
        """Binds the port (0: any free one, kept from then on) and returns it; OSError if it is taken."""
        self._listening = socket.create_server((self.host, self.port), backlog=CLIENTS)
        self.port = self._listening.getsockname()[1]
        return self.port

    async def serve(self) -> None:
        """Starts answering on the bound port."""
        if self._listening is None:
            self.listen()
        self._server = await asyncio.start_server(self._welcome, sock=self._listening, limit=CHUNK)

    def unplug(self) -> None:
        """Cuts every connection and refuses new ones."""
        if self._server is not None:
            self._server.close()
        elif self._listening is not None:
            self._listening.close()
        self._server = self._listening = None
        for task in self._conversations:
            task.cancel()

    def plug(self) -> None:
        """Opens the same port again; OSError if somebody else has taken it."""
        if not self.plugged:
            self.listen()
            self._opening = asyncio.get_running_loop().create_task(self.serve())

    @property
    def plugged(self) -> bool:
        """True while the port is open."""
        return self._listening is not None

    async def close(self) -> None:
        """Unplugs and waits until every conversation has ended."""
        self.unplug()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if not await self._room():
            writer.transport.abort()
            return
        self._conversations.add(task)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = self.device.open_session()
        try:
            await self._converse(session, reader, writer)
        except (OSError, asyncio.CancelledError, EOFError):
            pass  # the client has gone, or the plug was pulled: nothing is owed to anybody
        finally:
            self.device.close_session(session)
            self._conversations.discard(task)
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    async def _room(self) -> bool:
        """Whether one more client is served."""
        if not getattr(self.device, "one_session", False):
            return self.clients < CLIENTS and self.plugged
        for _ in range(20):
            if self.clients:
                await asyncio.sleep(LEAVING / 20)
        return self.clients == 0 and self.plugged

    async def _converse(self, session: Any, reader: asyncio.StreamReader,
                        writer: asyncio.StreamWriter) -> None:
        inbox: asyncio.Queue[bytes | ScpiError | None] = asyncio.Queue(WAITING_MESSAGES)
        reading = asyncio.create_task(self._read(session, reader, inbox))
        try:
            while (message := await inbox.get()) is not None:
                if isinstance(message, ScpiError):
                    self.device.report(session, message)
                    continue
                reply = await self._answer(session, message, reading)
                if not await self._deliver(message, reply, writer, reading):
                    return
        finally:
            reading.cancel()

    @staticmethod
    async def _read(session: Any, reader: asyncio.StreamReader,
                    inbox: asyncio.Queue[bytes | ScpiError | None]) -> None:
        try:
            while data := await reader.read(CHUNK):
                for message in session.framer.feed(data):
                    await inbox.put(message)
        except OSError:
            pass
        await inbox.put(None)

    async def _answer(self, session: Any, message: bytes, reading: asyncio.Task[None]) -> bytes:
        """Drives the device through one message, waiting where it asks to; EOFError if the client left."""
        steps = self.device.execute(session, message)
        try:
            while True:
                waited = asyncio.wrap_future(next(steps))
                await asyncio.wait({waited, reading}, return_when=asyncio.FIRST_COMPLETED)
                if not waited.done():
                    raise EOFError
        except StopIteration as end:
            return end.value
        finally:
            steps.close()
            self._after()

    async def _deliver(self, message: bytes, reply: bytes, writer: asyncio.StreamWriter,
                       reading: asyncio.Task[None]) -> bool:
        """Sends a reply, spoilt if a fault says so; False when the connection is to be cut."""
        delivery = self.tamper(message, reply) if self.tamper else Delivery(reply)
        if delivery.delay:
            await asyncio.wait({reading}, timeout=delivery.delay)  # ends early when the client leaves
        if delivery.reply:
            writer.write(delivery.reply)
            await writer.drain()
        return not delivery.cut
