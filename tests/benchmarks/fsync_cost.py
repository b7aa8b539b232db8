"""What `fsync = true` in a bench file costs per shot: python tests/benchmarks/fsync_cost.py [FOLDER]

Shots of three records of 10 000 samples, as on the virtual bench, stored with and without it in FOLDER, since
it is the disk there that is measured.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from instruments.waveform import Waveform
from procedures.machinery.records.shot import Origin, Shot
from procedures.machinery.storage.store import StoreWriter
from procedures.machinery.storage.store_block import Channel, Layout

SHOTS = 200


def main(folder: str | None) -> None:
    names = ("burst", "photodiode", "log")
    layout = Layout({name: Channel(10_000, "CHAN1", 10) for name in names}, {}, ("pump.energy",))
    codes = np.random.default_rng(1).integers(-500, 500, 10_000).astype(np.int16)
    record = Waveform(codes, 1e-3, 0.0, 0.0, 4e-9, "CHAN1", 10)
    for fsync in (False, True):
        with tempfile.TemporaryDirectory(dir=folder) as place:
            store, took = StoreWriter(Path(place) / "shots.h5", layout, {}, fsync), []
            for number in range(SHOTS):
                shot = Shot(number, "2026-01-01T00:00:00Z", {"pump.energy": 1e-3},
                            dict.fromkeys(names, record), Origin.SIMULATED)
                began = time.perf_counter()
                store.append(shot)
                took.append(1e3 * (time.perf_counter() - began))
            store.close()
        low, high = np.percentile(took, (50, 99))
        print(f"fsync {fsync}: median {low:.2f} ms, 99 % below {high:.2f} ms")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
