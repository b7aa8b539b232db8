"""How many of a run's writes go over old bytes across a memory page, where a kill may tear them: none should.

    python tests/benchmarks/page_crossings.py [SHOTS] [POINTS]      6000 shots of 64 samples

Needs strace. Longer records are only ever added, so that short ones tell as much in less time.
"""

import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from instruments.waveform import Waveform
from procedures import Origin, Shot
from procedures.machinery.storage.store import StoreWriter
from procedures.machinery.storage.store_block import Channel, Layout

PAGE = 4096
NAMES = tuple(f"role.setting_{n}" for n in range(60))
OPENED = re.compile(r'openat\(.*"([^"]+\.h5)".*= (\d+)')
WRITTEN = re.compile(r"pwrite64\((\d+),.*, (\d+), (\d+)\) = ")


def write(file, shots, points):
    """What is watched: a run of so many shots."""
    writer = StoreWriter(file, Layout({"burst": Channel(points, "CHAN1", 10)}, {}, NAMES), {})
    for number in range(shots):
        record = Waveform(np.full(points, number % 500, np.int16), 1e-3, 0.0, 0.0, 2e-9, "CHAN1", 10)
        writer.append(Shot(number, "now", dict.fromkeys(NAMES, float(number)), {"burst": record},
                           Origin.SIMULATED))
    writer.close()


def crossings(log):
    """(number of writes, sizes of those over old bytes across a page) from strace's log."""
    names, old, count, torn = {}, defaultdict(bytearray), 0, []
    for line in log.open(errors="replace"):
        if (found := OPENED.search(line)) is not None:
            names[found[2]] = found[1]
        elif (found := WRITTEN.search(line)) is not None and found[1] in names:
            size, start = int(found[2]), int(found[3])
            bytes_of = old[names[found[1]]]
            bytes_of.extend(bytes(max(start + size - len(bytes_of), 0)))
            count += 1
            if any(bytes_of[start:start + size]) and start // PAGE != (start + size - 1) // PAGE:
                torn.append(size)
            bytes_of[start:start + size] = b"\x01" * size
    return count, torn


def main():
    shots, points = (int(a) for a in (*sys.argv[1:3], *("6000", "64")[len(sys.argv) - 1:]))
    with tempfile.TemporaryDirectory() as folder:
        log, file = Path(folder) / "log", Path(folder) / "shots.h5"
        subprocess.run(["strace", "-f", "-e", "trace=openat,pwrite64", "-o", log, sys.executable, __file__,
                        str(shots), str(points), file], check=True)
        count, torn = crossings(log)
    print(f"{count} writes, {len(torn)} of them over old bytes across a page, the largest of "
          f"{max(torn, default=0)} bytes")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        write(Path(sys.argv[3]), int(sys.argv[1]), int(sys.argv[2]))
    else:
        main()
