"""The run's raw data: shots in order, in blocks of equally long records, one HDF5 file each.

    shots.h5           from shot 0 on; most runs have no other
    shots-0001.h5 ...  each goes on where the one before it ends

A block ends when the length of the records is changed, or when it is full; it is complete once the next one
is there, so that a reader finds the one from the other, and follows a run that still goes on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..records.shot import Shot
from .store_block import AXES, SCALARS, Block, Layout, open_block
from .store_block_writer import BlockWriter


def block_path(path: Path, index: int) -> Path:
    """The file of a run's block, counted from 0, whose first one is at `path`."""
    return path.with_name(f"{path.stem}-{index:04d}{path.suffix}") if index else path


class StoreWriter:
    """Appends shots, from a new file on. When `append` has returned, a kill -9 no longer loses the shot."""

    def __init__(self, path: Path, layout: Layout, snapshot: Mapping[str, Any], sync: bool = False) -> None:
        self._path, self._layout, self._sync, self.committed = path, layout, sync, 0
        self._writer = BlockWriter(path, layout, 0, snapshot, sync)
        self._full: list[Block] = []

    def expect(self, layout: Layout) -> None:
        """Shots look like this from the next one on, which begins a block of its own if they change."""
        self._layout = layout

    def append(self, shot: Shot) -> None:
        """ValueError: the shot is not as expected; OSError: disk full."""
        self._check(shot)
        if self._writer.full or self._layout != self._writer.layout:
            self._begin_block()
        self._writer.append(shot)
        self.committed += 1

    def _begin_block(self) -> None:
        path = block_path(self._path, len(self._full) + 1)
        begun = BlockWriter(path, self._layout, self.committed, {}, self._sync)
        self._writer.close()
        if (done := open_block(self._writer.path, self._writer.block.first)) is not None:
            self._full.append(done)
        self._writer = begun

    def _check(self, shot: Shot) -> None:
        if shot.number != self.committed:
            raise ValueError(f"shot {shot.number} cannot be stored: the next one is number {self.committed}")
        found = {name: len(w.codes) for name, w in shot.waveforms.items()}
        expected = {name: channel.points for name, channel in self._layout.waveforms.items()}
        if found != expected:
            raise ValueError(f"shot {shot.number}: records of {found} samples, expected {expected}; the "
                             "digitiser's channels and points must not change by themselves during a run")
        unknown = set(shot.settings) - set(self._layout.settings)
        if unknown:
            raise ValueError(f"shot {shot.number}: settings {sorted(unknown)} were not declared at the start")

    def read(self, number: int) -> Shot:
        """A shot that is already stored, for the writing process itself."""
        return _holder(number, [*self._full, self._writer.block]).shot(number)

    def close(self) -> None:
        """End the files properly, so that any HDF5 program opens them."""
        for block in self._full:
            block.close()
        self._writer.close()


class StoredShots(Sequence[Shot]):
    """The shots of a run as a sequence, each read from disk when asked for. Follows a running writer."""

    def __init__(self, path: Path, first: Block) -> None:
        self._path, self._blocks = path, [first]

    def __len__(self) -> int:
        """How many there are by now; blocks that were begun since are taken up."""
        while (path := block_path(self._path, len(self._blocks))).is_file():
            if (begun := open_block(path, self._blocks[-1].end)) is None:
                break
            self._blocks.append(begun)
        return self._blocks[-1].end

    def __getitem__(self, index: int | slice) -> Any:
        count = len(self)
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(count))]
        number = index + count if index < 0 else index
        if not 0 <= number < count:
            raise IndexError(f"shot {index} is not in this run; it has {count} shots, numbered from 0")
        return _holder(number, self._blocks).shot(number)

    def __iter__(self) -> Iterator[Shot]:
        return (self[i] for i in range(len(self)))

    def snapshot(self) -> dict[str, Any]:
        """The state of the bench before the first shot."""
        return self._blocks[0].snapshot()

    def layout(self, number: int = 0) -> Layout:
        """What this shot holds; the length of records may change from shot to shot, nothing else does."""
        return _holder(number, self._blocks).layout

    def points(self, channel: str, numbers: Sequence[int]) -> int:
        """Samples of the longest of these shots' records of one waveform; 0 for no shots."""
        found = [block.layout.waveforms[channel].points for block, _ in self._parts(numbers)]
        return max(found, default=0)

    def volts(self, channel: str, numbers: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Volts (shots, T) of one waveform, shorter records with nan at their end, and their axes (shots, 4:
        scale [V], offset [V], start [s], interval [s])."""
        volts = np.full((len(numbers), self.points(channel, numbers)), np.nan)
        axes = np.empty((len(numbers), len(AXES)))
        for block, places in self._parts(numbers):
            found, axes[places] = block.volts(channel, np.asarray(numbers, int)[places])
            volts[places, :found.shape[1]] = found
        return volts, axes

    def scalars(self, numbers: Sequence[int]) -> dict[str, np.ndarray]:
        """Columns (shots,): start [s], energy [J] and every setting read back [SI]."""
        names = (*SCALARS, *self.layout().settings)
        table = np.empty((len(numbers), len(names)))
        for block, places in self._parts(numbers):
            table[places] = block.scalars(np.asarray(numbers, int)[places])
        return dict(zip(names, table.T, strict=True))

    def _parts(self, numbers: Sequence[int]) -> Iterator[tuple[Block, np.ndarray]]:
        """Each block that holds some of these shots, and at which places of `numbers` they stand."""
        if not len(numbers):
            return
        firsts = [block.first for block in self._blocks]
        homes = np.searchsorted(firsts, np.asarray(numbers, int), side="right") - 1
        for home in np.unique(homes):
            yield self._blocks[home], np.flatnonzero(homes == home)

    def close(self) -> None:
        for block in self._blocks:
            block.close()


def open_store(path: Path) -> StoredShots | None:
    """A run's store by its first file; None where there is none, or its writer ended before any shot could
    be in it. ValueError for a file that is damaged."""
    first = open_block(path)
    return None if first is None else StoredShots(path, first)


def _holder(number: int, blocks: Sequence[Block]) -> Block:
    """The block that holds a shot: the last that begins with it or before."""
    return blocks[bisect_right(blocks, number, key=lambda block: block.first) - 1]
