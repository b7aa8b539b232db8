"""One controller per bench: whoever runs it holds a lock, by which others find and ask it to stop.

Touches a few small files per bench in the folder for temporary files. The lock belongs to the operating
system, so that a controller that was killed is never asked and never in the way; its guard, which may still
be making the bench safe (guard_process.py), is waited for.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import IO, Any

from ..records.failures import BenchFailure
from ..storage.file_lock import held, hold

_PATIENCE = 3.0  # [s] in which a running controller should have made the bench safe
_GUARD_PATIENCE = 10.0  # [s] for the guard of a controller that died just now
_GLANCE = 0.05  # [s] between two looks at a lock


def user_folder() -> Path:
    """This user's folder among those for temporary files."""
    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    folder = Path(tempfile.gettempdir()) / f"maserbench-user-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def lock_file(description: Any) -> Path:
    """The file that stands for this bench: named after its resources, whatever its bench file is called."""
    resources = sorted(role.resource for role in description.roles.values())
    digest = hashlib.sha256("\n".join(resources).encode()).hexdigest()[:16]
    return user_folder() / f"{digest}.lock"


def guard_file(description: Any) -> Path:
    """The file that a guard of this bench holds for as long as it lives."""
    return lock_file(description).with_suffix(".guard")


class BenchLock:
    """Holds a bench for this process; BenchFailure when another controller, or its guard, has it."""

    def __init__(self, description: Any) -> None:
        path = lock_file(description)
        file: IO[str] = path.open("a+", encoding="utf-8")
        try:
            hold(file)
        except OSError:
            file.close()
            raise BenchFailure(f"another program runs the bench {description.name} (process "
                               f"{path.read_text('utf-8').strip()}); stop it first, or make all safe with "
                               "'maserbench safe'") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        if not _free(guard_file(description), _GUARD_PATIENCE):
            self.close()
            raise BenchFailure(f"the guard of the last program on the bench {description.name} is still "
                               "making it safe; see what does not answer with 'maserbench check'")

    def close(self) -> None:
        """Give the bench free."""
        self._file.close()


def ask_controller(description: Any) -> bool:
    """Ask a controller that holds the bench to stop and wait for it a little; False where there is none."""
    path = lock_file(description)
    if os.name == "nt" or not held(path):  # Windows has no signal that a program could take as a request
        return False
    try:
        os.kill(int(path.read_text("utf-8")), signal.SIGINT)
    except (ValueError, OSError):
        return False
    _free(path, _PATIENCE)
    return True


def _free(path: Path, patience: float) -> bool:
    """Whether nobody holds the file any more, after waiting at most `patience` [s] for that."""
    end = time.monotonic() + patience
    while (taken := held(path)) and time.monotonic() < end:
        time.sleep(_GLANCE)
    return not taken
