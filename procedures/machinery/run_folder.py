"""A run on disk, while it is written: manifest, raw shots, fits, events, result, each safe on its own.

    manifest.toml   what made the run            fits.jsonl    one row per shot, as the twin answers
    shots.h5        raw codes (see store.py)     events.jsonl  what happened; held locked while the run lives
    run.csv         PyMeasure's table            result.json   the procedure's answers, written at the end

Touches this folder and nothing else. Reading is `open_run` in runs.py.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from . import events
from .shot import FitRow, Shot
from .store import Layout, StoreWriter

# Windows locks bytes against readers too, so the byte that is locked lies far beyond the text.
_LOCKED_BYTE = 1 << 40
# HDF5 cannot even close a file on a full disk, so a run ends while there is room for its last lines.
_RESERVE = 8 * 2**20


def moment() -> str:
    """Now, UTC, ISO 8601 with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class RunFolder:
    """DIR/<UTC time>-<procedure>-<4 hex>, made new. Every line is flushed when a method returns."""

    def __init__(self, parent: Path, procedure: str) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self.path = (Path(parent) / f"{stamp}-{procedure}-{secrets.token_hex(2)}").resolve()
        self.path.mkdir(parents=True, exist_ok=False)
        self._events = (self.path / "events.jsonl").open("a", encoding="utf-8")
        hold(self._events)
        self._fits = (self.path / "fits.jsonl").open("a", encoding="utf-8")
        self.store: StoreWriter | None = None

    def write_manifest(self, text: str) -> None:
        """manifest.toml, complete or not there."""
        replace_text(self.path / "manifest.toml", text)

    def start_store(self, layout: Layout, snapshot: Mapping[str, Any]) -> None:
        """shots.h5 with everything the run will hold."""
        self.store = StoreWriter(self.path / "shots.h5", layout, snapshot)

    def append(self, shot: Shot) -> None:
        """The shot is on disk when this returns. OSError while there is still room to end the run well."""
        if self.store is None:
            raise RuntimeError("start_store comes before the first shot")
        free = shutil.disk_usage(self.path).free
        if free < _RESERVE:
            raise OSError(errno.ENOSPC, f"the disk is full: {free / 1e6:.1f} MB are left", str(self.path))
        self.store.append(shot)

    def fitted(self, row: FitRow) -> None:
        """One row of fits.jsonl."""
        _line(self._fits, row.as_json())

    def note(self, event: events.Event) -> None:
        """One line of events.jsonl, with the moment; events that other files hold already are left out."""
        row = events.as_json(event)
        if row is not None:
            _line(self._events, {"moment": moment(), **row})

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


def _line(file: IO[str], row: Mapping[str, Any]) -> None:
    file.write(json.dumps(row, allow_nan=False) + "\n")
    file.flush()


def replace_text(path: Path, text: str) -> None:
    """Write a file so that it is there as a whole or not at all."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as f:
        f.write(text)
        f.flush()
        os.fsync(f.fileno())
    os.replace(part, path)


def hold(file: IO[Any]) -> None:
    """Lock an open file for as long as this process lives; OSError when another process holds it.

    The operating system gives the lock back at the process's death, however it dies, so that a killed
    run is never taken for a running one (a stored process number could be).
    """
    if os.name == "nt":
        import msvcrt

        file.seek(_LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        file.seek(0, os.SEEK_END)
        return
    import fcntl

    fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def held(path: Path) -> bool:
    """Whether a living process holds the file."""
    try:
        with path.open("r+", encoding="utf-8") as file:
            hold(file)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
