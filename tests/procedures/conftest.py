"""A virtual bench for the tests of this folder: real software instruments in another process."""

import contextlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from procedures import catalogue, open_bench
from procedures.machinery.measured import Measured
from procedures.machinery.rows import Rows
from procedures.machinery.software_instruments import Console
from twin.bench_description import parse


@contextlib.contextmanager
def serve(truth_log=None):
    """(bench file, console) of a served virtual bench.

    A module that moves stages has one of its own: what they carry is not quite where it was afterwards.
    """
    command = [sys.executable, "-m", "maserbench", "mocks",
               *(["--truth-log", str(truth_log)] if truth_log else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        word, _, path = process.stdout.readline().strip().partition(" ")
        assert word == "ready"
        console = Console(tomllib.loads(Path(path).read_text())["mocks"]["console"])
        yield Path(path), console
        console.close()
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def serving():
    """What serves a bench of its own to a module: serving(truth_log=None) is a context like `serve`."""
    return serve


@pytest.fixture(scope="session")
def served():
    """(bench file, console) of software instruments that several tests share."""
    with serve() as shared:
        yield shared


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
