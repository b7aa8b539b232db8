"""Runs that are on disk: finished, aborted, still running or killed, all read the same way.

Reads the run's folder and nothing else. No class is looked up from a file's text: what a run was is told
by the procedure's short name.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..records.shot import FitRow, Shot
from .event_log import last_end, last_with, read_lines
from .file_lock import held
from .formats import refusal
from .store import StoredShots, open_store

if TYPE_CHECKING:
    import xarray

_MANIFEST = ("procedure", "settings", "origin", "bench")


def open_run(path: str | Path) -> Run:
    """A run's folder as an object. FileNotFoundError when it is not there or is no run."""
    folder = Path(path)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no run at {folder}; a run is the folder that 'run PATH' names")
    if not (folder / "manifest.toml").is_file():
        raise FileNotFoundError(f"{folder} is no run: it holds no manifest.toml")
    return Run(folder.resolve())


class Run:
    """One run. `settings` in SI units; `result` the procedure's answers ({} while there are none)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.manifest: dict[str, Any] = tomllib.loads((path / "manifest.toml").read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
            raise ValueError(f"{path / 'manifest.toml'} cannot be read: {broken}") from None
        if (problem := refusal(self.manifest)) is not None:
            raise ValueError(f"{path} cannot be opened: {problem}")
        if missing := [name for name in _MANIFEST if name not in self.manifest]:
            raise ValueError(f"{path / 'manifest.toml'} lacks {', '.join(missing)}: it was cut off or "
                             "edited, and nothing else tells what made this run")
        self._stored: StoredShots | None = None
        self._former: Run | None = None
        self._fits: tuple[int, dict[int, FitRow]] = (0, {})

    @property
    def procedure(self) -> str:
        return self.manifest["procedure"]

    @property
    def settings(self) -> dict[str, Any]:
        return self.manifest["settings"]

    @property
    def seed(self) -> int | None:
        return self.manifest.get("seed")

    @property
    def former(self) -> Run | None:
        """The run that this one continues; FileNotFoundError when it is no longer where it was."""
        if "continues" not in self.manifest:
            return None
        if self._former is None:
            self._former = open_run(self.path / self.manifest["continues"])
        return self._former

    @property
    def bench_text(self) -> str:
        """The bench file as the run used it."""
        return self.manifest["bench"]["file"]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The lines of events.jsonl; a line torn by a kill is left out."""
        return list(read_lines(self.path / "events.jsonl"))

    @property
    def state(self) -> str:
        """"finished", "aborted", "running" (its process lives) or "killed"."""
        if ended := last_end(self.path):
            return ended["state"]
        return "running" if held(self.path / "events.jsonl") else "killed"

    @property
    def result(self) -> dict[str, Any]:
        file = self.path / "result.json"
        try:
            return json.loads(file.read_text("utf-8")) if file.is_file() else {}
        except ValueError as broken:
            raise ValueError(f"{file} cannot be read: {broken}; 'maserbench replay' works it out "
                             "anew") from None

    @property
    def fits(self) -> dict[int, FitRow]:
        """The twin's answers by shot number."""
        file = self.path / "fits.jsonl"
        size = file.stat().st_size if file.is_file() else 0
        if size != self._fits[0]:  # a file that only grows has changed when its size has
            self._fits = size, {fit.shot: fit for fit in map(partial(_fit_row, file), read_lines(file))}
        return self._fits[1]

    def fit_of(self, number: int) -> FitRow | None:
        """The twin's answer for one shot, looked up without reading all others."""
        if number in self._fits[1]:
            return self.fits.get(number)
        row = last_with(self.path / "fits.jsonl", b'{"shot": %d,' % number)
        return _fit_row(self.path / "fits.jsonl", row) if row else None

    @property
    def shots(self) -> Sequence[Shot]:
        """Shots in order, number == index, read when asked for; follows a run that still goes on."""
        stored = self.stored
        return () if stored is None else ShotsWithFits(self, stored)

    @property
    def stored(self) -> StoredShots | None:
        """The raw store behind the shots; None for a run that ended before its first."""
        if self._stored is None:
            self._stored = open_store(self.path / "shots.h5")
        return self._stored

    def to_xarray(self, channel: str = "burst", shots: slice = slice(None)) -> xarray.Dataset:
        """`volts` [V] (shot, time [s from the trigger]), with `energy` [J] and `start` [s] per shot.

        Where records are longer in some shots than in others, nan follows the shorter ones. ValueError for
        an unknown channel, for records that begin or step differently, and above 2 GB.
        """
        from .volts import volts_of

        stored = self.stored
        if stored is None or not len(stored):
            raise ValueError(f"run {self.path.name} holds no shots")
        return volts_of(stored, channel, shots, {"run": self.path.name, "procedure": self.procedure,
                                                 "origin": self.manifest["origin"]})

    def close(self) -> None:
        """Give the file back; the run may be used again afterwards."""
        if self._stored is not None:
            self._stored.close()
            self._stored = None
        if self._former is not None:
            self._former.close()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<run {self.path.name}: {self.procedure}, {self.state}, {len(self.shots)} shots>"


class ShotsWithFits(Sequence[Shot]):
    """Stored shots, each with its row of fits.jsonl where there is one."""

    def __init__(self, run: Run, stored: StoredShots) -> None:
        self._run, self._stored = run, stored

    def __len__(self) -> int:
        return len(self._stored)

    def __getitem__(self, index: int | slice) -> Any:
        found = self._stored[index]
        if isinstance(index, slice):
            fits = self._run.fits
            return [shot.with_fit(fits.get(shot.number)) for shot in found]
        return found.with_fit(self._run.fit_of(found.number))

    def __iter__(self) -> Iterator[Shot]:
        fits = self._run.fits
        return (shot.with_fit(fits.get(shot.number)) for shot in self._stored)


def _fit_row(file: Path, row: dict[str, Any]) -> FitRow:
    try:
        return FitRow.from_json(row)
    except KeyError as missing:
        raise ValueError(f"{file}: a row of shot {row.get('shot', 'unknown')} lacks {missing}, so it was not "
                         "written by this program; 'maserbench fit' fits the shots anew") from None

