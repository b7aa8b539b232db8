"""Where a run's status can be heard: a small file beside the bench locks, held for as long as it is told.

The lock dies with its program, so a note that nobody holds is stale and is taken away by whoever finds it.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ..apparatus.bench_lock import user_folder
from ..storage.file_lock import held, hold

_PREFIX = "status-"


class StatusNote:
    """Says that the status of a run is told on `port`."""

    def __init__(self, port: int) -> None:
        self._path = user_folder() / f"{_PREFIX}{port}"
        self._file = self._path.open("a", encoding="utf-8")
        with suppress(OSError):  # somebody looks at a stale note of the same port just now
            hold(self._file)

    def close(self) -> None:
        """Take the note away."""
        with suppress(OSError):
            self._path.unlink()
        self._file.close()


def told_ports() -> list[int]:
    """Ports of this computer on which runs of this user tell their status now."""
    notes = [path for path in user_folder().glob(f"{_PREFIX}*") if _number(path)]
    for path in notes:
        if not held(path):
            with suppress(OSError):
                path.unlink()
    return sorted(int(_number(path)) for path in notes if path.exists())


def _number(path: Path) -> str:
    number = path.name.removeprefix(_PREFIX)
    return number if number.isdecimal() else ""
