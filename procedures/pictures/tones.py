"""What a tone at the loop does: it seeds bursts, and is amplified."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..machinery.drawing.picture import Axis, Mark, Panel, Picture, Series, line, points, residuals
from ..machinery.storage.measured import Measured
from ..pump_probe import gains, smooth
from ..seeded_delay import seeded

_NEPER = 10.0 / math.log(10.0)  # [dB] of a factor e in power


def seeded_delay(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]
                 ) -> Picture | None:
    """Delay against the logarithm of the seed, with the line whose slope is one over the growth rate."""
    powers, delays, strong = seeded(measured)
    if not len(powers):
        return None
    series = [points("burst", powers[strong], delays[strong])]
    if not np.all(strong):
        series.append(Series("drowned by thermal photons", "hollow", powers[~strong], delays[~strong]))
    at, panels = Axis("power of the seed at the loop", "dBm"), []
    if "growth_rate" in answer:
        fall = -1.0 / (answer["growth_rate"] * _NEPER)
        offset = float(np.mean(delays[strong] - fall * powers[strong]))
        fine = np.linspace(powers.min(), powers.max(), 2)
        told = f"{1e9 * fall * 10.0:.0f} ns for 10 dB: growth {1e-6 * answer['growth_rate']:.2f}/µs"
        series.append(line(told, fine, offset + fall * fine))
        panels = [residuals(at, powers, delays - offset - fall * powers, "s")]
    late = Panel(at, Axis("delay of the burst", "s"), tuple(series))
    return Picture("delay of seeded bursts", (late, *panels))


def pump_probe(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]) -> Picture | None:
    """Gain against the probe's detuning, with the smooth line and its width 3 dB below the top."""
    detuning, gain = gains(measured, settings["probe_delay"])
    told = smooth(detuning, gain)
    series: list[Series] = [points("shots", detuning, gain)]
    marks: list[Mark] = []
    if told is not None:
        x, _, curve = told
        fine = np.linspace(x.min(), x.max(), 300)
        series.append(line("smooth line near the top", fine, curve(fine)))
        top = answer.get("gain_db", float(np.max(curve(fine))))
        marks = [Mark(f"{top:.1f} dB", y=top), Mark("3 dB below", y=top - 3.0)]
    title = f"gain {1e6 * settings['probe_delay']:.3g} µs after the light"
    return Picture(title, (Panel(Axis("detuning of the probe from the declared mode", "Hz"),
                                 Axis("gain", "dB"), tuple(series), tuple(marks)),))
