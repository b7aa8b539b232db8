"""Pages of the documents, run command by command as a reader would."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Page:
    """A page of docs/: its text, its `sh` commands line by line, and the blocks of another language."""

    def __init__(self, name):
        self.text = (ROOT / "docs" / name).read_text("utf-8")
        self.commands = [line for block in self.blocks("sh") for line in block.splitlines()]

    def blocks(self, language):
        return re.findall(rf"```{language}\n(.*?)```", self.text, re.DOTALL)


@pytest.fixture(scope="session")
def page():
    """page(name): a page of docs/."""
    return Page


@pytest.fixture(scope="session")
def carry_out():
    """carry_out(command, folder, **words): what it prints there, `words` filled in; it must end with 0."""

    def run(line, folder, **words):
        arguments = [words.get(word, word) for word in shlex.split(line)]
        assert arguments[0] == "maserbench", line
        done = subprocess.run([sys.executable, "-m", *arguments], cwd=folder, text=True, capture_output=True,
                              timeout=120, env={**os.environ, "PYTHONPATH": str(ROOT)})
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
