"""Scans of pump energy and quality: output and cooperativity, splitting and spectrum, threshold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..machinery.drawing.picture import Axis, Mark, Panel, Picture, Series, line, points, residuals
from ..machinery.fitting.bursts import burst_energy, mean_spectrum
from ..machinery.storage.measured import Measured
from ..pump_threshold import cooperativity, predicted_cooperativity
from ..quality_scan import thresholds
from ..strong_coupling import splitting

_PUMP = Axis("pump energy", "J", log=True)
_WIDTH = Axis("relative width of the loaded mode, 1/Q_L")
_WINDOW = 1.5  # times the splitting, to both sides, of the spectrum that is shown


def pump_threshold(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]
                   ) -> Picture | None:
    """Energy of the bursts, and cooperativity of the fitted ones with the line that gives the threshold."""
    bench, rows = measured.description, [row for row in measured.rows.complete if row.energy > 0.0]
    if not rows:
        return None
    pumped = np.array([row.energy for row in rows])
    emitted = np.array([burst_energy(bench, shot, shot.start) for shot in
                        (measured.shots[row.number] for row in rows)])
    seen = np.array([row.fit is not None and row.fit.verdict.name != "NO_BURST" for row in rows])
    output = [points("burst", pumped[seen], emitted[seen])]
    threshold, detection = answer.get("threshold_energy"), answer.get("detection_energy")
    low = min([float(pumped.min()), *([threshold] if threshold else [])])
    fine = np.geomspace(0.8 * low, 1.1 * float(pumped.max()), 200)
    predicted = np.array([predicted_cooperativity(bench, float(energy)) for energy in fine])
    good = measured.rows.resolved()
    found = points("fitted bursts", np.array([row.energy for row in good]),
                   np.array([cooperativity(row, bench) for row in good]))
    lines = [Series("as declared", "dashed", fine, predicted)]
    if threshold:
        scale = 1.0 / predicted_cooperativity(bench, threshold)
        lines.insert(0, line("times the mean factor of the bursts", fine, scale * predicted))
    sigma = answer.get("threshold_energy_sigma", 0.0)
    marks = [Mark("threshold", x=threshold, sigma=sigma)] if threshold else []
    here = [Mark("half of the shots show a burst", x=detection)] if detection else []
    return Picture("masing threshold", (
        Panel(_PUMP, Axis("energy at the port", "J", log=True), tuple(output), (*marks, *here)),
        Panel(_PUMP, Axis("cooperativity C", log=True), (found, *lines), (*marks, Mark("C = 1", y=1.0)))))


def strong_coupling(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]
                    ) -> Picture | None:
    """Splitting against pump energy, and the two lines of the strongest burst."""
    bench, rows = measured.description, measured.rows.resolved()
    if not rows:
        return None
    energies = np.array([row.energy for row in rows])
    found = np.array([splitting(row, bench) for row in rows])
    series = [points("fitted bursts", energies, found[:, 0], found[:, 1])]
    if "exponent" in answer:
        fine = np.geomspace(0.9 * energies.min(), 1.1 * energies.max(), 100)
        power, factor = np.polyfit(np.log(energies), np.log(found[:, 0]), 1)
        series.append(line(f"∝ energy^{answer['exponent']:.3f}", fine, np.exp(factor) * fine**power))
    panels = [Panel(_PUMP, Axis("splitting 2 g_e/2π", "Hz", log=True), tuple(series))]
    strongest = measured.shots[max(rows, key=lambda row: row.energy).number]
    whole = mean_spectrum(bench, [strongest])
    if whole is not None:
        half = 0.5 * float(found[int(np.argmax(energies)), 0])
        away = whole.frequency - whole.centre
        near = np.abs(away) < 2.0 * _WINDOW * half
        spectrum = line("", away[near], whole.power[near])
        middle = Axis("frequency from the middle of the strongest burst's spectrum", "Hz")
        panels.append(Panel(middle, Axis("power, relative"), (spectrum,),
                            (Mark("-g_e/2π", x=-half), Mark("+g_e/2π", x=half))))
    return Picture("normal-mode splitting", tuple(panels))


def quality_scan(measured: Measured, answer: Mapping[str, Any], settings: Mapping[str, Any]
                 ) -> Picture | None:
    """Threshold energy that each burst tells against 1/Q_L, the line s/Q_L, and what it leaves."""
    found = thresholds(measured)
    if not len(found) or "threshold_per_quality" not in answer:
        return None
    widths, energies, slope = 1.0 / found[:, 0], found[:, 1], answer["threshold_per_quality"]
    ends = np.array([0.9 * widths.min(), 1.05 * widths.max()])
    fitted = line("s/Q_L", ends, slope * ends)
    return Picture("threshold against quality", (
        Panel(_WIDTH, Axis("threshold energy", "J"), (points("bursts", widths, energies), fitted)),
        residuals(_WIDTH, widths, energies - slope * widths, "J")))
