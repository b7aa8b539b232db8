"""What a run of many shots costs the program that stores it: rate, time of a shot, growth of its memory.

    python tests/benchmarks/sustained.py [SECONDS] [RATE] [POINTS]       two minutes at 100 shots/s of 20 kpt

The shots come from a pool of 200, as the digitiser would give them; there is no wire here, and no fit (its
rows are made up). All else is the run's own way: store with a flush per shot, run.csv, events.jsonl,
fits.jsonl, rows for the answer, terminal and status stream with one reader.
"""

import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from pymeasure.experiment import Results

from instruments.waveform import Waveform
from procedures import Origin, Shot, catalogue, open_run
from procedures.machinery.commands.watch import Watcher
from procedures.machinery.records import events
from procedures.machinery.records.rows import FITTED, Rows
from procedures.machinery.records.shot import FitRow
from procedures.machinery.status.stream import StatusStream
from procedures.machinery.storage.run_folder import RunFolder, moment
from procedures.machinery.storage.store_block import Channel, Layout
from twin.fit_result import Verdict

POOL, SETTINGS = 200, 60


def memory():
    """Resident memory [MB] of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def pool(points):
    rng = np.random.default_rng(1)
    burst = 400.0 * np.exp(-(((np.arange(points) / points - 0.4) / 0.05) ** 2)) * np.cos(np.arange(points))
    return [np.clip(burst + rng.normal(0.0, 4.0, points), -512, 511).astype(np.int16) for _ in range(POOL)]


class Sink:
    """A run without its instruments."""

    def __init__(self, folder, points, stream):
        self.folder, self.rows, self.watcher, self.stream = folder, Rows(), Watcher("plain"), stream
        self.names = tuple(f"role.setting_{n}" for n in range(SETTINGS))
        procedure = catalogue.procedure("single_shot")()
        self.results = Results(procedure, str(folder.path / "run.csv"))
        folder.write_manifest(f'format = 1\nprocedure = "single_shot"\norigin = "simulated"\n[settings]\n'
                              f'shots = {10**6}\n[bench]\nfile = ""\n')
        folder.start_store(Layout({"burst": Channel(points, "CHAN1", 10)}, {}, self.names), {})
        self.csv = (folder.path / "run.csv").open("a")

    def note(self, event):
        self.folder.note(event)
        self.watcher(event)
        self.stream(event)

    def take(self, number, codes):
        settings = {name: float(number + i) for i, name in enumerate(self.names)}
        record = Waveform(codes, 1e-3, 0.0, -1e-6, 2e-9, "CHAN1", 10)
        shot = Shot(number, moment(), settings, {"burst": record}, Origin.SIMULATED, start=2e-7, energy=5e-3)
        self.folder.append(shot)
        self.rows.stored(shot)
        self.note(events.ShotStored(shot))
        values = {name: 1.0 + 1e-6 * number for name in FITTED}
        row = FitRow(number, Verdict.OK, values, dict(values), dict(values), 1.0, 0.03)
        self.folder.fitted(row)
        done = self.rows.completed(number, row)
        self.csv.write(self.results.format(done.as_csv()) + "\n")
        self.csv.flush()
        nothing = np.empty(0)
        self.note(events.ShotFitted(number, row, nothing, nothing, nothing, nothing))


def read_all(port):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while connection.recv(1 << 16):
            pass


def sustain(parent, seconds, rate, points):
    """(shots, longest shot [s], MB per 1000 shots over the last half, CPU [s] per shot, path)."""
    shots, took, held = pool(points), [], []
    with StatusStream() as stream, open(os.devnull, "w") as nowhere:
        threading.Thread(target=read_all, args=(stream.port,), daemon=True).start()
        said, sys.stdout = sys.stdout, nowhere
        try:
            sink = Sink(RunFolder(parent, "single_shot"), points, stream)
            due, cpu = time.perf_counter(), time.process_time()
            for number in range(round(seconds * rate)):
                time.sleep(max(due - time.perf_counter(), 0.0))
                due += 1.0 / rate
                began = time.perf_counter()
                sink.take(number, shots[number % POOL])
                took.append(time.perf_counter() - began)
                held.append(memory())
            late = time.perf_counter() - due
            cpu = time.process_time() - cpu
            sink.note(events.RunEnded(sink.folder.path, "finished", "", {}))
            sink.folder.close()
            sink.csv.close()
        finally:
            sys.stdout = said
    half = len(held) // 2
    slope = 1e3 * float(np.polyfit(np.arange(half, len(held)), held[half:], 1)[0])
    return len(took), max(took), late, slope, cpu / len(took), sink.folder.path


def main():
    seconds, rate, points = (float(a) for a in (*sys.argv[1:], *("120", "100", "20000")[len(sys.argv) - 1:]))
    with tempfile.TemporaryDirectory() as parent:
        count, longest, late, slope, cpu, path = sustain(Path(parent), seconds, rate, int(points))
        print(f"{count} shots of {points:g} samples at {rate:g}/s: {1e3 * cpu:.2f} ms of CPU each, longest "
              f"{1e3 * longest:.0f} ms, {late:.2f} s late at the end; memory {slope:+.2f} MB per 1000 shots")
        began = time.perf_counter()
        run = open_run(path)
        assert len(run.shots) == count
        print(f"opened in {time.perf_counter() - began:.3f} s")
        for number in (0, count // 2, count - 1):
            began = time.perf_counter()
            assert run.shots[number].number == number
            print(f"shot {number} in {1e3 * (time.perf_counter() - began):.1f} ms")
        run.close()


if __name__ == "__main__":
    main()
