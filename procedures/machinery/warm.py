"""numba compiles the twin once per machine; done here, before other processes would each do it.

Calls the twin; touches nothing else.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import cache

_SILENT = 3.0  # [s] after which a person should know why nothing happens


def tell_when_compiling() -> None:
    """One line on stderr, should the twin's inner loops have to be compiled first."""
    from twin import compiled

    compiled.telling[:] = [lambda: print("compiling the twin for this machine; this happens once and takes "
                                         "some seconds ...", file=sys.stderr, flush=True)]


def warm(say: Callable[[str], None] = lambda text: None) -> None:
    """Load (or compile, the first time) the twin's inner loops; `say` gets one line when that takes long.

    Once in a process; later calls return at once.
    """
    clock = threading.Timer(_SILENT, say, ("compiling the twin for this machine; this happens once and takes "
                                           "about a minute ...",))
    clock.daemon = True
    clock.start()
    try:
        _solve_once()
    finally:
        clock.cancel()


@cache
def _solve_once() -> None:
    import numpy as np

    from twin import pentacene, simulate
    from twin.fit import fit
    from twin.optical_pump import OpticalPump, pump_drive
    from twin.receiver import Receiver

    p = pentacene.parameters("bench_default")
    drive = pump_drive(p, OpticalPump(), 3e-3)
    times = np.linspace(0.0, 10e-6, 501)
    burst = simulate(p, drive, times, model="mean_field")
    simulate(p, drive, times[:100], model="stochastic", seed=1)
    # One fit as the live one does it: the modulus of a carrier in noise, from a cold start.
    receiver, noise = Receiver(), np.random.default_rng(1)
    dark = np.zeros(100)
    amplitude = np.concatenate((dark, receiver.amplitude(burst.photons)))
    volts = np.hypot(amplitude + 1e-3 * noise.normal(size=601), 1e-3 * noise.normal(size=601))
    fit(np.concatenate((times[1] * np.arange(-100, 0), times)), volts, p, drive, receiver, sigma=1e-3)
