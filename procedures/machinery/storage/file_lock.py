"""A lock that dies with its process: the operating system holds it, on an open file, and gives it back.

However a process ends, what it held is free again; so that a killed run is never taken for a running one
(a stored process number could be).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

# Windows locks bytes against readers too, so the byte that is locked lies far beyond the text.
_LOCKED_BYTE = 1 << 40


def hold(file: IO[Any]) -> None:
    """Lock an open file for as long as this process lives; OSError when another process holds it."""
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
