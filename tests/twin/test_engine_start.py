"""A fresh process: what it loads, how soon it answers; and no input makes the engine hang."""

import json
import subprocess
import sys
import time

import numpy as np

from twin import pentacene, simulate, stage
from twin.drive import Drive

_FIRST = """
import json, sys, time
started = time.perf_counter()
from twin import pentacene, simulate
from twin.drive import Drive
times = [1e-9 * k for k in range(5000)]
photons = simulate(pentacene.Parameters(), Drive(), times).photons.max()
print(json.dumps([time.perf_counter() - started, photons, sorted(sys.modules)]))
"""


def test_the_first_solve_of_a_fresh_process_is_quick_and_loads_no_window_instrument_or_qutip():
    command = [sys.executable, "-c", _FIRST]
    run = [json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
           for _ in range(3)]  # the first may have to compile
    seconds = min(r[0] for r in run)
    print(f"import and first solve: {seconds:.2f} s")
    assert seconds < 5.0  # wanted 1.2 s on an idle machine; this bound only catches a lost cache
    loaded = {m.split(".")[0] for m in run[-1][2]}
    assert not loaded & {"qutip", "PySide6", "PyQt5", "PyQt6", "pymeasure", "pyvisa", "pandas", "xarray",
                         "matplotlib", "h5py"}


def test_a_step_budget_ends_with_advice(monkeypatch):
    monkeypatch.setattr(stage, "MAX_STEPS", 2000)
    started = time.perf_counter()
    t = simulate(pentacene.Parameters(), Drive(rabi_35=1e11), np.linspace(0.0, 5e-6, 11), model="mean_field")
    assert time.perf_counter() - started < 30.0
    assert t.status != "ok" and "budget" in t.status and "drive" in t.status
    assert np.all(np.isnan(t.photons[1:]))


def test_absurd_drives_end_in_numbers_or_advice():
    p = pentacene.Parameters()
    for d in (Drive(pump_rate=1e12), Drive(cavity_drive=1e15, pump_rate=0.0)):
        t = simulate(p, d, [0.0, 1e-8], model="mean_field")
        assert t.status != "ok" or np.all(np.isfinite(t.photons))
