"""The run's raw data: one HDF5 file in single-writer-multiple-reader mode, one chunk per shot.

Rules, each paid for with a lost file (docs/decisions): everything is created before SWMR starts,
because nothing can be afterwards; raw ADC codes with their scales, never volts; no variable-length
strings; a shot's data are flushed before the `committed` counter grows, the counter is flushed
before `append` returns. The system may cut a write in two between memory pages when it kills the writer, so
what is written over (small columns, the index) stays within a page; records are only ever added. A run of
many thousand shots has an index of larger pieces (docs/decisions, 6). A killed writer leaves a file that
opens only through swmr=True, which is how it is always read here. Touches the file it is given, nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from instruments.waveform import Waveform

from .formats import FORMAT, version
from .shot import Origin, Shot

_AXES = ("scale", "offset", "start", "interval")
_SCALARS = ("start", "energy")
_CHUNK_SAMPLES = 500_000  # about 1 MB of int16: larger chunks stay outside HDF5's cache
_CACHE = 128 * 1024  # bytes per dataset, which every flush looks through: room for a chunk of small columns
_MARGIN, _AHEAD = 2**20, 4 * 2**20  # bytes: for the index and the end of a file; how much is reserved at once
_ROWS = 256  # of small columns in a chunk, at most
_PAGE, _SMALL, _CHECKSUM = 4096, 256, 4  # bytes
_ORIGINS = tuple(Origin)


@dataclass(frozen=True)
class Channel:
    """What a record looks like before the first shot: samples per record, instrument channel, ADC bits."""

    points: int
    channel: str
    bits: int


@dataclass(frozen=True)
class Layout:
    """All that a run's shots will hold: waveforms by name, traces by name -> points, settings read back."""

    waveforms: Mapping[str, Channel]
    traces: Mapping[str, int]
    settings: tuple[str, ...]


class StoreWriter:
    """Appends shots to a new file. When `append` has returned, a kill -9 no longer loses the shot."""

    def __init__(self, path: Path, layout: Layout, snapshot: Mapping[str, Any], sync: bool = False) -> None:
        self.layout, self._sync, self.committed, self._reserved = layout, sync, 0, 0
        samples = sum(channel.points for channel in layout.waveforms.values())
        self._largest = 2 * (2 * samples + 8 * sum(layout.traces.values()))  # bytes of a shot, generously
        self._file = h5py.File(path, "x", libver="latest", rdcc_nbytes=_CACHE,
                               alignment_threshold=_SMALL, alignment_interval=_PAGE)
        try:
            self._file.flush()  # its head first, which says how far a writer has come (see store_head.py)
            self._make_room(path)
            self._create(snapshot)
            self._columns = _columns(self._file)
            self._committed = self._file["committed"].id
            self._file.swmr_mode = True
        except BaseException:
            self._file.close()
            raise

    def _create(self, snapshot: Mapping[str, Any]) -> None:
        f = self._file
        f.attrs["format"] = FORMAT
        text = json.dumps(dict(snapshot), allow_nan=False).encode()
        f.create_dataset("snapshot", data=np.frombuffer(text, np.uint8))
        f.create_dataset("committed", data=np.zeros(1, np.int64))
        shots = f.create_group("shots")
        _column(shots, "moment", (), "S32")
        _column(shots, "origin", (), np.uint8)
        _column(shots, "scalars", (len(_SCALARS) + len(self.layout.settings),), np.float64)
        names = json.dumps(list(self.layout.settings)).encode()
        shots.create_dataset("settings", data=np.frombuffer(names, np.uint8))
        for name, channel in self.layout.waveforms.items():
            group = f.create_group(f"waveforms/{name}")
            group.attrs["channel"], group.attrs["bits"] = np.bytes_(channel.channel), channel.bits
            _records(group, "codes", channel.points, np.int16)
            _column(group, "axes", (len(_AXES),), np.float64)
        for name, points in self.layout.traces.items():
            _records(f.require_group("traces"), name, points, np.float64)

    def append(self, shot: Shot) -> None:
        """Write, flush, count, flush. ValueError: the shot does not fit the layout; OSError: disk full."""
        self._check(shot)
        self._make_room(Path(self._file.filename))
        i, columns = self.committed, self._columns
        columns["shots/moment"].put(i, np.bytes_(shot.moment))
        columns["shots/origin"].put(i, _ORIGINS.index(shot.origin))
        settings = [shot.settings.get(name, np.nan) for name in self.layout.settings]
        columns["shots/scalars"].put(i, [shot.start, shot.energy, *settings])
        for name, waveform in shot.waveforms.items():
            columns[f"waveforms/{name}/codes"].put(i, waveform.codes)
            columns[f"waveforms/{name}/axes"].put(i, [getattr(waveform, a) for a in _AXES])
        for name, trace in shot.traces.items():
            columns[f"traces/{name}"].put(i, trace)
        h5py.h5f.flush(self._file.id)
        self._committed.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([i + 1], np.int64))
        h5py.h5f.flush(self._file.id)
        if self._sync:
            os.fsync(self._file.id.get_vfd_handle())
        self.committed = i + 1

    def _make_room(self, path: Path) -> None:
        """Have the next shot and the file's end on the disk before they are written; OSError without room.

        Once a write has failed (full disk, quota, limit of a file) HDF5 neither goes on nor closes the file,
        and brings the process down at its end.
        """
        size = self._file.id.get_filesize()  # as HDF5 counts, without what was reserved
        if not hasattr(os, "posix_fallocate") or size + self._largest + _MARGIN <= self._reserved:
            return
        wanted = size + self._largest + _MARGIN + _AHEAD
        try:
            os.posix_fallocate(self._file.id.get_vfd_handle(), 0, wanted)
        except OSError as refused:
            raise OSError(refused.errno, refused.strerror, str(path)) from None
        self._reserved = wanted

    def _check(self, shot: Shot) -> None:
        if shot.number != self.committed:
            raise ValueError(f"shot {shot.number} cannot be stored: the next one is number {self.committed}")
        found = {name: len(w.codes) for name, w in shot.waveforms.items()}
        expected = {name: channel.points for name, channel in self.layout.waveforms.items()}
        if found != expected:
            raise ValueError(f"shot {shot.number}: records of {found} samples, expected {expected}; the "
                             "digitiser's channels and points must not change during a run")
        unknown = set(shot.settings) - set(self.layout.settings)
        if unknown:
            raise ValueError(f"shot {shot.number}: settings {sorted(unknown)} were not declared at the start")

    def read(self, number: int) -> Shot:
        """A shot that is already stored, for the writing process itself."""
        return _read(self._file, number)

    def close(self) -> None:
        """End the file properly, so that any HDF5 program opens it, and give back what was reserved."""
        if self._reserved:
            os.ftruncate(self._file.id.get_vfd_handle(), self._file.id.get_filesize())
        self._file.close()


class StoredShots(Sequence[Shot]):
    """The shots of a run as a sequence, each read from disk when asked for. Follows a running writer."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = h5py.File(path, "r", libver="latest", swmr=True)
        except PermissionError:
            raise
        except OSError as broken:
            raise ValueError(f"{path} is damaged or no store of shots ({broken}); the run's other files can "
                             "be read as they are") from None
        if (found := self._file.attrs.get("format")) != FORMAT:
            self._file.close()
            raise ValueError(f"{path}: raw data of format {found}, and this is maserbench {version()}, which "
                             f"reads format {FORMAT}; a later version does")

    def __len__(self) -> int:
        self._file["committed"].refresh()
        return int(self._file["committed"][0])

    def __getitem__(self, index: int | slice) -> Any:
        count = len(self)
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(count))]
        number = index + count if index < 0 else index
        if not 0 <= number < count:
            raise IndexError(f"shot {index} is not in this run; it has {count} shots, numbered from 0")
        return _read(self._file, number, refresh=True)

    def __iter__(self) -> Iterator[Shot]:
        return (self[i] for i in range(len(self)))

    def snapshot(self) -> dict[str, Any]:
        """The state of the bench before the first shot."""
        return json.loads(self._file["snapshot"][()].tobytes())

    def layout(self) -> Layout:
        """What the shots of this file hold."""
        f = self._file
        waves = {name: Channel(g["codes"].shape[1], g.attrs["channel"].decode(), int(g.attrs["bits"]))
                 for name, g in f.get("waveforms", {}).items()}
        return Layout(waves, {name: d.shape[1] for name, d in f.get("traces", {}).items()}, _names(f))

    def codes(self, channel: str, numbers: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Raw codes (shots, T) and their axes (shots, 4: scale, offset, start, interval) of one waveform."""
        return (self._table(f"waveforms/{channel}/codes", numbers),
                self._table(f"waveforms/{channel}/axes", numbers))

    def scalars(self, numbers: Sequence[int]) -> dict[str, np.ndarray]:
        """Columns (shots,): start [s], energy [J] and every setting read back [SI]."""
        table = self._table("shots/scalars", numbers)
        return dict(zip((*_SCALARS, *_names(self._file)), table.T, strict=True))

    def _table(self, path: str, numbers: Sequence[int]) -> np.ndarray:
        dataset, rows = self._file[path], np.asarray(numbers, int)
        dataset.refresh()
        if not len(rows):
            return dataset[:0]
        return dataset[rows.min():rows.max() + 1][rows - rows.min()]

    def close(self) -> None:
        self._file.close()


def _column(group: h5py.Group, name: str, shape: tuple[int, ...], kind: Any) -> None:
    """Small rows, as many to a chunk as stay within a page."""
    row = np.dtype(kind).itemsize * int(np.prod(shape))
    chunk = min(max((_PAGE - _CHECKSUM) // row, 1), _ROWS)
    group.create_dataset(name, (0, *shape), kind, maxshape=(None, *shape), chunks=(chunk, *shape),
                         fletcher32=True)


def _records(group: h5py.Group, name: str, points: int, kind: Any) -> None:
    """A record to a chunk, or to several."""
    group.create_dataset(name, (0, points), kind, maxshape=(None, points),
                         chunks=(1, min(points, _CHUNK_SAMPLES)), fletcher32=True)


class _Column:
    """A dataset that grows by a row for each shot, written below h5py's own layer.

    That looks up and makes everything anew for each write, which takes eight times as long.
    """

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._id, self._kind, self._row = dataset.id, dataset.dtype, dataset.shape[1:]
        self._count = (1, *self._row)
        self._memory = h5py.h5s.create_simple(self._count)

    def put(self, row: int, value: Any) -> None:
        """ValueError when the value has not the shape of a row."""
        values = np.asarray(value, self._kind, order="C")
        if values.shape != self._row:
            raise ValueError(f"found values of the shape {values.shape}, expected {self._row}")
        self._id.set_extent((row + 1, *self._row))
        place = self._id.get_space()
        place.select_hyperslab((row, *(0 for _ in self._row)), self._count)
        self._id.write(self._memory, place, values.reshape(self._count))


def _columns(f: h5py.File) -> dict[str, _Column]:
    """All datasets with a row for each shot, by path."""
    found: dict[str, _Column] = {}

    def visit(path: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.maxshape[:1] == (None,):
            found[path] = _Column(item)

    f.visititems(visit)
    return found


def _names(f: h5py.File) -> tuple[str, ...]:
    return tuple(json.loads(f["shots/settings"][()].tobytes()))


def _rows(f: h5py.File, path: str, number: int, refresh: bool) -> Any:
    dataset = f[path]
    if refresh:
        dataset.refresh()
    return dataset[number]


def _read(f: h5py.File, number: int, refresh: bool = False) -> Shot:
    scalars = _rows(f, "shots/scalars", number, refresh)
    settings = dict(zip(_names(f), scalars[len(_SCALARS):].tolist(), strict=True))
    waveforms = {name: _waveform(f, name, number, refresh) for name in f.get("waveforms", {})}
    traces = {name: _rows(f, f"traces/{name}", number, refresh) for name in f.get("traces", {})}
    moment = _rows(f, "shots/moment", number, refresh).decode()
    origin = _ORIGINS[_rows(f, "shots/origin", number, refresh)]
    return Shot(number, moment, {k: v for k, v in settings.items() if v == v}, waveforms, origin, traces,
                float(scalars[0]), float(scalars[1]))


def _waveform(f: h5py.File, name: str, number: int, refresh: bool) -> Waveform:
    axes = dict(zip(_AXES, _rows(f, f"waveforms/{name}/axes", number, refresh).tolist(), strict=True))
    attrs = f[f"waveforms/{name}"].attrs
    return Waveform(codes=_rows(f, f"waveforms/{name}/codes", number, refresh),
                    channel=attrs["channel"].decode(), bits=int(attrs["bits"]), **axes)
