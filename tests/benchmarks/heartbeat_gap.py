"""The longest gap in a controller's heartbeat while shots are taken, stored and fitted on a crowded machine.

    python tests/benchmarks/heartbeat_gap.py [SECONDS] [BUSY]      one minute, three busy processes per core
    python tests/benchmarks/heartbeat_gap.py 1200                  twenty minutes

A gap longer than the guard's patience would end the run; this tells how much room there is.
"""

import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from procedures import open_bench, run
from procedures.machinery.guard_process import STALL
from procedures.machinery.safety import make_safe
from procedures.machinery.warm import warm


def burn():
    while True:
        sum(range(10_000))


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    busy = int(sys.argv[2]) if len(sys.argv) > 2 else 3 * (os.cpu_count() or 1)
    warm(print)
    crowd = [multiprocessing.get_context("spawn").Process(target=burn, daemon=True) for _ in range(busy)]
    for process in crowd:
        process.start()
    with tempfile.TemporaryDirectory() as folder, open_bench("virtual") as bench:
        end = time.monotonic() + seconds
        done = run("single_shot", bench, folder, should_stop=lambda: time.monotonic() > end, shots=100_000,
                   repetition_rate=20.0)
        took = []
        for _ in range(50):
            began = time.monotonic()
            assert make_safe(bench.roles).verified
            took.append(time.monotonic() - began)
        print(f"{seconds:g} s, {busy} busy processes on {os.cpu_count()} cores: "
              f"{len(done.shots)} shots; longest gap {bench.guard.longest_gap:.3f} s of {STALL:g} s allowed; "
              f"safe state verified in {sorted(took)[25]:.3f} s (longest of 50: {max(took):.3f} s)")
    for process in crowd:
        process.kill()


if __name__ == "__main__":
    main()
