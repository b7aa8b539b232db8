"""Delays of many bursts: how they are distributed, what chance alone would make of them, and their drift."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..machinery.drawing.picture import Axis, Mark, Panel, Picture, Series, line, points
from ..machinery.fitting.bursts import delay
from ..machinery.storage.measured import Measured

_EULER = 0.5772156649


def shot_statistics(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]
                    ) -> Picture | None:
    """Histogram of the delays with Gumbel's distribution of the fitted growth rate; delays shot by shot.

    ln n0 of a thermal seed is distributed so that the delay -ln(n0)/rate follows Gumbel with the scale
    1/rate; only its place is taken from the data. Bursts that scatter more have other reasons to.
    """
    found = [(shot.number, delay(measured.description, shot)) for shot in measured.shots]
    pairs = np.array([(number, late) for number, late in found if late is not None]).reshape(-1, 2)
    if len(pairs) < 3:
        return None
    numbers, delays = pairs.T
    bins = max(5, round(math.sqrt(len(delays)) * 1.3))
    counts, edges = np.histogram(delays, bins)
    width = float(edges[1] - edges[0])
    series = [Series(f"{len(delays)} bursts, σ {1e9 * np.std(delays, ddof=1):.0f} ns", "bars",
                     edges[:-1] + 0.5 * width, counts.astype(float))]
    rate = answer.get("growth_rate")
    if rate:
        fine = np.linspace(edges[0] - 2.0 * width, edges[-1] + 2.0 * width, 300)
        z = (fine - (float(np.mean(delays)) - _EULER / rate)) * rate
        expected = len(delays) * width * rate * np.exp(-z - np.exp(-z))
        name = f"thermal seed alone, σ {1e9 * math.pi / math.sqrt(6.0) / rate:.0f} ns"
        series.append(line(name, fine, expected))
    late = Axis("delay of the burst", "s")
    mean, sigma = float(np.mean(delays)), answer.get("delay_sigma", 0.0)
    return Picture("delay of bursts at one energy", (
        Panel(late, Axis("shots"), tuple(series)),
        Panel(Axis("shot"), late, (points("", numbers, delays),), (Mark("", y=mean, sigma=sigma),), 0.7)))
