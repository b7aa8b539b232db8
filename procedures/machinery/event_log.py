"""Lines of JSON with their moment, as in a run's events.jsonl; also one from outside, after a run's end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from .events import Event, as_json
from .file_lock import hold


def moment() -> str:
    """Now, UTC, ISO 8601 with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def write_line(file: IO[str], row: Mapping[str, Any]) -> None:
    """One line, flushed."""
    file.write(json.dumps(row, allow_nan=False) + "\n")
    file.flush()


def note(file: IO[str], event: Event) -> None:
    """One line with the moment; events that other files of a run hold already are left out."""
    row = as_json(event)
    if row is not None:
        write_line(file, {"moment": moment(), **row})


def note_afterwards(folder: Path, event: Event) -> None:
    """One more line for a run whose program has gone; OSError while that still holds the file."""
    row = as_json(event)
    if row is not None:
        append_line(folder / "events.jsonl", {"moment": moment(), **row})


def append_line(path: Path, row: Mapping[str, Any]) -> None:
    """One more whole line at the end of a file; OSError while another process holds it."""
    with path.open("a", encoding="utf-8") as file:
        hold(file)
        whole = path.read_bytes()
        if whole and not whole.endswith(b"\n"):
            file.write("\n")  # a kill may have torn the last line
        write_line(file, row)
