"""Lines of JSON as in a run's events.jsonl: written, also from outside after a run's end, and read again.

A line that a kill has torn is no line.
"""

from __future__ import annotations

import json
import mmap
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from ..records.events import Event, as_json
from .file_lock import hold


def moment() -> str:
    """Now, UTC, ISO 8601 with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def write_line(file: IO[str], row: Mapping[str, Any]) -> None:
    """One line, flushed."""
    file.write(json.dumps(row, allow_nan=False) + "\n")
    file.flush()


def note(file: IO[str], event: Event) -> None:
    """One line with the time; events that other files of a run hold already are left out."""
    row = as_json(event)
    if row is not None:
        write_line(file, _now() | row)


def _now() -> dict[str, Any]:
    """On the wall's clock, and in seconds on one that nobody sets, which all programs of a machine share."""
    return {"moment": moment(), "monotonic": round(time.monotonic(), 6)}


def note_afterwards(folder: Path, event: Event) -> None:
    """One more line for a run whose program has gone; OSError while that still holds the file."""
    row = as_json(event)
    if row is not None:
        append_line(folder / "events.jsonl", _now() | row)


def append_line(path: Path, row: Mapping[str, Any]) -> None:
    """One more whole line at the end of a file; OSError while another process holds it."""
    with path.open("a", encoding="utf-8") as file:
        hold(file)
        whole = path.read_bytes()
        if whole and not whole.endswith(b"\n"):
            file.write("\n")  # a kill may have torn the last line
        write_line(file, row)


def read_lines(file: Path) -> Iterator[dict[str, Any]]:
    """Every whole line; none without a file."""
    for line in file.read_text("utf-8", errors="replace").splitlines() if file.is_file() else ():
        if row := _row(line):
            yield row


def last_with(file: Path, words: bytes) -> dict[str, Any]:
    """The last whole line that holds `words`, found at the speed of memory; {} without one."""
    if not file.is_file() or not file.stat().st_size:
        return {}
    with file.open("rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as text:
        place = len(text)
        while (place := text.rfind(words, 0, place)) >= 0:
            end = text.find(b"\n", place)
            line = text[text.rfind(b"\n", 0, place) + 1:end if end >= 0 else len(text)]
            if row := _row(line.decode("utf-8", errors="replace")):
                return row
    return {}


def last_end(folder: Path) -> dict[str, Any]:
    """The last RunEnded of a run's events; {} for one that has not ended by itself."""
    return last_with(folder / "events.jsonl", b'"event": "RunEnded"')


def _row(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return row if isinstance(row, dict) else {}
