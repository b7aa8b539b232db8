"""The page on running, command by command, on software instruments; test_documents.py runs its Python."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from procedures import open_bench, open_run, run
from procedures.machinery.records import events
from procedures.machinery.sequence import Sequence


@pytest.fixture(scope="module")
def here(page, serving, tmp_path_factory):
    """(page, folder with bench.toml and plan.toml, a run that ended early, true s [J] of E_th = s/Q_L)."""
    folder, page = tmp_path_factory.mktemp("running"), page("running.md")
    with serving(folder / "truth.jsonl", time_scale=5.0) as (ready, _):
        (folder / "bench.toml").write_text(ready.read_text("utf-8"), "utf-8")
        (plan,) = page.blocks("toml")
        (folder / "plan.toml").write_text(plan, "utf-8")
        stored = []
        with open_bench(folder / "bench.toml") as bench:
            early = run("pump_threshold", bench, folder / "runs", seed=1, shots=5, pump_energy_start="0.5mJ",
                        publish=lambda e: isinstance(e, events.ShotStored) and stored.append(e),
                        should_stop=lambda: len(stored) >= 2, repetition_rate=5)
        early.close()
        truth = json.loads((folder / "truth.jsonl").read_text().splitlines()[0])["bench"]
        yield page, folder, str(early.path), truth["threshold_energy"] * truth["loaded_quality"]


def test_every_command_of_the_page_works_and_says_what_the_page_says(here, carry_out):
    page, folder, early, truth = here
    assert len(page.commands) >= 11
    told, sequence = {}, ""
    for line in page.commands:
        told[line] = carry_out(line, folder, RUN=early, SEQUENCE=sequence)
        *_, last = told[line].splitlines()
        sequence = last.removeprefix("sequence ") if last.startswith("sequence ") else sequence
    assert "slope s [J] of threshold energy against 1/Q_L" in told[page.commands[0]]
    runs = {path.name: json.loads((path / "result.json").read_text())
            for path in (folder / "runs").iterdir() if (path / "result.json").is_file()}
    scans = [result for name, result in runs.items() if "-quality_scan-" in name]
    assert len(scans) == 5      # one by itself, four of the sequence
    for result in scans:
        assert abs(result["threshold_per_quality"] - truth) < 4 * result["threshold_per_quality_sigma"]
        assert set(result["verdicts"]) == {"OK"}
    counted = [result.get("verdicts", {}) for result in runs.values()]
    assert [sum(verdicts.values()) for verdicts in counted if verdicts.get("CONTROL") == 2] == [10]
    known = Sequence(Path(sequence))
    assert known.state == "finished" and len(known.past) == 5
    continued = [path for path in (folder / "runs").glob("*-pump_threshold-*") if open_run(path).former]
    assert len(continued) == 1
