"""numba compiles the twin once per machine; done here, before other processes would each do it.

Calls the twin; touches nothing but a small file in the user's cache, which says that it was done.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import threading
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

import twin
from twin.user_cache import user_cache

_SILENT = 3.0  # [s] after which a person should know why nothing happens


def tell_when_compiling() -> None:
    """One line on stderr, should the twin's inner loops have to be compiled first."""
    from twin import compiled

    compiled.telling[:] = [lambda: print("compiling the twin for this machine; this happens once and takes "
                                         "some seconds ...", file=sys.stderr, flush=True)]


def warm(say: Callable[[str], None] = lambda text: None) -> None:
    """Compile the twin's inner loops unless that was done; `say` gets one line when it takes long.

    What was compiled before is not loaded here: whoever computes loads what it needs.
    """
    if compiled():
        return
    clock = threading.Timer(_SILENT, say, ("compiling the twin for this machine; this happens once and takes "
                                           "about a minute ...",))
    clock.daemon = True
    clock.start()
    try:
        _solve_once()
        _remember()
    finally:
        clock.cancel()


@cache
def compiled() -> bool:
    """Whether this version of the twin was compiled on this machine, and its machine code is still there."""
    try:
        return all(Path(file).is_file() for file in json.loads(_note().read_text("utf-8")))
    except (OSError, ValueError):
        return False


def _remember() -> None:
    from twin.compiled import indexes

    try:
        _note().write_text(json.dumps([str(file) for file in indexes]), "utf-8")
    except OSError:
        pass  # no cache to write to: the next process compiles or loads all of it again
    compiled.cache_clear()


def _note() -> Path:
    """The note of this twin under this interpreter and compiler; a change in any of them asks for another."""
    folder = Path(twin.__file__).parent
    digest = hashlib.sha256("\n".join((sys.version, platform.processor(), str(folder), version("numba"),
                                       version("llvmlite"), version("numpy"))).encode())
    for source in sorted(folder.rglob("*.py")):
        digest.update(source.read_bytes())
    return user_cache() / f"compiled-{digest.hexdigest()[:12]}.json"


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
