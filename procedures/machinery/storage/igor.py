"""A run for Igor Pro: a text file (.itx) of waves with units, x scaling and a note of where they are from.

Format: WaveMetrics, Igor Reference, "Igor Text File Format". A channel is one wave of time by shot, or a wave
for each shot where their times differ; what is one number per shot is a wave over the shots.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from .export import UNITS, fit_columns
from .runs import Run
from .store import StoredShots

LONGEST = 31  # characters of a name that every Igor takes
PREFIX = "m_"  # no function, operation or constant of Igor begins like this
_TRACES = {"frequency": "Hz", "reflected_power": "dBm"}
_PLAIN = {"energy": "J", "start": "s", "pump.energy": "J", "energy.last_energy": "J",
          "cavity.frequency": "Hz", "cavity.frequency_sigma": "Hz"}


@dataclass(frozen=True)
class Axis:
    """Even steps along a wave's rows: first value, step, unit."""

    start: float = 0.0
    step: float = 1.0
    unit: str = ""


class Names:
    """Wave names by one rule: `m_` and the name, what is no letter or digit as `_`; one that is too long, or
    taken (Igor ignores case), ends in four digits of its checksum."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, name: str) -> str:
        """The name of a new wave."""
        found = PREFIX + re.sub(r"[^A-Za-z0-9_]", "_", name)
        if len(found) > LONGEST or found.lower() in self._taken:
            found = f"{found[:LONGEST - 5]}_{zlib.crc32(name.encode()) & 0xFFFF:04x}"
        while found.lower() in self._taken:  # nobody has seen this happen
            found = f"{found[:LONGEST - 5]}_{zlib.crc32(found.encode()) & 0xFFFF:04x}"
        self._taken.add(found.lower())
        return found


def to_igor(run: Run, file: Path) -> None:
    """Waveforms as volts, traces, and a wave of each setting and fitted value. ValueError without shots."""
    stored = run.stored
    if stored is None or not len(stored):
        raise ValueError(f"run {run.path.name} holds no shots to export")
    names = Names()
    told = f"run {run.path.name}, {run.procedure}, {run.manifest['origin'].upper()} data"
    with file.open("w", encoding="ascii", newline="\r\n") as f:
        f.write("IGOR\n")
        for channel in stored.layout().waveforms:
            _write_channel(f, names, stored, channel, told)
        numbers = range(len(stored))
        for name in stored.layout().traces:
            table = np.array([stored[i].traces[name] for i in numbers]).T
            _write(f, names.of(name), table, Axis(), _TRACES.get(name, ""), f"{told}, trace {name}")
        for name, (values, unit) in _scalars(run, stored).items():
            _write(f, names.of(name), values[:, None], Axis(), unit, f"{told}, {name} of each shot")
        verdicts = [shot.fit.verdict.name if shot.fit else "" for shot in run.shots]
        _write_text(f, names.of("verdict"), verdicts)


def _write_channel(f: IO[str], names: Names, stored: StoredShots, channel: str, told: str) -> None:
    """Volts of all shots of one channel."""
    volts, axes = stored.volts(channel, range(len(stored)))
    together = bool(np.all(axes[:, 2:] == axes[0, 2:]))
    for shots in [range(len(axes))] if together else [[i] for i in range(len(axes))]:
        name = channel if together else f"{channel}_{shots[0]}"
        points = stored.points(channel, shots)
        axis = Axis(float(axes[shots[0], 2]), float(axes[shots[0], 3]), "s")
        _write(f, names.of(name), volts[shots, :points].T, axis, "V",
               f"{told}, channel {channel}, time from the trigger; columns are shots")


def _scalars(run: Run, stored: StoredShots) -> dict[str, tuple[np.ndarray, str]]:
    """{name: (values (shots,), SI unit)}: settings read back, energies, fitted values."""
    found = {name: (column, _unit(name, stored)) for name, column in
             stored.scalars(range(len(stored))).items()}
    for name, column in fit_columns(run).items():
        found[f"fit_{name}"] = (column, UNITS.get(name.removesuffix("_sigma"), ""))
    return found


def _unit(name: str, stored: StoredShots) -> str:
    """Unit of a column of the store: "role.setting" as the snapshot has it."""
    role, _, setting = name.partition(".")
    kept = stored.snapshot().get("roles", {}).get(role, {}).get("settings", {}).get(setting, {})
    return _PLAIN.get(name) or str(kept.get("unit", ""))


def _write(f: IO[str], name: str, table: np.ndarray, axis: Axis, unit: str, note: str) -> None:
    """One wave of rows by columns; a single column makes a wave of one dimension."""
    shape = "" if table.shape[1] == 1 else f"/N=({table.shape[0]},{table.shape[1]})"
    f.write(f"WAVES/D{shape} {name}\nBEGIN\n")
    f.writelines(_lines(table))
    f.write("END\n")
    f.write(f'X SetScale/P x {axis.start!r},{axis.step!r},"{axis.unit}", {name}; '
            f'SetScale d 0,0,"{unit}", {name}\n')
    f.write(f"X Note {name}, {_quoted(note)}\n")


def _lines(table: np.ndarray) -> Iterator[str]:
    for row in table.tolist():
        yield "\t".join(map(_number, row)) + "\n"


def _number(value: float) -> str:
    if math.isfinite(value):
        return repr(float(value))
    return "NaN" if math.isnan(value) else "INF" if value > 0.0 else "-INF"


def _write_text(f: IO[str], name: str, values: Sequence[str]) -> None:
    f.write(f"WAVES/T {name}\nBEGIN\n")
    f.writelines(f"{_quoted(value)}\n" for value in values)
    f.write("END\n")


def _quoted(text: str) -> str:
    """A string of Igor: in ASCII, with quotes and backslashes escaped."""
    plain = text.encode("ascii", "replace").decode().replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'
