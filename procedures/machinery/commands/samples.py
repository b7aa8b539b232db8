"""`maserbench samples`: the crystals, and the light that all their runs have given them."""

from __future__ import annotations

import dataclasses
import json as json_text
from collections.abc import Sequence
from pathlib import Path

from procedures.machinery.lab_book.run_index import records
from procedures.machinery.lab_book.samples import FILE, History, histories
from twin.quantity import show

from .table import print_table


def samples(folder: Path, json: bool) -> None:
    """Print every sample that samples.toml describes or a run names."""
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; samples stand in {FILE} in the folder of runs")
    found = histories(folder)
    if json:
        rows = [{**dataclasses.asdict(h.sample), "described": h.described, "runs": h.runs, "shots": h.shots,
                 "dose": h.dose} for h in found]
        print(json_text.dumps({"verdict": "OK", "samples": rows}, indent=1))
        return
    columns = ("sample", "doping", "size", "runs", "shots", "dose", "of it before", "notes")
    print_table(columns, [_row(history) for history in found])
    if broken := sum(record.state == "broken" for record in records(folder)):
        print(f"note: what {broken} broken runs brought, and to which sample, is not known")
    print(f"{len(found)} samples; a dose is the sum of pulse energies, those before the first run included")


def _row(history: History) -> Sequence[str]:
    s = history.sample
    notes = s.notes if history.described else f"not described in {FILE}"
    doping = "" if s.doping is None else f"{100.0 * s.doping:g} %"
    return (s.name, doping, " x ".join(show(d, "m") for d in s.size), str(history.runs), str(history.shots),
            show(history.dose, "J"), show(s.dose_before, "J") if s.dose_before else "", notes)
