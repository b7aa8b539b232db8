"""What holds for every test: no window on anyone's desk, GUI tests marked, campaigns only on request.

Hypothesis draws the same examples every time, so that a failure is one for everybody. To look for new
ones: HYPOTHESIS_PROFILE=explore pytest ...
"""

from __future__ import annotations

import os
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
