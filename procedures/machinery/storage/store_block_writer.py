"""Writes one block of a run's raw data: an HDF5 file in single-writer-multiple-reader mode.

Rules, each paid for with a lost file (docs/decisions, 6): everything is created before SWMR starts, because
nothing can be afterwards; raw ADC codes with their scales, never volts; no variable-length strings; a shot's
data are flushed before the `committed` counter grows, the counter is flushed before `append` returns. The
system may cut a write in two between memory pages when it kills the writer, so what is written over (small
columns, the index) stays within a page, for which a block ends in time; records are only ever added.
Touches the file it is given, nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..records.shot import Shot
from .formats import FORMAT
from .store_block import AXES, ORIGINS, SCALARS, Block, Layout

FULL = 2000  # chunks of records: HDF5's index of more than 2036 grows in pieces of more than a page
_CHUNK_SAMPLES = 500_000  # about 1 MB of int16: larger chunks stay outside HDF5's cache
_CACHE = 128 * 1024  # bytes per dataset, which every flush looks through: room for a chunk of small columns
_MARGIN, _AHEAD = 2**20, 4 * 2**20  # bytes: for the index and the end of a file; how much is reserved at once
_ROWS = 256  # of small columns in a chunk, at most
_PAGE, _SMALL, _CHECKSUM = 4096, 256, 4  # bytes


class BlockWriter:
    """Appends shots to a new file. When `append` has returned, a kill -9 no longer loses the shot."""

    def __init__(self, path: Path, layout: Layout, first: int, snapshot: Mapping[str, Any],
                 sync: bool) -> None:
        self.path, self.layout, self._sync, self._count, self._reserved = path, layout, sync, 0, 0
        samples = sum(channel.points for channel in layout.waveforms.values())
        lengths = [*(channel.points for channel in layout.waveforms.values()), *layout.traces.values()]
        self._most = FULL // max((-(-points // _CHUNK_SAMPLES) for points in lengths), default=1)
        self._largest = 2 * (2 * samples + 8 * sum(layout.traces.values()))  # bytes of a shot, generously
        self._file = h5py.File(path, "x", libver="latest", rdcc_nbytes=_CACHE,
                               alignment_threshold=_SMALL, alignment_interval=_PAGE)
        self.block = Block(self._file, first, grows=False)
        try:
            self._file.flush()  # its head first, which says how far a writer has come (see open_block)
            self._make_room()
            self._create(snapshot)
            self._columns = _columns(self._file)
            self._committed = self._file["committed"].id
            self._file.swmr_mode = True
        except BaseException:
            self._file.close()
            path.unlink(missing_ok=True)  # it holds nothing, and would be taken for a block
            raise

    def _create(self, snapshot: Mapping[str, Any]) -> None:
        f = self._file
        f.attrs["format"], f.attrs["first"] = FORMAT, self.block.first
        text = json.dumps(dict(snapshot), allow_nan=False).encode()
        f.create_dataset("snapshot", data=np.frombuffer(text, np.uint8))
        f.create_dataset("committed", data=np.zeros(1, np.int64))
        shots = f.create_group("shots")
        _column(shots, "moment", (), "S32")
        _column(shots, "origin", (), np.uint8)
        _column(shots, "scalars", (len(SCALARS) + len(self.layout.settings),), np.float64)
        names = json.dumps(list(self.layout.settings)).encode()
        shots.create_dataset("settings", data=np.frombuffer(names, np.uint8))
        for name, channel in self.layout.waveforms.items():
            group = f.create_group(f"waveforms/{name}")
            group.attrs["channel"], group.attrs["bits"] = np.bytes_(channel.channel), channel.bits
            _records(group, "codes", channel.points, np.int16)
            _column(group, "axes", (len(AXES),), np.float64)
        for name, points in self.layout.traces.items():
            _records(f.require_group("traces"), name, points, np.float64)

    @property
    def full(self) -> bool:
        """Whether the next shot belongs into another block."""
        return self._count >= self._most

    def append(self, shot: Shot) -> None:
        """Write, flush, count, flush. OSError: disk full."""
        self._make_room()
        i, columns = self._count, self._columns
        columns["shots/moment"].put(i, np.bytes_(shot.moment))
        columns["shots/origin"].put(i, ORIGINS.index(shot.origin))
        settings = [shot.settings.get(name, np.nan) for name in self.layout.settings]
        columns["shots/scalars"].put(i, [shot.start, shot.energy, *settings])
        for name, waveform in shot.waveforms.items():
            columns[f"waveforms/{name}/codes"].put(i, waveform.codes)
            columns[f"waveforms/{name}/axes"].put(i, [getattr(waveform, a) for a in AXES])
        for name, trace in shot.traces.items():
            columns[f"traces/{name}"].put(i, trace)
        h5py.h5f.flush(self._file.id)
        self._committed.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([i + 1], np.int64))
        h5py.h5f.flush(self._file.id)
        if self._sync:
            os.fsync(self._file.id.get_vfd_handle())
        self._count = i + 1

    def _make_room(self) -> None:
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
            raise OSError(refused.errno, refused.strerror, self._file.filename) from None
        self._reserved = wanted

    def close(self) -> None:
        """End the file properly, so that any HDF5 program opens it, and give back what was reserved."""
        if self._reserved:
            os.ftruncate(self._file.id.get_vfd_handle(), self._file.id.get_filesize())
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
