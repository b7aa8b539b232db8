"""What people say about a run: who ran it, on which sample, tags and notes, at its start and later.

What is said at the start stands in the manifest, which is never changed; what is said later is added to
notes.jsonl in the run's folder, a line each, also while the run goes on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .event_log import append_line, moment, read_lines

NOTES = "notes.jsonl"
_TAG = re.compile(r"[^\s,;\"']{1,60}")
_SAMPLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")


def check_tags(tags: Sequence[str]) -> None:
    """ValueError for a tag that could not be typed on a command line as it is."""
    for tag in tags:
        if not isinstance(tag, str) or not _TAG.fullmatch(tag):
            raise ValueError(f"tag: expected one word without commas and quotes, found {tag!r}")


@dataclass(frozen=True)
class Remarks:
    """What a manifest says about who and what; all may be empty. ValueError for what cannot be a name."""

    operator: str = ""
    sample: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if "\n" in self.operator or len(self.operator) > 100:
            raise ValueError(f"operator: expected a name on one line, found {self.operator!r}")
        if self.sample and not _SAMPLE.fullmatch(self.sample):
            raise ValueError(f"sample: expected letters, digits, '-', '_' and '.', found {self.sample!r}")
        check_tags(self.tags)

    def as_manifest(self) -> dict[str, Any]:
        """What there is, for manifest.toml."""
        rows = {"operator": self.operator, "sample": self.sample, "tags": list(self.tags), "note": self.note}
        return {name: value for name, value in rows.items() if value}

    def going_on(self, manifest: Mapping[str, Any]) -> Remarks:
        """The same; who and what is as an earlier run's manifest has it where nothing was said."""
        return replace(self, operator=self.operator or str(manifest.get("operator", "")),
                       sample=self.sample or str(manifest.get("sample", "")),
                       tags=self.tags or tuple(manifest.get("tags", ())))


NOTHING_SAID = Remarks()


@dataclass(frozen=True)
class Note:
    """Something said about a run after its start, and when (UTC, ISO 8601)."""

    moment: str
    text: str
    tags: tuple[str, ...] = ()


def add_note(folder: Path, text: str, tags: Sequence[str] = ()) -> Note:
    """Add a line to the run's notes; ValueError where it says nothing."""
    check_tags(tags)
    if not text.strip() and not tags:
        raise ValueError("the note is empty; expected a text, or a tag")
    note = Note(moment(), text.strip(), tuple(dict.fromkeys(tags)))
    append_line(folder / NOTES, {"moment": note.moment, "text": note.text, "tags": list(note.tags)})
    return note


def read_notes(folder: Path) -> list[Note]:
    """The notes in their order; a line that is none is left out."""
    found = []
    for row in read_lines(folder / NOTES):
        try:
            found.append(Note(str(row["moment"]), str(row["text"]), tuple(map(str, row["tags"]))))
        except (TypeError, KeyError):
            continue
    return found
