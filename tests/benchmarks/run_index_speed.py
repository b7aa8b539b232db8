"""How long it takes to find runs among thousands: python tests/benchmarks/run_index_speed.py [RUNS]

Makes synthetic run folders with real manifests, events and answers (one in fifty killed, with a raw file),
then looks for runs without the index, with it, and through the command line.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from instruments.waveform import Waveform
from procedures import find_runs
from procedures.machinery.apparatus.bench import bench_file
from procedures.machinery.records.shot import Origin, Shot
from procedures.machinery.storage.provenance import manifest
from procedures.machinery.storage.run_notes import Remarks
from procedures.machinery.storage.store import StoreWriter
from procedures.machinery.storage.store_block import Channel, Layout


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), count)
        for kind in ("cold", "warm", "warm"):
            began, computed = time.perf_counter(), time.process_time()
            found = find_runs(folder, where=["threshold_energy<50uJ"])
            took, busy = time.perf_counter() - began, time.process_time() - computed
            print(f"{kind}: {took:.2f} s, {busy:.2f} s of it computing; {len(found)} of {count} runs")
        began = time.perf_counter()
        command = [sys.executable, "-m", "maserbench", "runs", folder, "--tag", "odd"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        print(f"command line, warm: {time.perf_counter() - began:.2f} s")


def make(folder: Path, count: int) -> None:
    """Run folders as a session leaves them."""
    bench, rng = bench_file("virtual").read_text("utf-8"), np.random.default_rng(1)
    name = "20260101T000000Z-pump_threshold-0000"
    text = manifest(name, "pump_threshold", "2026-01-01T00:00:00Z", 1, Origin.SIMULATED,
                    {"shots": 20, "pump_energy_start": 5e-5, "pump_energy_stop": 5e-3}, "bench.toml", bench,
                    {"pump": "EKSPLA,NT,SIMULATED,1"}, Remarks("Ada", "PTP-7", ("odd",), "as yesterday"))
    for i in range(count):
        run = folder / f"2026{1 + i % 12:02d}{1 + i % 28:02d}T000000Z-pump_threshold-{i:04x}"
        run.mkdir()
        (run / "manifest.toml").write_text(text.replace(name, run.name), "utf-8")
        lines = [{"event": "ShotStored", "shot": n} for n in range(20)]
        result = {"threshold_energy": float(rng.normal(5e-5, 1e-6)), "verdicts": {"OK": 20}}
        if i % 50:
            lines.append({"event": "RunEnded", "state": "finished", "message": "", "result": result,
                          "shots": 20})
            (run / "result.json").write_text(json.dumps(result), "utf-8")
        else:
            _raw(run)
        (run / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


def _raw(run: Path) -> None:
    store = StoreWriter(run / "shots.h5", Layout({"burst": Channel(1000, "CHAN1", 10)}, {}, ()), {})
    record = Waveform(np.zeros(1000, np.int16), 1e-3, 0.0, 0.0, 1e-9, "CHAN1", 10)
    store.append(Shot(0, "2026-01-01T00:00:00Z", {}, {"burst": record}, Origin.SIMULATED, energy=1e-3))
    store.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
