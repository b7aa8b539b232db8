"""Makes the golden runs beside this file: python tests/golden/make.py DIR, then move what is to be kept here.

Small runs on the virtual bench as this version writes them: a scan of three channels, one that was killed,
and a cavity sweep. They are never made anew: what was committed once must open for ever. A new format gets
new ones in a folder of its own. What names a person, a machine or a path is replaced afterwards, in the text
files only; no number is touched.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from procedures import open_bench, open_run, run
from procedures.machinery.apparatus.bench import bench_file

SHORT = {"points = 10000": "points = 2500"}  # 10 us: golden files are small
KINDS = ("pump_threshold", "killed", "cavity_sweep")


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        bench = Path(scratch) / "short.toml"
        text = bench_file("virtual").read_text("utf-8")
        for old, new in SHORT.items():
            assert old in text
            text = text.replace(old, new)
        bench.write_text(text, "utf-8")
        served = [sys.executable, "-m", "maserbench", "mocks", "--bench", str(bench)]
        with subprocess.Popen(served, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as mocks:
            assert mocks.stdout is not None
            ready = Path(mocks.stdout.readline().split()[1])
            paths = [*finished(ready, Path(scratch)), killed(ready, Path(scratch))]
            mocks.send_signal(signal.SIGINT)
        for path, kind in zip(paths, ("pump_threshold", "cavity_sweep", "killed"), strict=True):
            shutil.copytree(path, target / kind)
            anonymous(target / kind, path, ready)
            (target / f"{kind}.json").write_text(json.dumps(numbers(target / kind), indent=1) + "\n", "utf-8")


def finished(ready: Path, scratch: Path) -> list[Path]:
    with open_bench(ready) as bench:
        scan = run("pump_threshold", bench, scratch, seed=11, shots=4, pump_energy_start="0.2mJ",
                   operator="Ada", sample="PTP-7", tags=["golden"], note="kept for ever")
        sweep = run("cavity_sweep", bench, scratch, seed=12, points=61)
    return [scan.path, sweep.path]


def killed(ready: Path, scratch: Path) -> Path:
    """A run whose program died, without any chance to say so, after its third shot and a fit."""
    command = [sys.executable, "-m", "maserbench", "run", "single_shot", "--bench", str(ready), "--output",
               str(scratch / "killed"), "--seed", "13", "--progress", "plain", "--set", "shots=50",
               "--set", "repetition_rate=1Hz"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while "shot 2 stored" not in process.stdout.readline():
            pass
        (path,) = (scratch / "killed").iterdir()
        while not (path / "fits.jsonl").stat().st_size:
            time.sleep(0.05)
        process.kill()
    while "TakenOver" not in (path / "events.jsonl").read_text("utf-8"):
        time.sleep(0.05)
    return path


def anonymous(folder: Path, path: Path, ready: Path) -> None:
    """The text files without names of people, machines and places."""
    words = {str(path.parent): "runs", str(ready.parent): "bench", socket.gethostname(): "machine",
             getpass.getuser(): "operator", f"{platform.system()} {platform.release()}": platform.system()}
    for file in folder.iterdir():
        if file.suffix != ".h5":
            text = file.read_text("utf-8")
            for word, instead in words.items():
                text = re.sub(rf"(?<![\w.]){re.escape(word)}(?![\w.])", instead, text)
            file.write_text(text, "utf-8")


def numbers(folder: Path) -> dict[str, Any]:
    """Everything that a run holds, as plain numbers; arrays by their checksum."""
    with open_run(folder) as opened:
        return {"procedure": opened.procedure, "state": opened.state, "settings": opened.settings,
                "result": opened.result, "origin": opened.manifest["origin"], "seed": opened.seed,
                "roles": opened.manifest["roles"], "snapshot": opened.stored.snapshot(),
                "shots": [_shot(shot) for shot in opened.shots]}


def _shot(shot: Any) -> dict[str, Any]:
    waveforms = {name: {"codes": _sum(record.codes), "volts": float(record.volts.sum()),
                        "scale": record.scale, "offset": record.offset, "start": record.start,
                        "interval": record.interval, "bits": record.bits, "channel": record.channel}
                 for name, record in shot.waveforms.items()}
    return {"number": shot.number, "moment": shot.moment, "settings": dict(shot.settings),
            "origin": shot.origin.value, "waveforms": waveforms,
            "traces": {name: trace.tolist() for name, trace in shot.traces.items()},
            "start": None if shot.start != shot.start else shot.start,
            "energy": None if shot.energy != shot.energy else shot.energy,
            "fit": shot.fit.as_json() if shot.fit else None}


def _sum(codes: Any) -> str:
    return hashlib.sha256(codes.astype("<i2").tobytes()).hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
