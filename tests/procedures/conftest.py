"""A virtual bench for the tests of this folder: real software instruments in another process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from instruments.waveform import Waveform
from procedures import catalogue, open_bench, open_run
from procedures.machinery.apparatus.bench import bench_file
from procedures.machinery.continuing import as_stored, measured_of
from procedures.machinery.drawing.picture_drawing import draw
from procedures.machinery.records.events import RunEnded
from procedures.machinery.records.rows import Rows
from procedures.machinery.records.shot import Origin, Shot
from procedures.machinery.report import picture_of, report
from procedures.machinery.storage.measured import Measured
from procedures.machinery.storage.provenance import manifest
from procedures.machinery.storage.run_folder import RunFolder
from procedures.machinery.storage.run_notes import Remarks
from procedures.machinery.storage.store_block import Channel, Layout
from twin.bench_description import parse, without_truth


@pytest.fixture(scope="session")
def served(serving):
    """(bench file, console) of software instruments that several tests share."""
    with serving() as shared:
        yield shared


@pytest.fixture
def bench(served):
    """The served bench, opened; safe again and all plugs in at the end."""
    with open_bench(served[0]) as opened:
        yield opened


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """Report and picture of a run, from its folder alone; the picture has been drawn as PNG and as SVG."""
    folder = tmp_path_factory.mktemp("pictures")

    def make(done):
        with open_run(done.path) as stored:
            measured = measured_of(stored, as_stored)
            page, picture = report(stored, measured), picture_of(stored, measured)
        for suffix in (".png", ".svg"):
            file = folder / f"{done.path.name}{suffix}"
            draw(picture, file, done.path.name)
            assert file.stat().st_size > 5_000
        for panel in picture.panels:
            assert panel.x.label and panel.y.label and panel.series
            for series in panel.series:
                assert len(series.x) == len(series.y) > 0
                assert np.all(np.isfinite(series.x)) and np.any(np.isfinite(series.y))
        assert done.procedure in page and all(name in page for name in done.settings)
        return page, picture

    return make


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


class Nursery:
    """Starts controllers in processes of their own, one at a time, and hears what they say."""

    def __init__(self, process):
        self._process, self.stored, self.path, self.said = process, 0, None, []
        self.hear("awake")

    def start(self, folder, shots=500, seed=0):
        """A controller that has a guard and begins its run."""
        self.bear(folder, shots, seed)
        self.guard = int(self.hear("guard"))

    def bear(self, folder, shots=500, seed=0):
        """A controller that begins to open the bench."""
        self.stored, self.path, self.said = 0, None, []
        self._send(f"{folder}\t{shots}\t{seed}")
        self.hear("born")
        self.id = self._speaker

    def hear(self, *words):
        """Listen until one of `words` comes, and return what came behind it."""
        for line in self._process.stdout:
            number, word, *rest = line.rstrip("\n").split(" ", 2)
            self._speaker, text = int(number), "".join(rest)
            self.said.append(word)
            self.stored = int(text) + 1 if word == "stored" else self.stored
            self.path = Path(text) if word == "run" else self.path
            if word in words:
                return text
        raise AssertionError("the nursery has died")

    def hear_shots(self, count):
        while self.stored < count:
            self.hear("stored")

    def hear_the_rest(self):
        """All that a controller has said that will say no more."""
        self._send("")
        self.hear("awake")

    def signal(self, name):
        os.kill(self.id, getattr(signal, name))

    def _send(self, line):
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()


@pytest.fixture(scope="module")
def nursery(served):
    command = [sys.executable, str(Path(__file__).with_name("controller_nursery.py")), str(served[0])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Nursery(process)
        process.stdin.close()
