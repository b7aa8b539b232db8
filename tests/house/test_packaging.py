"""The wheel holds what an installed maserbench needs, and the tested versions are on record."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("twin", "instruments", "mock_devices", "procedures", "gui")


def quietly(*arguments: str | Path, cwd: Path = ROOT) -> str:
    # Loops stay uncompiled: whether they are there is the question, and compiling all takes a minute.
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([*map(str, arguments)], capture_output=True, text=True, cwd=cwd, timeout=240,
                          env=clean | {"NUMBA_DISABLE_JIT": "1"})
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    quietly(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_holds_the_five_packages_the_command_line_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert top == {*PACKAGES, "maserbench.py"}


def test_every_source_file_and_bench_file_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.relative_to(ROOT).as_posix() in names


def test_an_installed_wheel_works_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    environment, empty = tmp_path / "environment", tmp_path / "empty"
    empty.mkdir()
    quietly(sys.executable, "-m", "venv", "--without-pip", environment)
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    quietly(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel)
    # Dependencies are lent by the environment of the tests. Its own .pth files, and with them this project,
    # stay out: Python reads those in real site folders only.
    site = quietly(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    lender = Path(str(importlib.util.find_spec("numpy").origin)).parents[1]
    Path(site, "lent.pth").write_text(f"{lender}\n")
    printed = quietly(python, ROOT / "tests" / "house" / "use_installed.py", cwd=empty)
    assert "imported" in printed


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_constraints_name_every_dependency_once_by_its_tested_version() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    tested = [canonical(line.split("==")[0]) for line in lines]
    assert len(tested) == len(set(tested))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
        assert canonical(re.match(r"[\w.-]+", requirement)[0]) in tested


def test_qt_stays_below_the_release_that_aborts_live_plots_on_python_3_11() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for name in ("PySide6-Essentials", "shiboken6"):
        (pin,) = [d for d in dependencies if d.startswith(name) and "python_version<'3.12'" in d]
        assert "<6.12" in pin
