"""What was read of many folders, kept in one file: any time deletable, and never believed over the folders.

An entry holds only as long as every file that it was read from has the size and the time of change that it
had then. A memo that is broken, foreign or cannot be written costs time and nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

Signature = list[list[int] | None]
"""[size, time of change [ns]] of each file, None where it is not there."""


def signature(folder: str, names: Sequence[str]) -> Signature:
    """How the files of a folder look now; one look at each."""
    found: Signature = []
    for name in names:
        try:
            seen = os.stat(f"{folder}/{name}")
        except OSError:
            found.append(None)
        else:
            found.append([seen.st_size, seen.st_mtime_ns])
    return found


class Memo:
    """{name: what was read} with the signature of its files, in a JSON file. `version` of what is held."""

    def __init__(self, file: Path, version: int) -> None:
        self._file, self._version, self._changed = file, version, False
        self._kept: dict[str, Any] = {}
        self._held = self._load()

    def _load(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_bytes())
            held = found["held"] if found["version"] == self._version else {}
            return held if isinstance(held, dict) else {}
        except (OSError, ValueError, TypeError, KeyError):
            return {}

    def recall(self, name: str, now: Signature) -> Any:
        """What was kept under a name; None unless its files still are what they were."""
        entry = self._held.get(name)
        if not isinstance(entry, list) or len(entry) != 2 or entry[0] != now:
            return None
        self._kept[name] = entry
        return entry[1]

    def keep(self, name: str, now: Signature, value: Any) -> None:
        """Remember a JSON value, read from files that looked like `now` before they were read."""
        self._kept[name], self._changed = [now, value], True

    def save(self) -> None:
        """Write what was recalled and kept, as a whole or not at all; a folder of others stays as it is."""
        if not self._changed and len(self._kept) == len(self._held):
            return
        part = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            part.write_text(json.dumps({"version": self._version, "held": self._kept}), "utf-8")
            os.replace(part, self._file)
        except OSError:
            with suppress(OSError):
                part.unlink()
