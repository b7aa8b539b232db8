"""README and docs are true: commands are the ones CI runs, links lead somewhere, Python in them runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md")])
PLACE = re.compile(r"`((?:twin|instruments|mock_devices|procedures|gui|tests|docs|\.ci)/[\w./*-]*)`")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def read_by_ci() -> list[str]:
    command = ["bash", ROOT / ".ci" / "run", "--list"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.skipif(os.name == "nt", reason="CI is a bash script")
def test_ci_runs_the_commands_that_stand_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    packages, demo, tests = read_by_ci()
    shown = "".join(fenced(readme, "sh")).splitlines()
    assert {packages, demo, tests} <= set(shown)
    assert demo.startswith("python3 -m venv") and demo.endswith("maserbench demo")
    assert tests.startswith("python3 -m venv") and "[test]" in tests and tests.count("pytest") == 2


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http://", "https://", "#")):
            assert (path.parent / target.split("#")[0]).exists(), f"{name_of(path)} points to {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_files_that_a_document_names_exist(path: Path) -> None:
    for place in PLACE.findall(path.read_text(encoding="utf-8")):
        assert list(ROOT.glob(place.rstrip("/"))), f"{name_of(path)} names {place}, which does not exist"


@pytest.mark.parametrize("path", [p for p in DOCUMENTS if fenced(p.read_text(encoding="utf-8"), "python")],
                         ids=name_of)
def test_python_in_a_document_runs(path: Path, tmp_path: Path) -> None:
    program = "\n".join(fenced(path.read_text(encoding="utf-8"), "python"))
    command = [sys.executable, "-W", "error", "-P", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=240)
    assert done.returncode == 0, f"{name_of(path)}\n{done.stderr}"


def test_decisions_are_numbered_without_gaps_and_name_what_was_rejected() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(p.name[:4]) for p in records] == list(range(1, len(records) + 1))
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# "), path.name
        assert "Rejected" in text, f"{path.name} does not say what was rejected"
        assert len(text.splitlines()) <= 40, f"{path.name}: a decision fits on a page"


def test_images_are_small() -> None:
    for path in (ROOT / "docs").rglob("*.png"):
        assert path.stat().st_size < 200_000, f"{name_of(path)} has {path.stat().st_size} bytes"
