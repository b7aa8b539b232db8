"""The first bytes of a run's raw file: whether a writer came so far that shots may be in it.

Reads the file it is given; opens it with HDF5 only where that can succeed.
"""

from __future__ import annotations

from pathlib import Path

from .store import StoredShots

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_WRITING, _SWMR = 1, 4  # of the flags in byte 11 (HDF5 File Format 3.0, II.A)


def open_store(path: Path) -> StoredShots | None:
    """A run's store; None where there is none, or its writer ended before any shot could be in it.

    ValueError for a file that is damaged.
    """
    if not path.is_file():
        return None
    with path.open("rb") as f:
        head = f.read(12)
    begun = len(head) == 12 and head.startswith(_SIGNATURE) and head[11] & (_WRITING | _SWMR) == _WRITING
    return None if begun or not head else StoredShots(path)
