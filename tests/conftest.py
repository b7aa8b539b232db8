"""What holds for every test: no window on anyone's desk, GUI tests marked, campaigns only on request.

Hypothesis draws the same examples every time, so that a failure is one for everybody. To look for new
ones: HYPOTHESIS_PROFILE=explore pytest ...
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line has it

settings.register_profile("steady", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

_GUI = Path(__file__).parent / "gui"


@pytest.hookimpl(tryfirst=True)  # before pytest itself looks at -m
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if _GUI in item.path.parents:
            item.add_marker("gui")
    if "campaign" not in config.getoption("-m"):
        long = [item for item in items if item.get_closest_marker("campaign")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="session")
def serving(tmp_path_factory):
    """serving(truth_log=None, time_scale=1.0) is a context: (bench file, console) of software instruments of
    one's own, whose time runs faster by `time_scale`.

    A module that moves stages has a bench of its own: what they carry is not quite where it was afterwards.
    """
    from procedures.machinery.apparatus.bench import bench_file
    from procedures.machinery.apparatus.software_instruments import Console

    virtual = bench_file("virtual").read_text("utf-8")

    class WatchedConsole(Console):
        """The console, which tells what the bench really does, for tests that count the seconds."""

        @property
        def safe(self):
            state = self.state()
            return (state["laser"], state["shutter"], state["rf"]) == ("off", "closed", "off")

        def seconds_until_safe(self, patience=5.0):
            """How long it takes from now until laser, shutter and RF are what they should be."""
            began = time.monotonic()
            while not self.safe:
                assert time.monotonic() - began < patience, self.state()
                time.sleep(0.005)
            return time.monotonic() - began

    @contextlib.contextmanager
    def serve(truth_log=None, time_scale=1.0):
        file = tmp_path_factory.mktemp("serving") / "bench.toml"
        file.write_text(virtual.replace("time_scale = 1.0", f"time_scale = {time_scale}"), "utf-8")
        command = [sys.executable, "-m", "maserbench", "mocks", "--bench", str(file),
                   *(["--truth-log", str(truth_log)] if truth_log else [])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            word, _, path = process.stdout.readline().strip().partition(" ")
            assert word == "ready"
            console = WatchedConsole(tomllib.loads(Path(path).read_text())["mocks"]["console"])
            yield Path(path), console
            console.close()
            process.terminate()
            process.wait(10)

    return serve


@pytest.fixture
def without_rights():
    """What to begin a command with so that a folder's rights hold for it, whoever runs the tests."""
    if os.geteuid() != 0:
        return []
    if (setpriv := shutil.which("setpriv")) is None:
        pytest.skip("nothing is forbidden to this user")
    return [setpriv, "--bounding-set=-dac_override,-dac_read_search"]
