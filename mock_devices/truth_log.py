"""The ground truth, JSON lines that nothing else may read: one per digitised shot and state of the bench."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, TextIO


class TruthLog:
    """Appends to a file, or to nothing when `path` is None. Nothing depends on it."""

    def __init__(self, path: Path | None = None) -> None:
        self._file: TextIO | None = path.open("a", encoding="utf-8") if path else None

    @property
    def wanted(self) -> bool:
        """False when there is nobody to write for."""
        return self._file is not None

    def write(self, record: dict[str, Any]) -> None:
        """One line, flushed; what is not finite becomes null."""
        if self._file is not None and not self._file.closed:
            self._file.write(json.dumps(_plain(record), allow_nan=False) + "\n")
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
