"""A virtual bench for the tests of this folder: real software instruments in another process."""

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from instruments.waveform import Waveform
from procedures import catalogue, open_bench
from procedures.machinery.bench import bench_file
from procedures.machinery.events import RunEnded
from procedures.machinery.measured import Measured
from procedures.machinery.provenance import manifest
from procedures.machinery.rows import Rows
from procedures.machinery.run_folder import RunFolder
from procedures.machinery.run_notes import Remarks
from procedures.machinery.shot import Origin, Shot
from procedures.machinery.software_instruments import Console
from procedures.machinery.store import Channel, Layout
from twin.bench_description import parse, without_truth


@pytest.fixture(scope="session")
def served():
    """(bench file, console) of software instruments that several tests share."""
    command = [sys.executable, "-m", "maserbench", "mocks"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        word, _, path = process.stdout.readline().strip().partition(" ")
        assert word == "ready"
        console = Console(tomllib.loads(Path(path).read_text())["mocks"]["console"])
        yield Path(path), console
        console.close()
        process.terminate()
        process.wait(10)


@pytest.fixture
def bench(served):
    """The served bench, opened; safe again and all plugs in at the end."""
    with open_bench(served[0]) as opened:
        yield opened


@pytest.fixture(scope="session")
def from_disk():
    """What a finished run answers when it is asked once more, from its stored records alone."""

    def answer(done):
        held = Measured(parse(done.bench_text, done.path.name), done.shots, Rows())
        told = catalogue.procedure(done.procedure)(**done.settings).answer(held)
        return {name: value for name, value in told.items() if name != "verdicts"}

    return answer


@pytest.fixture(scope="session")
def make_run():
    """Makes a run folder as a session leaves it, without a bench; `end` None: killed. The photodiode sees
    every other shot, with 1 mJ; all are 2 mJ by the Q-switch delay."""
    bench = without_truth(bench_file("virtual").read_text("utf-8"))

    def make(folder, procedure="pump_threshold", started="2026-03-01T10:00:00.000000Z", given=None,
             result=None, end="finished", shots=2, origin=Origin.SIMULATED, **remarks):
        run = RunFolder(folder, procedure)
        given = given or {"shots": shots, "pump_energy_stop": 5e-3}
        run.write_manifest(manifest(run.path.name, procedure, started, 1, origin, given, "bench.toml", bench,
                                    {}, Remarks(**remarks)))
        run.start_store(Layout({"burst": Channel(100, "CHAN1", 10)}, {}, ("pump.energy",)), {})
        record = Waveform(np.zeros(100, np.int16), 1e-3, 0.0, 0.0, 1e-9, "CHAN1", 10)
        for number in range(shots):
            seen = 1e-3 if number % 2 else float("nan")
            run.append(Shot(number, started, {"pump.energy": 2e-3}, {"burst": record}, origin, energy=seen))
        if end is not None:
            run.finish(result or {})
            run.note(RunEnded(run.path, end, "", result or {}))
        run.close()
        return run.path

    return make
