"""One burst with the twin's line through it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from twin.quantity import show

from ..machinery.drawing.picture import Axis, Panel, Picture, line, points, residuals
from ..machinery.fitting.shot_fit import fit_shot
from ..machinery.storage.measured import Measured

_SHOWN = 1.5  # of the time from the light to the last loud sample
_LOUD, _SMALL = 6.0, 0.01  # sigma, and of the highest sample


def single_shot(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]) -> Picture | None:
    """The first burst that was fitted well, else the first shot: envelope, fit, residuals in sigma."""
    good = measured.rows.resolved()
    shot = measured.shots[good[0].number if good else 0]
    if "burst" not in shot.waveforms:
        return None
    seen = fit_shot(measured.description, shot)
    verdict = seen.row.verdict.name
    origin = shot.start if np.isfinite(shot.start) else 0.0
    after = seen.time - origin
    sigma = np.broadcast_to(seen.sigma, seen.time.shape)
    noise = float(np.nanmedian(sigma)) if np.any(np.isfinite(sigma)) else float(np.std(seen.data_volts[:50]))
    height = seen.model_volts if np.any(np.isfinite(seen.model_volts)) else seen.data_volts
    loud = after[height > max(_LOUD * noise, _SMALL * float(np.nanmax(height)))]
    until = _SHOWN * float(loud[-1]) if len(loud) and loud[-1] > 0.0 else float(after[-1])
    shown = (after > -0.1 * until) & (after < until)
    time, fitted = Axis("time after the light", "s"), bool(np.any(np.isfinite(seen.model_volts)))
    series = [points(f"shot {shot.number}", after[shown], seen.data_volts[shown])]
    panels = []
    if fitted:
        series.append(line(f"mean field, {verdict}", after[shown], seen.model_volts[shown]))
        left = (seen.data_volts - seen.model_volts) / sigma
        panels.append(residuals(time, after[shown], left[shown], "σ"))
    energy = f" of a pulse of {show(shot.energy, 'J')}" if np.isfinite(shot.energy) else ""
    return Picture(f"burst{energy}", (Panel(time, Axis("amplitude", "V"), tuple(series)), *panels))
