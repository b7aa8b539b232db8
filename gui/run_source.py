"""Runs procedures for the window, in a thread of its own that alone touches the bench.

The bench is opened when it is first needed and stays open between runs. After a failure it is closed, so
that the next run connects anew. `procedures` does all the work; nothing here knows an instrument.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from procedures import catalogue, open_bench, run
from procedures.machinery.apparatus.bench import Bench, describe_bench
from procedures.machinery.apparatus.bench_lock import ask_controller
from procedures.machinery.apparatus.safety import make_safe
from procedures.machinery.apparatus.warm import warm
from procedures.machinery.records import events
from procedures.machinery.records.failures import StateUnknown
from procedures.machinery.records.settings import values
from procedures.machinery.records.shot import Origin

from .event_source import BenchOpened, EventSource

Publish = Callable[[Any], None]
Conduct = Callable[[str, Mapping[str, Any], int | None, Publish, Callable[[], bool]], Any]


class BenchConductor:
    """Holds the bench for the thread that conducts runs; every method belongs to that thread."""

    def __init__(self, bench: str | Path, output: str | Path, truth_log: Path | None = None,
                 stream: Publish = lambda event: None) -> None:
        self.name, self._output, self._truth_log, self._stream = str(bench), output, truth_log, stream
        self._bench: Bench | None = None

    def conduct(self, procedure: str, settings: Mapping[str, Any], seed: int | None, publish: Publish,
                should_stop: Callable[[], bool]) -> None:
        """One run from the first check to the verified safe state; raises what `procedures.run` raises."""
        values(catalogue.procedure(procedure), settings)  # wrong use is told before anything is opened
        publish(events.Progress(0, 0, "loading the twin"))
        warm(lambda text: publish(events.Progress(0, 0, text)))
        bench = self._opened(publish)
        if should_stop():
            publish(make_safe(bench.roles))
            return

        def tell(event: events.Event) -> None:
            self._stream(event)
            publish(event)

        try:
            run(procedure, bench, self._output, seed, tell, should_stop, **settings)
        except ValueError:
            raise
        except BaseException:
            self.close()
            raise

    def make_safe(self, publish: Publish) -> None:
        """Drive the bench into its safe state and verify it; StateUnknown when that cannot be read back."""
        held = self._bench
        if held is None:
            ask_controller(describe_bench(self.name))
        bench = held or open_bench(self.name, tolerant=True)
        try:
            state = make_safe(bench.roles, bench.unreachable)
        finally:
            if held is None:
                bench.close()
        publish(state)
        if not state.verified:
            self.close()  # the next attempt connects anew
        if not state.verified:
            raise StateUnknown(f"STATE UNKNOWN, use the emergency stop: {state.message}")

    def close(self) -> None:
        """Close the connections; software instruments that this window started end."""
        bench, self._bench = self._bench, None
        if bench is not None:
            bench.close()

    def _opened(self, publish: Publish) -> Bench:
        if self._bench is None:
            publish(events.Progress(0, 0, "opening the bench"))
            self._bench = open_bench(self.name, truth_log=self._truth_log)
            publish(opened_event(self._bench))
        return self._bench


class RunSource(EventSource):
    """Start, stop and watch runs. `conductor` does them: anything with conduct, make_safe and close."""

    def __init__(self, conductor: Any, receiver: Any = None) -> None:
        self._conductor, self._receiver = conductor, receiver
        self._stop = threading.Event()
        self.busy = False  # as the window's thread sees it: from start() until Idle was taken
        super().__init__("bench")

    def start(self, procedure: str, settings: Mapping[str, Any], seed: int | None = None) -> None:
        """Begin a run; ValueError for settings that are wrong, before anything happens."""
        values(catalogue.procedure(procedure), settings)
        if self.busy:
            raise ValueError("a run is under way; stop it first")
        self.busy = True
        self._stop.clear()
        self.do(lambda: self._conductor.conduct(procedure, dict(settings), seed, self.tell,
                                                self._stop.is_set))

    def stop(self) -> None:
        """STOP-SAFE, at any time: end the run that is under way, or make an idle bench safe."""
        self._stop.set()
        if not self.busy:
            self.busy = True
            self.do(lambda: self._conductor.make_safe(self.tell))

    @property
    def stopping(self) -> bool:
        return self.busy and self._stop.is_set()

    def tell(self, event: Any) -> None:
        if isinstance(event, events.RunStarted):
            self.gallery.begin(event.path.name, event.origin, self._receiver)
        super().tell(event)

    def finish(self) -> None:
        self._conductor.close()


def opened_event(bench: Bench) -> BenchOpened:
    """What the window shows of an open bench."""
    roles = tuple((role, bench.identities.get(role, ""),
                   (Origin.SIMULATED if instrument.simulated else Origin.REAL).value)
                  for role, instrument in bench.roles.items())
    return BenchOpened(bench.description.name, roles)
