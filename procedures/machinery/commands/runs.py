"""`maserbench runs` and `note`: what lies in a folder of runs, and something more about one of them."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from procedures.machinery.lab_book.run_index import find_runs
from procedures.machinery.storage.run_notes import add_note
from procedures.machinery.storage.run_record import RunRecord, read_record

from .table import print_table

_NAMES_SHOWN = 3


def runs(folder: Path, json: bool, **wanted: Any) -> None:
    """Print the runs for which everything wanted holds."""
    found = find_runs(folder, **wanted)
    if json:
        print(json_text.dumps({"verdict": "OK", "runs": [record.as_json() for record in found]}, indent=1))
        return
    columns = ("run", "state", "shots", "origin", "sample", "operator", "tags", "notes and answers")
    print_table(columns, [_row(record) for record in found])
    broken = sum(record.state == "broken" for record in found)
    print(f"{len(found)} run{'s' * (len(found) != 1)}" + (f", {broken} of them broken" if broken else ""))


def _row(record: RunRecord) -> Sequence[str]:
    said = [record.problem] if record.problem else [*record.notes, *_answers(record.result.items())]
    return (record.name, record.state, str(record.shots), record.origin, record.sample, record.operator,
            ", ".join(record.tags), "; ".join(said))


def _answers(result: Iterable[tuple[str, Any]]) -> list[str]:
    """The first answers of a run, with their units."""
    from procedures.machinery.records.answers import UNITS
    from twin.quantity import show

    numbers = [f"{name} {show(value, UNITS.get(name, ''), 6)}" for name, value in result
               if isinstance(value, float) and not name.endswith("_sigma")]
    return numbers[:_NAMES_SHOWN]


def note(run: Path, text: str, tags: Sequence[str]) -> None:
    """Add a note or tags to a run, at any time."""
    if not run.is_dir() or read_record(run) is None:
        raise FileNotFoundError(f"there is no run at {run}; a run is the folder that 'run PATH' names")
    add_note(run, text, tags)
    record = read_record(run)
    assert record is not None
    print(f"{record.name}: {len(record.notes)} notes, tags: {', '.join(record.tags) or 'none'}")
