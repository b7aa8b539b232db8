"""`maserbench calibrate` and `calibrations`: dated values from runs, and what the bench file says of them."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Any

from procedures.machinery.apparatus.bench import describe_bench
from procedures.machinery.lab_book.calibrated import CALIBRATED
from procedures.machinery.lab_book.calibrations import FOLDER, Standing, read_all, read_validity, standings
from procedures.machinery.lab_book.calibrations import calibrate as make
from procedures.machinery.storage.run_record import read_record
from procedures.machinery.storage.runs import open_run
from twin.bench_description import BenchDescription, parse
from twin.quantity import show

from .table import print_table


def calibrate(run: Path, valid: str, note: str) -> None:
    """Store a run's answers as a calibration, and say what it means for the bench file."""
    with open_run(run) as opened:
        bench = parse(opened.bench_text, f"the bench file of {opened.path.name}")
        record = read_record(opened.path)
    assert record is not None
    made = make(record, read_validity(valid), note)
    _print([row for row in standings([made])], {made.id: bench})
    print(f"calibration {made.id}")


def calibrations(folder: Path, bench: str | None, json: bool) -> None:
    """List all, each beside the bench file named, or else the one that its run used."""
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; calibrations lie in {FOLDER}/ beside the runs")
    found, problems = read_all(folder)
    one = describe_bench(bench) if bench is not None else None
    benches = {each.id: one or _bench_of(folder / each.run) for each in found}
    rows = standings(found)
    if json:
        told = [_as_json(row, benches[row.calibration.id]) for row in rows]
        print(json_text.dumps({"verdict": "; ".join(problems) or "OK", "calibrations": told}, indent=1))
        return
    _print(rows, benches)
    for problem in problems:
        print(f"note: {problem}")
    against = f"the bench file {bench}" if bench else "the bench file that each run used"
    print(f"{len(found)} calibrations; compared with {against}")


def _bench_of(run: Path) -> BenchDescription | None:
    """The bench file that a run holds; None where the run lies here no more, or another program reads it."""
    try:
        with open_run(run) as opened:
            return parse(opened.bench_text, f"the bench file of {run.name}")
    except (OSError, ValueError):
        return None


def _print(rows: list[Standing], benches: dict[str, BenchDescription | None] | dict[str, BenchDescription]
           ) -> None:
    columns = ("calibration", "quantity", "value", "valid until", "state", "bench key", "declared", "away",
               "origin", "note")
    print_table(columns, [_row(row, benches[row.calibration.id]) for row in rows])


def _row(row: Standing, bench: BenchDescription | None) -> tuple[str, ...]:
    from procedures.machinery.records.answers import UNITS

    declared = CALIBRATED[row.name].declared(bench) if bench is not None else None
    away = row.deviation(bench) if bench is not None else None
    made = row.calibration
    return (made.id, row.name, row.shown(), f"{made.valid_until:%Y-%m-%d %H:%M}", row.state,
            CALIBRATED[row.name].key, "" if declared is None else show(declared, UNITS.get(row.name, ""), 7),
            "" if away is None else f"{away:+.1f} sigma", made.origin.value, made.note)


def _as_json(row: Standing, bench: BenchDescription | None) -> dict[str, Any]:
    made = row.calibration
    return {"id": made.id, "run": made.run, "procedure": made.procedure, "origin": made.origin.value,
            "taken": made.taken.isoformat(), "valid_until": made.valid_until.isoformat(), "note": made.note,
            "quantity": row.name, "value": row.value, "sigma": row.sigma, "state": row.state,
            "bench_key": CALIBRATED[row.name].key,
            "declared": CALIBRATED[row.name].declared(bench) if bench is not None else None,
            "deviation": row.deviation(bench) if bench is not None else None}
