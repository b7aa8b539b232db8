"""Experiments on the bench, and all that runs, stores and reads them.

    from procedures import open_bench, run
    with open_bench("virtual") as bench:
        r = run("pump_threshold", bench, shots=20, pump_energy_stop="5mJ")

`single_shot.py` is the file to read first. Names are loaded when they are first used, so that looking at
a run loads no instrument and no window.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from instruments.waveform import Waveform
    from twin.fit_result import Verdict

    from . import catalogue
    from .machinery.apparatus.bench import open_bench
    from .machinery.lab_book.run_index import find_runs
    from .machinery.records.shot import FitRow, Origin, Shot
    from .machinery.sequence import run_sequence
    from .machinery.session import run
    from .machinery.storage.runs import open_run

_PLACES = {
    **dict.fromkeys(("FitRow", "Origin", "Shot"), ".machinery.records.shot"),
    "Verdict": "twin.fit_result", "Waveform": "instruments.waveform",
    "open_bench": ".machinery.apparatus.bench", "run": ".machinery.session",
    "run_sequence": ".machinery.sequence", "open_run": ".machinery.storage.runs",
    "find_runs": ".machinery.lab_book.run_index",
}

__all__ = ["FitRow", "Origin", "Shot", "Verdict", "Waveform", "catalogue", "find_runs", "open_bench",
           "open_run", "run", "run_sequence"]


def __getattr__(name: str) -> Any:
    if name == "catalogue":
        return import_module(".catalogue", __name__)
    if name not in _PLACES:
        raise AttributeError(f"module 'procedures' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_PLACES[name], __name__), name)
