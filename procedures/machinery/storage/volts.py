"""Stored records of one channel as volts with labelled axes, for people who work with xarray.

Reads a store, writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from twin.quantity import nearest

from .store import StoredShots

if TYPE_CHECKING:
    import xarray

LARGEST = 2 * 1024**3  # bytes of volts that are made at once


def volts_of(stored: StoredShots, channel: str, shots: slice, told: Mapping[str, str],
             largest: int = LARGEST) -> xarray.Dataset:
    """`volts` [V] (shot, time [s from the trigger]), with `energy` [J] and `start` [s] per shot.

    `told` are the attributes that say where they are from. Where records are longer in some shots than in
    others, nan follows the shorter ones. ValueError for an unknown channel, for records that begin or step
    differently, and above `largest` bytes.
    """
    import xarray

    layout = stored.layout()
    if channel not in layout.waveforms:
        raise ValueError(f"channel: {nearest(channel, layout.waveforms)}")
    numbers = range(*shots.indices(len(stored)))
    size = 8 * len(numbers) * stored.points(channel, numbers)
    if size > largest:
        raise ValueError(f"channel {channel!r} of {len(numbers)} shots is {size / 1e9:.1f} GB of volts, more "
                         f"than {largest / 1e9:.1f} GB; ask for fewer with shots=slice(first, last)")
    volts, axes = stored.volts(channel, numbers)
    if len(numbers) and not (np.all(axes[:, 2] == axes[0, 2]) and np.all(axes[:, 3] == axes[0, 3])):
        raise ValueError(f"channel {channel!r}: the time axis changes between these shots; ask for fewer")
    start, interval = (axes[0, 2], axes[0, 3]) if len(numbers) else (0.0, 1.0)
    scalars = stored.scalars(numbers)
    time = start + interval * np.arange(volts.shape[1])
    seconds = {"units": "s", "long_name": "time from the trigger"}
    return xarray.Dataset(
        {"volts": (("shot", "time"), volts, {"units": "V", "channel": channel}),
         "energy": ("shot", scalars["energy"], {"units": "J", "long_name": "pulse energy, photodiode"}),
         "start": ("shot", scalars["start"], {"units": "s", "long_name": "laser edge, photodiode"})},
        {"shot": ("shot", list(numbers)), "time": ("time", time, seconds)}, dict(told))
