"""The page on running, command by command, on software instruments; test_documents.py runs its Python."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from procedures import open_bench, open_run, run
from procedures.machinery import events
from procedures.machinery.sequence import Sequence

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "running.md").read_text("utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
(PLAN,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with bench.toml, plan.toml, and a run that ended early."""
    folder = tmp_path_factory.mktemp("running")
    command = [sys.executable, "-m", "maserbench", "mocks"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        word, _, ready = process.stdout.readline().strip().partition(" ")
        assert word == "ready"
        (folder / "bench.toml").write_text(Path(ready).read_text("utf-8"), "utf-8")
        (folder / "plan.toml").write_text(PLAN, "utf-8")
        stored = []
        with open_bench(folder / "bench.toml") as bench:
            early = run("pump_threshold", bench, folder / "runs", seed=1, shots=5, pump_energy_start="0.5mJ",
                        publish=lambda e: isinstance(e, events.ShotStored) and stored.append(e),
                        should_stop=lambda: len(stored) >= 2, repetition_rate=5)
        (folder / "early").write_text(str(early.path))
        early.close()
        yield folder
        process.terminate()


def test_every_command_of_the_page_works_and_says_what_the_page_says(folder):
    assert len(COMMANDS) >= 11 and all(line.startswith("maserbench ") for line in COMMANDS)
    told, sequence = {}, ""
    for line in COMMANDS:
        filled = line.replace("RUN", (folder / "early").read_text()).replace("SEQUENCE", sequence)
        done = subprocess.run([sys.executable, "-m", "maserbench", *shlex.split(filled)[1:]], cwd=folder,
                              text=True, capture_output=True, timeout=120,
                              env={**os.environ, "PYTHONPATH": str(ROOT)})
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        told[line] = done.stdout
        *_, last = done.stdout.splitlines()
        sequence = last.removeprefix("sequence ") if last.startswith("sequence ") else sequence
    assert "slope s [J] of threshold energy against 1/Q_L" in told[COMMANDS[0]]
    runs = {path.name: json.loads((path / "result.json").read_text())
            for path in (folder / "runs").iterdir() if (path / "result.json").is_file()}
    scans = [result for name, result in runs.items() if "-quality_scan-" in name]
    assert len(scans) == 5      # one by itself, four of the sequence
    for result in scans:        # s of the truth: see tests/procedures/test_quality.py
        assert abs(result["threshold_per_quality"] - 0.36866) < 4 * result["threshold_per_quality_sigma"]
        assert set(result["verdicts"]) == {"OK"}
    counted = [result.get("verdicts", {}) for result in runs.values()]
    assert [sum(verdicts.values()) for verdicts in counted if verdicts.get("CONTROL") == 2] == [10]
    known = Sequence(Path(sequence))
    assert known.state == "finished" and len(known.past) == 5
    continued = [path for path in (folder / "runs").glob("*-pump_threshold-*") if open_run(path).former]
    assert len(continued) == 1
