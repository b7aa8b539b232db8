"""`maserbench demo`: the main job on software instruments, in a window where there is a display.

The display is looked for before Qt is loaded, because Qt ends the whole process when it finds none.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from procedures.machinery.apparatus.opening import Opening

_NO_SCREEN = ("offscreen", "minimal", "vnc", "linuxfb")


def demo(show: Callable[..., Any], headless: bool, shots: int = 20, seed: int | None = None,
         output: Path = Path("runs"), truth_log: Path | None = None, progress: str = "auto",
         start: bool = True, status: int | None = None) -> None:
    """The pump scan on the virtual bench; `show(**wishes)` opens the window, which waits if not `start`."""
    if not headless:
        found, reason = display()
        if found:
            run: dict[str, Any] = {"run": "pump_threshold", "settings": {"shots": shots}, "seed": seed}
            show(bench="virtual", output=output, truth_log=truth_log, status=status, **(run if start else {}))
            return
        print(f"maserbench: no window, because {reason}; going on without one", file=sys.stderr)
    with Opening("virtual", truth_log) as opening:  # software instruments start while the rest is loaded
        from .run import run_procedure
        run_procedure("pump_threshold", opening, [f"shots={shots}"], output, seed, progress, status=status)


def display() -> tuple[bool, str]:
    """Whether a window can be opened here, and if not, why not. Loads no Qt."""
    platform = os.environ.get("QT_QPA_PLATFORM", "").split(":")[0]
    if platform in _NO_SCREEN:
        return False, f"QT_QPA_PLATFORM is {platform!r}"
    if sys.platform in ("win32", "darwin"):
        return True, ""
    if platform in ("", "wayland") and _wayland():
        return True, ""
    name = os.environ.get("DISPLAY", "")
    if not name:
        return False, "neither DISPLAY nor WAYLAND_DISPLAY is set"
    return (True, "") if _x_answers(name) else (False, f"the display {name!r} does not answer")


def _wayland() -> bool:
    name = os.environ.get("WAYLAND_DISPLAY", "")
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    return bool(name) and _connects(socket.AF_UNIX, os.path.join(folder, name))


def _x_answers(name: str) -> bool:
    """Whether something listens on the socket of an X display such as ':0', 'host:10.0' or 'unix:0'."""
    match = re.fullmatch(r"(?:(?P<protocol>\w+)/)?(?P<host>[^:]*):(?P<number>\d+)(?:\.\d+)?", name)
    if match is None:
        return False
    number, host = int(match["number"]), match["host"]
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"
        return _connects(socket.AF_UNIX, path) or _connects(socket.AF_UNIX, "\0" + path)
    return _connects(socket.AF_INET, (host, 6000 + number))


def _connects(family: int, address: Any) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.settimeout(2.0)
            s.connect(address)
            return True
    except OSError:
        return False
