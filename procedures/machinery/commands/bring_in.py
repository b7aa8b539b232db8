"""`maserbench import`: bursts that others recorded, as a run of this suite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from procedures.machinery.apparatus.opening import describe_bench
from procedures.machinery.fitting.recorded_burst import recorded_shot
from procedures.machinery.lab_book.before import look_up
from procedures.machinery.records import events
from procedures.machinery.records.shot import Origin, Shot
from procedures.machinery.storage import provenance
from procedures.machinery.storage.run_folder import RunFolder, moment
from procedures.machinery.storage.run_notes import NOTHING_SAID, Remarks
from procedures.machinery.storage.store_block import Channel, Layout
from twin.bench_description import BenchDescription, without_truth

PROCEDURE = "import"


def bring_in(files: Sequence[Path], bench: str, output: Path, remarks: Remarks = NOTHING_SAID) -> None:
    """Store the bursts as the shots of a new run, in their order; ValueError before anything is written."""
    description = describe_bench(bench)
    look_up(output, remarks, description, {})
    shots = [recorded_shot(description, file, number) for number, file in enumerate(files)]
    _check(shots, files)
    folder = RunFolder(output, PROCEDURE)
    try:
        _store(folder, description, shots, files, remarks)
    finally:
        folder.close()
    print(f"{len(shots)} bursts stored; fit them with: maserbench fit {folder.path}")
    print(f"run {folder.path}")


def _check(shots: Sequence[Shot], files: Sequence[Path]) -> None:
    """ValueError names the first file that does not hold what the others do; lengths may differ."""
    for shot, file in zip(shots, files, strict=True):
        if set(shot.waveforms) != set(shots[0].waveforms):
            raise ValueError(f"{file} holds {_told(shot)}, but {files[0]} {_told(shots[0])}; import records "
                             "of one kind together")


def _told(shot: Shot) -> str:
    return " and ".join(shot.waveforms)


def _layout(shot: Shot) -> Layout:
    waveforms = {name: Channel(len(waveform), name, 16) for name, waveform in shot.waveforms.items()}
    return Layout(waveforms, {}, ())


def _store(folder: RunFolder, bench: BenchDescription, shots: Sequence[Shot], files: Sequence[Path],
           remarks: Remarks) -> None:
    settings = {"files": [str(file) for file in files]}
    folder.write_manifest(provenance.manifest(
        folder.path.name, PROCEDURE, moment(), None, Origin.REAL, settings, bench.name,
        without_truth(bench.text), {}, remarks))
    folder.note(events.RunStarted(folder.path, PROCEDURE, settings, Origin.REAL, len(shots)))
    folder.start_store(_layout(shots[0]), {"identities": {}, "settings": {}})
    for shot, file in zip(shots, files, strict=True):
        folder.expect(_layout(shot))
        folder.append(replace(shot, moment=moment()))
        known = "" if math.isnan(shot.energy) else f", pulse of {shot.energy:.4g} J on its photodiode"
        folder.note(events.Notice(f"shot {shot.number} is {file}{known}"))
    result = {"shots": len(shots)}
    folder.finish(result)
    folder.note(events.RunEnded(folder.path, "finished", "", result, len(shots)))
