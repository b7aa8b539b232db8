"""`maserbench import`: bursts that others recorded, as a run of this suite."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from procedures.machinery import events, provenance
from procedures.machinery.lab_book import look_up
from procedures.machinery.opening import describe_bench
from procedures.machinery.recorded_burst import recorded_shot
from procedures.machinery.run_folder import RunFolder, moment
from procedures.machinery.run_notes import NOTHING_SAID, Remarks
from procedures.machinery.shot import Origin, Shot
from procedures.machinery.store import Channel, Layout
from twin.bench_description import BenchDescription, without_truth

PROCEDURE = "import"


def bring_in(files: Sequence[Path], bench: str, output: Path, remarks: Remarks = NOTHING_SAID) -> None:
    """Store the bursts as the shots of a new run, in their order; ValueError before anything is written."""
    description = describe_bench(bench)
    look_up(output, remarks, description, {})
    shots = [recorded_shot(description, file, number) for number, file in enumerate(files)]
    layout = _layout(shots, files)
    folder = RunFolder(output, PROCEDURE)
    try:
        _store(folder, description, shots, layout, files, remarks)
    finally:
        folder.close()
    print(f"{len(shots)} bursts stored; fit them with: maserbench fit {folder.path}")
    print(f"run {folder.path}")


def _layout(shots: Sequence[Shot], files: Sequence[Path]) -> Layout:
    """What all the files hold alike; ValueError names the first that differs."""
    first = _shape(shots[0])
    for shot, file in zip(shots, files, strict=True):
        if _shape(shot) != first:
            raise ValueError(f"{file}: records {_told(_shape(shot))}, but {files[0]} {_told(first)}; "
                             "import records of one kind together")
    return Layout({name: Channel(points, name, 16) for name, points in first.items()}, {}, ())


def _shape(shot: Shot) -> dict[str, int]:
    return {name: len(waveform) for name, waveform in shot.waveforms.items()}


def _told(shape: Mapping[str, int]) -> str:
    return " and ".join(f"{points} samples of {name}" for name, points in shape.items())


def _store(folder: RunFolder, bench: BenchDescription, shots: Sequence[Shot], layout: Layout,
           files: Sequence[Path], remarks: Remarks) -> None:
    settings = {"files": [str(file) for file in files]}
    folder.write_manifest(provenance.manifest(
        folder.path.name, PROCEDURE, moment(), None, Origin.REAL, settings, bench.name,
        without_truth(bench.text), {}, remarks))
    folder.note(events.RunStarted(folder.path, PROCEDURE, settings, Origin.REAL, len(shots)))
    folder.start_store(layout, {"identities": {}, "settings": {}})
    for shot, file in zip(shots, files, strict=True):
        folder.append(replace(shot, moment=moment()))
        known = "" if math.isnan(shot.energy) else f", pulse of {shot.energy:.4g} J on its photodiode"
        folder.note(events.Notice(f"shot {shot.number} is {file}{known}"))
    result = {"shots": len(shots)}
    folder.finish(result)
    folder.note(events.RunEnded(folder.path, "finished", "", result, len(shots)))
