"""All runs of a folder, found by who, what, when and by what they measured.

    from procedures import find_runs
    for found in find_runs("runs", procedure="pump_threshold", where=["threshold_energy<50uJ"]):
        print(found.started, found.shots, found.path)

Reads every run's own small files; what they said last time is kept in `.index.json` (see memo.py), which may
be deleted at any time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..storage.run_record import FILES, RunRecord, read_record
from .memo import Memo, signature
from .run_filter import Condition, Span, check_known, says

INDEX = ".index.json"
_VERSION = 1
STATES = ("finished", "aborted", "running", "killed", "broken")


def find_runs(folder: str | Path = "runs", *, procedure: str | None = None, since: str | None = None,
              until: str | None = None, tag: str | None = None, sample: str | None = None,
              operator: str | None = None, state: str | None = None, where: Sequence[str] = (),
              text: str = "") -> list[RunRecord]:
    """The runs in a folder for which everything given holds, oldest first; broken ones are among them.

    `since` and `until`: ISO dates or moments (UTC; the whole day `until` counts), or an age as "7d". `where`:
    comparisons of a setting or an answer, such as "pump_energy>1mJ" or "result.loaded_quality<8400". `text`:
    words that all stand in notes, tags, names. FileNotFoundError without the folder, ValueError for what
    cannot be read or is known to no run.
    """
    from twin.quantity import nearest

    if state is not None and state not in STATES:
        raise ValueError(f"state: {nearest(state, STATES)}")
    conditions, span = [Condition.read(each) for each in where], Span.read(since, until)
    found = records(folder)
    check_known(found, conditions)
    for name, wanted in (("procedure", procedure), ("sample", sample), ("operator", operator)):
        if wanted is not None:
            _known(name, wanted, {str(getattr(record, name)) for record in found})
    if tag is not None:
        _known("tag", tag, {each for record in found for each in record.tags})
    return [record for record in found
            if procedure in (None, record.procedure) and sample in (None, record.sample)
            and operator in (None, record.operator) and state in (None, record.state)
            and (tag is None or tag in record.tags) and span.holds(record)
            and says(record, text) and all(condition.holds(record) for condition in conditions)]


def _known(name: str, wanted: str, known: set[str]) -> None:
    """Refuse a name that no run has, while runs have others: it is misspelt more often than absent."""
    from twin.quantity import nearest

    if known - {""} and wanted not in known:
        raise ValueError(f"{name}: {nearest(wanted, known - {''})}")


def records(folder: str | Path = "runs") -> list[RunRecord]:
    """One record for each run in a folder, oldest first."""
    parent = Path(folder)
    if not parent.is_dir():
        raise FileNotFoundError(f"there is no folder {parent}; runs lie in the folder that --output names")
    memo = Memo(parent / INDEX, _VERSION)
    found = list(_all(parent.resolve(), memo))
    memo.save()
    return sorted(found, key=lambda record: (record.started, record.name))


def _all(parent: Path, memo: Memo) -> Iterator[RunRecord]:
    with os.scandir(parent) as entries:
        names = [entry.name for entry in entries if entry.is_dir()]
    for name in names:
        now = signature(f"{parent}/{name}", FILES)  # before reading: what changes meanwhile is read again
        record = _recalled(parent / name, memo.recall(name, now))
        if record is None:
            record = read_record(parent / name)
            if record is not None and record.state != "running":
                memo.keep(name, now, record.as_json())
        if record is not None:
            yield record


def _recalled(path: Path, kept: Any) -> RunRecord | None:
    """What the index holds of a run; None where that is nothing, or no record."""
    try:
        return None if kept is None else RunRecord.from_json(path, kept)
    except (TypeError, KeyError, AttributeError):
        return None
