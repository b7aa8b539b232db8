"""A virtual bench for the tests of this folder: real software instruments in another process."""

import os
import signal
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
