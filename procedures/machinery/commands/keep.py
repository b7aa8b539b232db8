"""`maserbench export` and `recover`: a run for other programs, and what is left of a killed one."""

from __future__ import annotations

import shutil
from pathlib import Path

from procedures.machinery.storage.export import to_csv, to_netcdf
from procedures.machinery.storage.igor import to_igor
from procedures.machinery.storage.places import for_file
from procedures.machinery.storage.run_notes import NOTES
from procedures.machinery.storage.runs import open_run
from procedures.machinery.storage.store import StoredShots, StoreWriter
from twin.quantity import nearest

_FORMATS = {"netcdf": (to_netcdf, ".nc"), "csv": (to_csv, ".csv"), "igor": (to_igor, ".itx")}


def export(run: Path, format: str, output: Path | None) -> None:
    """Write the run as one file, by default in the working folder under the run's name."""
    if format not in _FORMATS:
        raise ValueError(f"--format: {nearest(format, _FORMATS)}")
    write, suffix = _FORMATS[format]
    with open_run(run) as opened:
        if not len(opened.shots):
            raise ValueError(f"run {run} holds no shots to export")
        file = for_file(output or Path(opened.path.name + suffix))
        write(opened, file)
    print(f"wrote {file}")


def recover(run: Path) -> None:
    """Copy the run's committed shots and whole lines into RUN-recovered; RUN itself is never touched."""
    with open_run(run) as opened:
        if opened.state == "running":
            raise ValueError(f"{run} is still running; recover it when it has ended")
        target = opened.path.with_name(opened.path.name + "-recovered")
        target.mkdir()
        for file in ("manifest.toml", "run.csv", "result.json"):
            if (opened.path / file).is_file():
                shutil.copy2(opened.path / file, target / file)
        for file in ("fits.jsonl", "events.jsonl", NOTES):
            _whole_lines(opened.path / file, target / file)
        count = _copy_shots(opened.stored, target / "shots.h5")
    print(f"recovered {count} shots")
    print(f"run {target}")


def _copy_shots(stored: StoredShots | None, target: Path) -> int:
    if stored is None:
        return 0
    writer = StoreWriter(target, stored.layout(), stored.snapshot())
    try:
        for shot in stored:
            writer.expect(stored.layout(shot.number))
            writer.append(shot)
    finally:
        writer.close()
    return writer.committed


def _whole_lines(source: Path, target: Path) -> None:
    if source.is_file():
        whole, newline, _ = source.read_text("utf-8").rpartition("\n")
        target.write_text(whole + newline, "utf-8")
