"""A thread that produces a run's events, and the mailbox from which the window takes them.

The thread never waits for the window: events without their records queue up in the mailbox, the records go
to the gallery, which forgets the oldest. So a slow window drops plot frames, never shots.
"""

from __future__ import annotations

import dataclasses
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from procedures.machinery.commands.ending import code_of, paragraph
from procedures.machinery.records import events

from .picture import Gallery, without_line
from .qt import QtCore, Signal

_NOTHING = np.empty(0)


@dataclass(frozen=True)
class BenchOpened:
    """The bench answers. `roles`: (role, identity, origin) of every instrument."""

    name: str
    roles: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Failed:
    """Something ended early: one paragraph for a reader, and the command line's exit code for it."""

    text: str
    code: int


@dataclass(frozen=True)
class PictureReady:
    """A shot that was asked for lies in the gallery."""

    number: int


@dataclass(frozen=True)
class Idle:
    """The thread has nothing more to do."""


Told = events.Event | BenchOpened | PictureReady | Failed | Idle


class EventSource(QtCore.QObject):
    """Jobs run one after another in a thread of their own; what they tell is fetched with `take`.

    `news` is emitted when the mailbox was empty and is so no longer; connect it queued.
    """

    news = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.gallery = Gallery()
        self._lock = threading.Lock()
        self._mailbox: list[Told] = []
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def take(self) -> list[Told]:
        """Everything told since the last call, in order."""
        with self._lock:
            taken, self._mailbox = self._mailbox, []
        return taken

    def tell(self, event: Told) -> None:
        """Publish an event, from any thread; returns at once."""
        if isinstance(event, events.ShotStored):
            self.gallery.store(event.shot)
        elif isinstance(event, events.ShotFitted):
            self.gallery.fit(event)
        self.post(light(event))

    def post(self, event: Told) -> None:
        """Publish an event that carries no records, from any thread; returns at once."""
        with self._lock:
            first = not self._mailbox
            self._mailbox.append(event)
        if first:
            self.news.emit()

    def do(self, job: Callable[[], Any]) -> None:
        """Have a job done after those that wait already; its failure becomes an event."""
        self._jobs.put(job)

    def close(self, timeout: float = 30.0) -> bool:
        """End the thread after the job it is at; False when it did not end in time [s]."""
        self._jobs.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def finish(self) -> None:
        """What the thread does last; for sources that hold something open."""

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._attempt(job)
            self.tell(Idle())
        self._attempt(self.finish)

    def _attempt(self, job: Callable[[], Any]) -> None:
        try:
            job()
        except Exception as failure:  # whatever went wrong, the window must live to say so
            self.tell(Failed(paragraph(failure), code_of(failure)))


def light(event: Told) -> Told:
    """The event without its records, so that a thousand unread ones weigh nothing."""
    if isinstance(event, events.ShotStored):
        return events.ShotStored(dataclasses.replace(event.shot, waveforms={}, traces={}))
    if isinstance(event, events.ShotFitted):
        return events.ShotFitted(event.number, without_line(event.row), *[_NOTHING] * 4)
    return event
