"""Whether files and folders can be written where a person wants them: asked before any work is done for them.

Makes nothing. What changes in between, such as a disk that fills up, is told when it happens.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..records.failures import WrongUse


def for_file(path: Path, option: str = "--output") -> Path:
    """`path`, where a file may be written; WrongUse otherwise."""
    folder = path.absolute().parent
    if path.is_dir():
        raise WrongUse(f"{option} {path}: this is a folder, and a file is wanted; name another one")
    if not folder.is_dir():
        raise WrongUse(f"{option} {path}: there is no folder {folder}; make it first, or name another place")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise WrongUse(f"{option} {path}: it may not be written; change its rights, or name another place")
    return path


def for_folder(path: Path, option: str = "--output") -> Path:
    """`path`, in which folders may be made, and which is made itself if need be; WrongUse otherwise."""
    there = next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
    if not there.is_dir():
        raise WrongUse(f"{option} {path}: {there} is a file, and a folder is wanted; name another one")
    if not os.access(there, os.W_OK | os.X_OK):
        raise WrongUse(f"{option} {path}: nothing may be written in {there}; change its rights, or name "
                       "another folder")
    return path
