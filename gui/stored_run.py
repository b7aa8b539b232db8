"""A run on disk as a source of the same events that a live one tells, read in a thread of its own.

The plots cannot tell the difference. The twin's line is not stored; it is worked out again from the raw
record and the run's own bench file, which gives the same numbers as the live fit did.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from pathlib import Path

from procedures import Origin, open_run
from procedures.machinery.fitting.shot_checks import is_free_burst
from procedures.machinery.fitting.shot_fit import fit_shot
from procedures.machinery.records import events
from twin.bench_description import BenchDescription, parse

from .event_source import EventSource, PictureReady, light
from .picture import fitted_picture, picture_of, without_line


class StoredRun(EventSource):
    """Opens the run at once, so that a missing or broken one raises here (FileNotFoundError, ValueError)."""

    def __init__(self, path: str | Path) -> None:
        self.run = open_run(path)
        self._wanted = -1
        super().__init__("stored run")
        self.gallery.begin(self.run.path.name, Origin(self.run.manifest["origin"]), None)

    def replay(self) -> None:
        """Tell the whole run, shot by shot, without records."""
        self.do(self._replay)

    def want(self, number: int) -> None:
        """Fetch one shot with its twin line; it is told as PictureReady. A later wish overtakes this one."""
        self._wanted = number
        self.do(lambda: self._fetch(number) if number == self._wanted else None)

    def finish(self) -> None:
        self.run.close()

    @cached_property
    def _bench(self) -> BenchDescription:
        return parse(self.run.bench_text, self.run.manifest["bench"]["name"])

    def _replay(self) -> None:
        run, total = self.run, len(self.run.shots)
        self.tell(events.RunStarted(run.path, run.procedure, run.settings, self.gallery.origin, total))
        for shot in run.shots:
            self.post(light(events.ShotStored(shot)))
            if shot.number % 20 == 19:
                self.post(events.Progress(shot.number + 1, total, "reading"))
        ended = [e for e in run.events if e["event"] == "RunEnded"]
        message = ended[-1].get("message", "") if ended else ""
        self.post(events.RunEnded(run.path, run.state, message, run.result))

    def _fetch(self, number: int) -> None:
        shot = self.run.shots[number]
        if is_free_burst(self._bench, shot):
            answer = fit_shot(self._bench, shot)
            picture = fitted_picture(answer, self.run.path.name, shot.origin, shot.energy)
            picture = dataclasses.replace(picture, row=without_line(shot.fit or answer.row))
        else:
            picture = picture_of(shot, self.run.path.name, self._bench.receivers["burst"])
        self.gallery.add(picture)
        self.post(PictureReady(number))
