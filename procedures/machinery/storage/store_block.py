"""A block: one HDF5 file of a run's raw data, in which all records are equally long. Read here.

    committed                     how many shots are in it, the last thing that is written of each
    shots/moment origin scalars   a row per shot; `settings` names the columns of scalars after the first two
    waveforms/NAME/codes axes     raw ADC codes; scale [V], offset [V], start [s], interval [s]
    traces/NAME                   sweeps and spectra
    snapshot                      the bench before the first shot, as JSON, in a run's first block

A killed writer leaves a file that opens only through swmr=True, which is how it is always read here.
Touches the file it is given, nothing else. store_block_writer.py writes it; store.py makes a run of blocks.
"""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from instruments.waveform import Waveform

from ..records.shot import Origin, Shot
from .formats import FORMAT, version

AXES = ("scale", "offset", "start", "interval")
SCALARS = ("start", "energy")
ORIGINS = tuple(Origin)
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_TRIES, _PAUSE = 50, 2e-3  # [s]
_WRITING, _SWMR = 1, 4  # of the flags in byte 11 (HDF5 File Format 3.0, II.A)


@dataclass(frozen=True)
class Channel:
    """What a record looks like before the first shot: samples per record, instrument channel, ADC bits."""

    points: int
    channel: str
    bits: int


@dataclass(frozen=True)
class Layout:
    """All that a block's shots hold: waveforms by name, traces by name -> points, settings read back."""

    waveforms: Mapping[str, Channel]
    traces: Mapping[str, int]
    settings: tuple[str, ...]


class Block:
    """The shots of one file by row; row 0 is the run's shot `first`. `grows`: another process writes it."""

    def __init__(self, file: h5py.File, first: int, grows: bool = True) -> None:
        self._file, self.first, self._grows = file, first, grows

    @property
    def committed(self) -> int:
        """How many shots are in it by now."""
        return int(self._dataset("committed")[0])

    @property
    def end(self) -> int:
        """The number of the shot after its last."""
        return self.first + self.committed

    @cached_property
    def layout(self) -> Layout:
        """What its shots hold."""
        f = self._file
        waves = {name: Channel(g["codes"].shape[1], g.attrs["channel"].decode(), int(g.attrs["bits"]))
                 for name, g in f.get("waveforms", {}).items()}
        names = tuple(json.loads(f["shots/settings"][()].tobytes()))
        return Layout(waves, {name: d.shape[1] for name, d in f.get("traces", {}).items()}, names)

    def snapshot(self) -> dict[str, Any]:
        """The state of the bench before the first shot; {} in later blocks."""
        return json.loads(self._file["snapshot"][()].tobytes())

    def shot(self, number: int) -> Shot:
        """A shot by its number in the run."""
        row = number - self.first
        start, energy, *values = self._row("shots/scalars", row).tolist()
        settings = {k: v for k, v in zip(self.layout.settings, values, strict=True) if v == v}
        waveforms = {name: self._waveform(name, channel, row) for name, channel in
                     self.layout.waveforms.items()}
        traces = {name: self._row(f"traces/{name}", row) for name in self.layout.traces}
        return Shot(number, self._row("shots/moment", row).decode(), settings, waveforms,
                    ORIGINS[self._row("shots/origin", row)], traces, start, energy)

    def _waveform(self, name: str, channel: Channel, row: int) -> Waveform:
        axes = dict(zip(AXES, self._row(f"waveforms/{name}/axes", row).tolist(), strict=True))
        return Waveform(codes=self._row(f"waveforms/{name}/codes", row), channel=channel.channel,
                        bits=channel.bits, **axes)

    def volts(self, channel: str, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Volts (shots, T) of one waveform and their axes (shots, 4: scale, offset, start, interval)."""
        axes = self._rows(f"waveforms/{channel}/axes", numbers)
        return self._rows(f"waveforms/{channel}/codes", numbers) * axes[:, :1] + axes[:, 1:2], axes

    def scalars(self, numbers: np.ndarray) -> np.ndarray:
        """(shots, 2 + settings): start [s], energy [J] and every setting read back [SI]."""
        return self._rows("shots/scalars", numbers)

    def _rows(self, path: str, numbers: np.ndarray) -> np.ndarray:
        rows = numbers - self.first
        return self._dataset(path)[rows.min():rows.max() + 1][rows - rows.min()]

    def _row(self, path: str, row: int) -> Any:
        return self._dataset(path)[row]

    def _dataset(self, path: str) -> h5py.Dataset:
        dataset = self._file[path]
        if self._grows:
            dataset.refresh()
        return dataset

    def close(self) -> None:
        self._file.close()


def open_block(path: Path, first: int = 0) -> Block | None:
    """A file's block; None where there is none, or its writer ended before any shot could be in it.

    ValueError for a file that is damaged or of another format, BlockingIOError where another program writes
    to it.
    """
    if not path.is_file():
        return None
    with path.open("rb") as f:
        head = f.read(12)
    begun = len(head) == 12 and head.startswith(_SIGNATURE) and head[11] & (_WRITING | _SWMR) == _WRITING
    if begun or not head:
        return None
    rest = f"moved elsewhere, the {first} shots before it can be read" if first else \
        "the run's other files can be read as they are"
    try:
        file = _opened(path)
    except (PermissionError, BlockingIOError):
        raise
    except OSError as broken:
        raise ValueError(f"{path} is damaged or no store of shots ({broken}); {rest}") from None
    if (found := file.attrs.get("format")) != FORMAT:
        file.close()
        raise ValueError(f"{path}: raw data of format {found}, and this is maserbench {version()}, which "
                         f"reads format {FORMAT}; a later version does")
    return Block(file, first)


def _opened(path: Path) -> h5py.File:
    """The file; waits a little for a writer that is just about to let readers in."""
    for _ in range(_TRIES):
        try:
            return h5py.File(path, "r", libver="latest", swmr=True)
        except BlockingIOError:
            time.sleep(_PAUSE)
    raise BlockingIOError(errno.EWOULDBLOCK, "another program has it open for writing", str(path))
