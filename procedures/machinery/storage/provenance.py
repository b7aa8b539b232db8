"""Where a run comes from: versions, commit, machine, bench file, settings, origin and seed, as manifest.toml.

Reads the installed packages and, in a source checkout, asks git once; touches nothing else.
"""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import tomlkit

from ..records.shot import Origin
from .formats import FORMAT, NEEDS
from .run_notes import NOTHING_SAID, Remarks

_PACKAGES = ("maserbench", "numpy", "scipy", "numba", "h5py", "pymeasure", "pyvisa", "pyvisa-py", "xarray")


@cache
def versions() -> dict[str, str]:
    """Python and the packages that shape the data, by name; a package that is absent is left out."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache  # of the code as it was loaded: later changes of the files are not in this process
def commit() -> str | None:
    """The commit of the checkout this code runs from, "-dirty" when files differ; None when installed."""
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return None
    try:
        answer = subprocess.run(["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"],
                                capture_output=True, text=True, timeout=5.0, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None


def manifest(run: str, procedure: str, started: str, seed: int | None, origin: Origin,
             settings: Mapping[str, Any], bench_name: str, bench_text: str,
             identities: Mapping[str, str], remarks: Remarks = NOTHING_SAID,
             calibrations: Sequence[str] = (), continues: str | None = None) -> str:
    """The text of manifest.toml. `settings` in SI units; `identities` what each role answered; `calibrations`
    are the ids of those in force; `continues` leads from this run's folder to that of a former run."""
    document = tomlkit.document()
    document.add(tomlkit.comment("What made this run. Written before the first shot, never changed after."))
    document["format"] = FORMAT
    document["needs"] = NEEDS
    document["run"] = run
    document["procedure"] = procedure
    document["started"] = started
    document["origin"] = origin.value
    if seed is not None:
        document["seed"] = seed
    if continues is not None:
        document["continues"] = continues
    found = commit()
    if found is not None:
        document["commit"] = found
    for name, value in remarks.as_manifest().items():
        document[name] = value
    if calibrations:
        document["calibrations"] = list(calibrations)
    document["machine"] = f"{platform.system()} {platform.release()} {platform.machine()}"
    document["settings"] = dict(settings)
    document["versions"] = versions()
    document["roles"] = dict(identities)
    bench = tomlkit.table()
    bench["name"] = bench_name
    bench["file"] = tomlkit.string(bench_text, multiline="'''" not in bench_text and "\n" in bench_text,
                                   literal="'''" not in bench_text and "\n" in bench_text)
    document["bench"] = bench
    return tomlkit.dumps(document)
