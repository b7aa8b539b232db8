"""Samples: crystals, described in `samples.toml` beside the runs, with the dose summed over their runs.

    [PTP-7]
    doping = "0.1%"                     # pentacene per molecule of the host
    size = ["4mm", "4mm", "8mm"]
    dose_before = "1.5J"                # light it had elsewhere: pulse energies, as the runs count them
    notes = "grown in March, one crack at the lower end"

The file says what no run knows. What runs know, the dose, is read from them each time it is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twin.bench_description import BenchDescription
from twin.bench_reader import BenchReader
from twin.quantity import Quantity, nearest, show

from ..storage.run_record import RunRecord
from ..storage.store import open_store
from .memo import Memo, signature
from .run_index import records

FILE, DOSES = "samples.toml", ".doses.json"
_RAW = ("shots.h5",)
_KEYS = ("doping", "size", "dose_before", "notes")
_DOPING, _LENGTH = Quantity("", 0.0, 1.0), Quantity("m", 0.0, 1.0)
_DOSE = Quantity("J", 0.0, 1e12)


@dataclass(frozen=True)
class Sample:
    """A crystal as samples.toml describes it: doping [pentacene per host molecule], size [m], dose [J] that
    it had before its first run here. None where the file does not say."""

    name: str
    doping: float | None = None
    size: tuple[float, ...] = ()
    dose_before: float = 0.0
    notes: str = ""


@dataclass(frozen=True)
class History:
    """A sample and what its runs have done to it: how many runs and shots, and all its light [J] so far."""

    sample: Sample
    described: bool
    runs: int
    shots: int
    dose: float


def read_samples(folder: Path) -> dict[str, Sample]:
    """The samples by id; {} without a file. BenchFileError (a ValueError) with the line that is wrong."""
    file = folder / FILE
    if not file.is_file():
        return {}
    try:
        reader = BenchReader(file.read_text("utf-8"), str(file))
    except UnicodeDecodeError as broken:
        raise ValueError(f"{file} is not UTF-8 text: {broken}") from None
    return {name: _sample(reader, name) for name in reader.tables}


def _sample(reader: BenchReader, name: str) -> Sample:
    table = reader.table((name,))
    reader.known((name,), table, _KEYS)
    notes, size = table.get("notes", ""), table.get("size", [])
    if not isinstance(notes, str):
        raise reader.wrong(f"notes: expected text, found {notes!r}", (name, "notes"))
    if not isinstance(size, list) or len(size) > 3:
        raise reader.wrong(f"size: expected up to three lengths as ['4mm', '4mm', '8mm'], found {size!r}",
                           (name, "size"))
    doping = reader.number((name, "doping"), table["doping"], _DOPING) if "doping" in table else None
    return Sample(name, doping, tuple(reader.number((name, "size"), each, _LENGTH) for each in size),
                  reader.number((name, "dose_before"), table.get("dose_before", 0.0), _DOSE), notes)


def histories(folder: Path) -> list[History]:
    """Every sample that samples.toml describes or a run names, in the order of their names."""
    described, found = read_samples(folder), records(folder)
    used = {record.sample for record in found} - {""}
    doses = _doses(folder, [record for record in found if record.sample])
    return [_history(described, name, found, doses) for name in sorted(used | set(described))]


def history(folder: Path, name: str) -> History:
    """One sample's history; ValueError for one that samples.toml, where there is one, does not describe."""
    described = read_samples(folder)
    if described and name not in described:
        raise ValueError(f"sample: {nearest(name, described)}; a new one needs a table [{name}] in "
                         f"{folder / FILE}")
    known = [each for each in (histories(folder) if folder.is_dir() else []) if each.sample.name == name]
    return known[0] if known else History(Sample(name), False, 0, 0, 0.0)


def _history(described: Mapping[str, Sample], name: str, found: list[RunRecord],
             doses: Mapping[str, float]) -> History:
    own = [record for record in found if record.sample == name]
    once = {record.run: record for record in sorted(own, key=lambda record: doses[record.name])}
    sample = described.get(name, Sample(name))
    return History(sample, name in described, len(once), sum(record.shots for record in once.values()),
                   sample.dose_before + sum(doses[record.name] for record in once.values()))


def _doses(folder: Path, found: list[RunRecord]) -> dict[str, float]:
    """Dose [J] of each run by its folder's name."""
    memo, doses = Memo(folder / DOSES, 1), dict[str, float]()
    for record in found:
        now = signature(str(record.path), _RAW)
        kept = memo.recall(record.name, now)
        doses[record.name] = dose_of(record.path) if kept is None else float(kept)
        if kept is None and record.state != "running":
            memo.keep(record.name, now, doses[record.name])
    memo.save()
    return doses


def dose_of(run: Path) -> float:
    """All pulse energies [J] that a run's stored shots brought to the crystal.

    As the photodiode saw them; where it saw none, as the Q-switch delay had it, so that a photodiode that
    has come loose hides no dose (a misfire is then counted as a shot). Dark records bring none.
    """
    stored = open_store(run / "shots.h5")
    if stored is None:
        return 0.0
    try:
        columns = stored.scalars(range(len(stored)))
    finally:
        stored.close()
    seen, asked = columns["energy"], columns.get("pump.energy", np.zeros(0))
    return float(np.nansum(np.where(np.isfinite(seen), seen, asked if len(asked) else np.nan)))


def check_dose(bench: BenchDescription, before: History, shots: int, energy: float) -> str:
    """The dose after a run of at most `shots` pulses of at most `energy` [J], in words; ValueError above the
    bench's crystal_dose [J/m2], which is over the pumped area and counts what reaches the crystal."""
    per_joule = bench.pump.efficiency / bench.pump.area
    after = per_joule * (before.dose + shots * energy)
    limit = bench.limits.get("crystal_dose", (0.0, math.inf))[1]
    told = (f"sample {before.sample.name} had {show(before.dose, 'J')} in {before.runs} runs; with up to "
            f"{show(shots * energy, 'J')} more it has at most {show(1e-4 * after, 'J/cm2')}")
    if after > limit:
        raise ValueError(f"{told}, above this bench's limit of {show(1e-4 * limit, 'J/cm2')} ([limits] "
                         f"crystal_dose); take fewer or weaker shots, or another sample")
    return told
