"""numba compiles the twin once per machine; done here, before other processes would each do it.

Calls the twin; touches nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

_SILENT = 3.0  # [s] after which a person should know why nothing happens


def warm(say: Callable[[str], None]) -> None:
    """Load (or compile, the first time) the twin's inner loops; `say` gets one line when that takes long."""
    clock = threading.Timer(_SILENT, say, ("compiling the twin for this machine; this happens once and takes "
                                           "about a minute ...",))
    clock.daemon = True
    clock.start()
    try:
        _solve_once()
    finally:
        clock.cancel()


def _solve_once() -> None:
    import numpy as np

    from twin import pentacene, simulate
    from twin.optical_pump import OpticalPump, pump_drive

    p = pentacene.parameters("bench_default")
    drive = pump_drive(p, OpticalPump(), 1e-3)
    times = np.linspace(0.0, 1e-6, 101)
    simulate(p, drive, times, model="mean_field")
    simulate(p, drive, times, model="stochastic", seed=1)
