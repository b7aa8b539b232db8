"""A run on disk, while it is written: manifest, raw shots, fits, events, result, each safe on its own.

    manifest.toml   what made the run            fits.jsonl    one row per shot, as the twin answers
    shots.h5 ...    raw codes (see store.py)     events.jsonl  what happened; held locked while the run lives
    run.csv         PyMeasure's table            result.json   the procedure's answers, written at the end

Touches this folder and nothing else. Reading is `open_run` in runs.py.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..records import events
from ..records.shot import FitRow, Shot
from . import event_log
from .event_log import moment
from .file_lock import hold
from .store import StoreWriter
from .store_block import Layout

__all__ = ["RunFolder", "moment", "replace_text"]

# HDF5 cannot even close a file on a full disk, so a run ends while there is room for its last lines.
_RESERVE = 8 * 2**20


class RunFolder:
    """DIR/<UTC time>-<procedure>-<4 hex>, made new. Every line is flushed when a method returns.

    `look` is asked for the state of the bench when the store is made, right before the first shot. `fsync`:
    every shot is written through to the disk.
    """

    def __init__(self, parent: Path, procedure: str, look: Callable[[], Mapping[str, Any]] = dict,
                 fsync: bool = False) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self.path = (Path(parent) / f"{stamp}-{procedure}-{secrets.token_hex(2)}").resolve()
        self.path.mkdir(parents=True, exist_ok=False)
        self._events = (self.path / "events.jsonl").open("a", encoding="utf-8")
        hold(self._events)
        self._fits = (self.path / "fits.jsonl").open("a", encoding="utf-8")
        self.store: StoreWriter | None = None
        self._look, self._fsync = look, fsync

    def write_manifest(self, text: str) -> None:
        """manifest.toml, complete or not there."""
        replace_text(self.path / "manifest.toml", text)

    def start_store(self, layout: Layout, snapshot: Mapping[str, Any]) -> None:
        """shots.h5 with everything that the next shots hold."""
        self.store = StoreWriter(self.path / "shots.h5", layout, {**snapshot, **self._look()}, self._fsync)

    def expect(self, layout: Layout) -> None:
        """Shots look like this from the next one on."""
        self._begun().expect(layout)

    def append(self, shot: Shot) -> None:
        """The shot is on disk when this returns. OSError while there is still room to end the run well."""
        store = self._begun()
        free = shutil.disk_usage(self.path).free
        if free < _RESERVE:
            raise OSError(errno.ENOSPC, f"the disk is full: {free / 1e6:.1f} MB are left", str(self.path))
        store.append(shot)

    def read(self, number: int) -> Shot:
        """A shot that is stored already."""
        return self._begun().read(number)

    def _begun(self) -> StoreWriter:
        if self.store is None:
            raise RuntimeError("start_store comes before the first shot")
        return self.store

    def fitted(self, row: FitRow) -> None:
        """One row of fits.jsonl."""
        event_log.write_line(self._fits, row.as_json())

    def note(self, event: events.Event) -> None:
        """One line of events.jsonl, with the moment; events that other files hold already are left out."""
        event_log.note(self._events, event)

    def finish(self, result: Mapping[str, Any]) -> None:
        """result.json."""
        replace_text(self.path / "result.json", json.dumps(dict(result), indent=1, allow_nan=False) + "\n")

    def close(self) -> None:
        """Close all files; the lock on events.jsonl is given back last."""
        try:
            if self.store is not None:
                self.store.close()
        finally:
            self._fits.close()
            self._events.close()


def replace_text(path: Path, text: str) -> None:
    """Write a file so that it is there as a whole or not at all."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as f:
        f.write(text)
        f.flush()
        os.fsync(f.fileno())
    os.replace(part, path)
