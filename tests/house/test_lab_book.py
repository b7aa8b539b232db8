"""The page about the lab book, run command by command on the virtual bench."""

from __future__ import annotations

import re

import pytest

from procedures import find_runs, open_run


@pytest.fixture(scope="module")
def told(page, carry_out, tmp_path_factory):
    """(folder, {command: what it printed}) of the whole page."""
    folder, page, said, last = tmp_path_factory.mktemp("book"), page("lab_book.md"), {}, ""
    (folder / "runs").mkdir()
    samples = next(block for block in page.blocks("toml") if "doping" in block)
    (folder / "runs" / "samples.toml").write_text(samples, "utf-8")
    assert len(page.commands) >= 14
    for line in page.commands:
        said[line] = carry_out(line, folder, RUN=last)
        if line.startswith("maserbench run "):
            last = said[line].splitlines()[-1].removeprefix("run ")
    return folder, said


def test_every_command_of_the_page_works(told):
    folder, _ = told
    assert {record.procedure for record in find_runs(folder / "runs")} == {"single_shot", "vector_sweep"}


def test_the_run_is_found_by_what_was_said_about_it(told):
    _, said = told
    found = next(text for line, text in said.items() if "--text" in line)
    assert found.endswith("1 run\n") and "PTP-7" in found and "the crack has not grown" in found
    assert '"sample": "PTP-7"' in next(text for line, text in said.items() if "--json" in line)


def test_the_dose_is_what_the_file_says_and_what_the_shots_brought(told):
    folder, said = told
    (record,) = find_runs(folder / "runs", sample="PTP-7")
    with open_run(record.path) as run:
        dose = 1.5 + sum(shot.energy for shot in run.shots)
    assert f"{dose:.4g} J" in said["maserbench samples"]
    assert "sample PTP-7 had 1.5" in next(text for line, text in said.items() if " fly " in line)


def test_the_calibration_is_listed_beside_what_the_bench_file_declares(told):
    listed = told[1]["maserbench calibrations"]
    assert re.search(r"loaded_quality +8(32|33)\d.*in date.*\[receiver.burst\] loaded_quality +8500", listed)
    assert "after the loop was turned" in listed


def test_a_run_names_the_calibrations_that_were_in_force(told, carry_out):
    folder, said = told
    made = next(text for line, text in said.items() if " calibrate " in line).splitlines()[-1]
    made = made.removeprefix("calibration ")
    done = carry_out("maserbench run cavity_sweep --output runs --set points=31 --set span=2MHz", folder)
    with open_run(done.splitlines()[-1].removeprefix("run ")) as run:
        assert run.manifest["calibrations"] == [made]
        notices = [event["text"] for event in run.events if event["event"] == "Notice"]
    assert any("sigma from the bench file's" in text for text in notices)


def test_settings_have_units_and_restore_says_what_it_did(told):
    _, said = told
    shown = said["maserbench settings RUN"]
    assert "vna: SIMULATED" in shown and "centre = 1.4495 GHz" in shown and "trigger_source = " in shown
    assert "settings restored and read back" in said["maserbench restore RUN --bench virtual"]
