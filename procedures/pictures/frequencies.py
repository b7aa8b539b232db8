"""Emission: its spectrum, and its frequency against that of the cavity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..frequency_tuning import emission_against_cavity
from ..machinery.drawing.picture import Axis, Mark, Panel, Picture, line, points, residuals
from ..machinery.fitting.bursts import has_burst, mean_spectrum
from ..machinery.storage.measured import Measured

_WIDTHS = 2.5  # of the spectrum, to both sides


def emission_spectrum(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]
                      ) -> Picture | None:
    """All bursts' spectra added up, about the declared line."""
    shots = [measured.shots[row.number] for row in measured.rows.complete if has_burst(row)]
    whole = mean_spectrum(measured.description, shots)
    if whole is None:
        return None
    near = np.abs(whole.frequency - whole.centre) < _WIDTHS * whole.linewidth
    declared = measured.description.receivers["burst"].frequency
    at = Axis(f"frequency from {1e-6 * declared:.7g} MHz", "Hz")
    loud = whole.frequency[whole.power > 0.5]
    marks = (Mark("centre", x=whole.centre), Mark("half of the peak", y=0.5),
             Mark("", x=float(loud[0])), Mark("", x=float(loud[-1])))
    series = line(f"{len(shots)} bursts, powers added", whole.frequency[near], whole.power[near])
    return Picture(f"emission: {1e-3 * whole.linewidth:.0f} kHz wide at half of the peak",
                   (Panel(at, Axis("power, relative"), (series,), marks),))


def frequency_tuning(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]
                     ) -> Picture | None:
    """Emission against cavity, from the molecules' line where both are one, with the straight line."""
    cavity, emission = emission_against_cavity(measured)
    if "frequency_35" not in answer or len(cavity) < 3:
        return None
    home, slope = answer["frequency_35"] / (2.0 * math.pi), answer["pulling_slope"]
    x, y = cavity - home, emission - home
    ends = np.array([x.min(), x.max()])
    origin = f"from {1e-6 * home:.4f} MHz"
    at, left = Axis(f"cavity, {origin}", "Hz"), y - slope * x
    return Picture("frequency pulling", (
        Panel(at, Axis("emission, likewise", "Hz"),
              (points("bursts", x, y), line(f"slope {slope:.3f}", ends, slope * ends)),
              (Mark("molecules", x=0.0, sigma=answer.get("frequency_35_sigma", 0.0) / (2.0 * math.pi)),)),
        residuals(at, x, left, "Hz")))


def detuning_scan(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]
                  ) -> Picture | None:
    """Emission against cavity over all the range that masers, with the straight line and its residual."""
    base = frequency_tuning(measured, answer, settings)
    return None if base is None else Picture("bursts against detuning", base.panels)
