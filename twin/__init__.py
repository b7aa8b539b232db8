"""The digital twin: models of the maser bench as pure functions of parameters, drive and times.

    from twin import pentacene, simulate

Reads and writes no instrument, no clock and no window. QuTiP is loaded by the exact reading alone.
"""

from __future__ import annotations

from typing import Any

from . import pentacene

__all__ = ["micromaser", "pentacene", "simulate", "simulate_ensemble"]


def __getattr__(name: str) -> Any:
    # The compiled engine loads at first use, so that reading parameters stays quick.
    if name == "simulate":
        from .simulation import simulate

        return simulate
    if name == "simulate_ensemble":
        from .stochastic import simulate_ensemble

        return simulate_ensemble
    if name == "micromaser":
        import importlib

        return importlib.import_module("twin.micromaser")
    raise AttributeError(f"module 'twin' has no attribute {name!r}")
