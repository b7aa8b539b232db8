"""The longest gap in a controller's heartbeat while shots are taken, stored and fitted on a crowded machine.

    python tests/benchmarks/heartbeat_gap.py [SECONDS] [BUSY]      one minute, three busy processes per core
    python tests/benchmarks/heartbeat_gap.py 1200                  twenty minutes

A gap longer than the guard's patience would end the run; half of that is what is allowed here (exit code 1).
"""

import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from procedures import open_bench, run
from procedures.machinery.apparatus.guard_process import STALL
from procedures.machinery.apparatus.safety import make_safe
from procedures.machinery.apparatus.warm import warm


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
        longest, gaps = bench.guard.longest_gap, bench.guard.gaps  # of the run
        took = []
        for _ in range(50):
            began = time.monotonic()
            assert make_safe(bench.roles).verified
            took.append(time.monotonic() - began)
        print(f"{seconds:g} s, {busy} busy processes on {os.cpu_count()} cores: "
              f"{len(done.shots)} shots; longest gap {longest:.3f} s, the guard waits {STALL:g} s; "
              f"safe state verified in {sorted(took)[25]:.3f} s (longest of 50: {max(took):.3f} s)")
        show(gaps)
    for process in crowd:
        process.kill()
    sys.exit(0 if longest < 0.5 * STALL else 1)


def show(gaps):
    """The distribution: how many of the beats came later than so many seconds after the last."""
    total = gaps.total()
    for limit in (11, 12, 15, 20, 25, 30, 35):
        late = sum(count for hundredths, count in gaps.items() if hundredths >= limit)
        print(f"  gaps of {limit / 100:.2f} s and more: {late} of {total} ({late / total:.2%})")


if __name__ == "__main__":
    main()
