"""What happens between light and burst: a pulse on 4-5, a hold in a spoiled cavity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..battery_store import bursts_held, decay
from ..drive_scan import pulses, turned, turning
from ..machinery.drawing.picture import Axis, Mark, Panel, Picture, Series, line, points
from ..machinery.storage.measured import Measured


def drive_scan(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]) -> Picture | None:
    """What pulses of growing length leave to the burst, with the damped cosine."""
    p, found = measured.description.expected.parameters, pulses(measured)
    if len(found) < 2:
        return None
    lengths, moments, left = found.T
    series: list[Series] = [points("bursts", lengths, left / np.mean(left))]
    fitted, told = turning(p, lengths, moments, left), "pulse on 4-5"
    if fitted is not None and "rabi_per_sqrt_watt" in answer:
        rising, first = np.unique(lengths, return_index=True)
        fine = np.linspace(rising[0], rising[-1], 300)
        columns = turned(p, fine, _between(fine, rising, moments[first]))(fitted.shape)
        omega = answer["rabi_per_sqrt_watt"] * math.sqrt(settings["power"])
        series.append(line("damped cosine", fine, columns @ fitted.amplitudes))
        told += f": Ω/2π = {1e-3 * omega / (2.0 * math.pi):.1f} kHz at {1e3 * settings['power']:.3g} mW"
    return Picture(told, (Panel(Axis("length of the pulse", "s"),
                                Axis("burst / pump energy, relative"), tuple(series)),))


def _between(at: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """y (N,) at places between rising x (N,), without kinks: Hermite's cubic with differences for slopes."""
    slopes = np.gradient(y, x)
    left = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    h = x[left + 1] - x[left]
    t = (at - x[left]) / h
    return np.asarray((1.0 + 2.0 * t) * (1.0 - t) ** 2 * y[left] + t * (1.0 - t) ** 2 * h * slopes[left]
                      + t**2 * (3.0 - 2.0 * t) * y[left + 1] + t**2 * (t - 1.0) * h * slopes[left + 1])


def battery_store(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]
                  ) -> Picture | None:
    """Energy of the released bursts against the time since the light, with the line and its 1/e."""
    late, stored, strong = bursts_held(measured)
    if not len(late):
        return None
    found = decay(late[strong], stored[strong])
    scale, marks = float(np.max(stored)), []
    series: list[Series] = []
    if found is not None:
        (lifetime,), (a, b) = found.shape, found.amplitudes
        scale = float(a + b)
        fine = np.linspace(0.0, 1.05 * float(late.max()), 200)
        series = [line("A exp(-t/T) + B", fine, (a * np.exp(-fine / lifetime) + b) / scale)]
    series.insert(0, points("burst", late[strong], stored[strong] / scale))
    if not np.all(strong):
        faint = stored[~strong] / scale
        series.append(Series("too faint to be proportional", "hollow", late[~strong], faint))
    if "storage_time" in answer:
        time = answer["storage_time"]
        marks = [Mark(f"{1e6 * time:.2f} µs", x=time, sigma=answer.get("storage_time_sigma", 0.0)),
                 Mark("1/e", y=1.0 / math.e)]
    return Picture("energy stored in the crystal", (
        Panel(Axis("time from the light to the burst", "s"), Axis("energy released, relative to t = 0"),
              tuple(series), tuple(marks)),))
