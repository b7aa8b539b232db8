"""The folder of the user's cache where what was derived or compiled once is kept for later processes."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_cache() -> Path:
    """Its place, whether it is there or not; MASERBENCH_CACHE moves it."""
    if moved := os.environ.get("MASERBENCH_CACHE"):
        return Path(moved)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home() / "AppData" / "Local"))) / "maserbench"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "maserbench"
    return Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))) / "maserbench"
