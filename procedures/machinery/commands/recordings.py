"""`maserbench cavity` and `transient`: recordings that others made, fitted by the twin."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Any

import numpy as np

from procedures.machinery.records.failures import NoAnswer
from procedures.machinery.records.shot import finite
from procedures.machinery.storage.places import for_file
from twin.quantity import nearest, show

_UNITS = {"frequency": "Hz", "cable_delay": "s", "offset": "V", "onset": "s", "nutation_frequency": "Hz",
          "nutation_frequency_cosine": "Hz", "decay_time": "s", "noise": "V"}


def cavity(file: Path, kind: str, json: bool, plot: Path | None) -> None:
    """Print frequency, Q and coupling of a cavity sweep; NoAnswer (3) when the data do not carry them."""
    from twin.cavity import KINDS, fit_sweep
    from twin.sweep_text import read_sweep

    if kind not in KINDS:
        raise ValueError(f"--kind: {nearest(kind, KINDS)}")
    if plot is not None:
        for_file(plot, "--plot")
    sweep = _read(file, lambda text: read_sweep(text, kind))
    found = fit_sweep(sweep, kind)
    if plot is not None:
        _plot_cavity(sweep, found, plot)
    _answer(found, json, file)


def transient(file: Path, json: bool, plot: Path | None) -> None:
    """Print what a transient with nutation tells; NoAnswer (3) when it tells nothing."""
    from twin.transient import analyse_transient, read_transient

    if plot is not None:
        for_file(plot, "--plot")
    time, volts = _read(file, read_transient)
    found = analyse_transient(time, volts)
    if plot is not None:
        _plot((time, volts, "."), (time, found.model, "-"), ("time [s]", "signal [V]"), plot)
    _answer(found, json, file)


def _read(file: Path, parse: Any) -> Any:
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    try:
        return parse(file.read_text("utf-8", errors="replace"))
    except ValueError as wrong:
        raise ValueError(f"{file}: {wrong}") from None


def _answer(found: Any, json: bool, file: Path) -> None:
    if json:
        answer = {"verdict": found.verdict, "parameters": finite(found.parameters),
                  "sigma": finite(found.sigma), "chi2_per_dof": getattr(found, "chi2_per_dof", None)}
        print(json_text.dumps(answer, indent=1, allow_nan=False))
    elif found.parameters:
        for name, value in found.parameters.items():
            error = f" ± {show(found.sigma[name], _UNITS.get(name, ''), 2)}" if name in found.sigma else ""
            print(f"{name}: {show(value, _UNITS.get(name, ''), 7)}{error}")
    if found.verdict != "OK":
        raise NoAnswer(f"{file}: {found.verdict}")


def _plot_cavity(sweep: Any, found: Any, plot: Path) -> None:
    decibels = [20.0 * np.log10(np.maximum(np.abs(s), 1e-12)) for s in (sweep.s, found.model)]
    _plot((sweep.frequency, decibels[0], "."), (sweep.frequency, decibels[1], "-"),
          ("frequency [Hz]", "|S| [dB]"), plot)


def _plot(data: tuple[Any, ...], model: tuple[Any, ...], labels: tuple[str, str], plot: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(*data, ms=2, label="data")
    axes.plot(*model, label="fit")
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.legend()
    try:
        figure.savefig(plot)
    except ValueError as wrong:
        raise ValueError(f"--plot {plot}: {wrong}") from None
