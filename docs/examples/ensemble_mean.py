"""Draws docs/images/ensemble_mean.png: single shots, their mean, and second order, which is not their mean.

    python docs/examples/ensemble_mean.py [FILE.png]
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from twin import pentacene, simulate, simulate_ensemble
from twin.drive import Drive

SHOWN = 12


def draw(target: Path, shots: int = 400) -> None:
    """Photons and stored energy against time, for the default crystal and pump."""
    p, drive, times = pentacene.Parameters(), Drive(), np.linspace(0.0, 1e-6, 1001)
    ensemble = simulate_ensemble(p, drive, times, shots, seed=11)
    second = simulate(p, drive, times)
    figure, panels = plt.subplots(2, 1, sharex=True, figsize=(7.0, 5.6), layout="constrained")
    pairs = ((ensemble.photons, second.photons, 1e16, "photons in the mode [10$^{16}$]"),
             (ensemble.populations[..., 4], second.populations[:, 4], 1.0, "stored energy [Nħω$_{35}$]"))
    for panel, (single, moments, unit, label) in zip(panels, pairs, strict=True):
        panel.plot(1e9 * times, single[:SHOWN].T / unit, color="0.75", lw=0.8)
        panel.plot([], [], color="0.75", label=f"{SHOWN} single shots")
        mean = single.mean(axis=0) / unit
        panel.plot(1e9 * times, mean, color="C0", lw=2.2, label=f"mean of {shots} shots")
        panel.plot(1e9 * times, moments / unit, color="C3", lw=1.6, ls="--", label="second order")
        panel.set_ylabel(label)
    panels[0].set_xlim(300.0, 1000.0)
    panels[0].legend(frameon=False)
    panels[1].set_xlabel("time after the pump is on [ns]")
    figure.savefig(target, dpi=85)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else
         Path(__file__).resolve().parents[1] / "images" / "ensemble_mean.png")
