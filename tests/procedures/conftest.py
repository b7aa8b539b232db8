"""A virtual bench for the tests of this folder: real software instruments in another process."""

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from procedures import catalogue, open_bench, open_run
from procedures.machinery.measured import Measured
from procedures.machinery.picture_drawing import draw
from procedures.machinery.report import measured_of, picture_of, report
from procedures.machinery.rows import Rows
from procedures.machinery.software_instruments import Console
from twin.bench_description import parse


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
def drawn(tmp_path_factory):
    """Report and picture of a run, from its folder alone; the picture has been drawn as PNG and as SVG."""
    folder = tmp_path_factory.mktemp("pictures")

    def make(done):
        with open_run(done.path) as stored:
            measured = measured_of(stored)
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
