"""A run at a glance: who, what, when, how it ended and what it answered, without its shots.

Reads the small files of one run folder; opens shots.h5 only where no line says how many shots there are.
"""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from .event_log import last_end
from .file_lock import held
from .formats import refusal
from .run_notes import NOTES, read_notes

FILES = ("manifest.toml", "events.jsonl", "result.json", NOTES, "shots.h5")
"""What a record is read from."""

_SIGNS = (*FILES[:2], "shots.h5", "run.csv")
"""A folder that holds none of these is no run."""

_NAME = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-(\w+)-[0-9a-f]{4}")


@dataclass(frozen=True)
class RunRecord:
    """One run folder. `state`: "finished", "aborted", "running", "killed", or "broken" with the `problem`.

    `run` is the name it was given when it was made, which a copy keeps; `started` is UTC in ISO 8601;
    `settings` are SI; `tags` and `notes` are the manifest's and later ones.
    """

    path: Path
    run: str = ""
    procedure: str = ""
    started: str = ""
    state: str = "broken"
    shots: int = 0
    origin: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    sample: str = ""
    operator: str = ""
    notes: tuple[str, ...] = ()
    result: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    def as_json(self) -> dict[str, Any]:
        """Plain values; `path` as text."""
        row = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return row | {"path": str(self.path), "tags": list(self.tags), "notes": list(self.notes)}

    @classmethod
    def from_json(cls, path: Path, row: Mapping[str, Any]) -> RunRecord:
        """The record behind `as_json`, at the path where its folder lies now."""
        lists = {"tags": tuple(row["tags"]), "notes": tuple(row["notes"])}
        return cls(**{**row, **lists, "path": path})


def read_record(folder: Path) -> RunRecord | None:
    """What a folder says of itself; None for one that is no run. Never raises for what is in it."""
    if not any((folder / name).exists() for name in _SIGNS):
        return None
    try:
        record = _record(folder)
        if datetime.fromisoformat(record.started).tzinfo is None:
            raise ValueError(f"manifest.toml cannot be read: started = {record.started!r} has no time zone")
        json.dumps(record.as_json())  # plain values all through, or it is no run of ours
        return record
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as wrong:
        return _broken(folder, wrong)


def _record(folder: Path) -> RunRecord:
    made = _manifest(folder / "manifest.toml")
    if (problem := refusal(made)) is not None:
        raise ValueError(problem)
    end = last_end(folder)
    notes = read_notes(folder)
    texts = [text for text in (str(made.get("note", "")), *(note.text for note in notes)) if text]
    tags = [*made.get("tags", ()), *(tag for note in notes for tag in note.tags)]
    result = folder / "result.json"
    return RunRecord(
        folder, str(made["run"]), str(made["procedure"]), str(made["started"]), _state(folder, end),
        _shots(folder, end), str(made["origin"]), made["settings"], tuple(map(str, dict.fromkeys(tags))),
        str(made.get("sample", "")), str(made.get("operator", "")), tuple(texts),
        _result(result) if result.is_file() else {})


def _broken(folder: Path, wrong: Exception) -> RunRecord:
    """What the folder's name still tells; a run whose program lives is only about to begin."""
    name = _NAME.fullmatch(folder.name)
    started = "{}-{}-{}T{}:{}:{}Z".format(*name.groups()[:6]) if name else ""
    procedure = name[7] if name else ""
    if isinstance(wrong, FileNotFoundError) and held(folder / "events.jsonl"):
        return RunRecord(folder, folder.name, procedure, started, "running")
    problem = str(wrong)
    if isinstance(wrong, FileNotFoundError):
        problem = "it holds no manifest.toml: the run ended before it began"
    elif not problem.startswith(("manifest.toml", "result.json", "it needs")):
        problem = f"{type(wrong).__name__}: {problem}"
    return RunRecord(folder, folder.name, procedure, started, "broken", problem=problem)


def _manifest(file: Path) -> dict[str, Any]:
    """The manifest down to its settings where that is enough: the bench file below them is long to read."""
    text = file.read_text("utf-8")
    head, found, _ = text.partition("\n[versions]\n")
    try:
        if found and text.rstrip().endswith(("'", '"')):  # whole: it ends with the bench file's text
            return _checked(tomllib.loads(head))
    except ValueError:
        pass
    try:
        return _checked(tomllib.loads(text))
    except ValueError as wrong:
        raise ValueError(f"manifest.toml cannot be read: {wrong}") from None


def _checked(made: dict[str, Any]) -> dict[str, Any]:
    if refusal(made) is None and not isinstance(made.get("settings"), dict):
        raise ValueError("it has no table [settings]")
    return made


def _result(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text("utf-8")))
    except (ValueError, TypeError) as wrong:
        raise ValueError(f"result.json cannot be read: {wrong}") from None


def _state(folder: Path, end: dict[str, Any]) -> str:
    if end:
        return str(end["state"])
    return "running" if held(folder / "events.jsonl") else "killed"


def _shots(folder: Path, end: dict[str, Any]) -> int:
    """How many shots are stored; from the raw file where no end was written, or none that says it."""
    if isinstance(end.get("shots"), int):
        return int(end["shots"])
    from .store import open_store

    stored = open_store(folder / "shots.h5")
    if stored is None:
        return 0
    try:
        return len(stored)
    finally:
        stored.close()
