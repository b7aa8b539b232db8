"""Prints the table of docs/stochastic.md: where a larger chi stands in for an inhomogeneous line.

For each crystal and line: the burst of the mean field with the line in bins, with chi + FWHM/2 instead, and
an ordinary mean field fitted to the first with chi, G, seed and scale free. Takes some minutes.

    python docs/examples/line_widths.py
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import least_squares

from twin import pentacene, simulate
from twin.drive import Drive
from twin.optical_pump import OpticalPump, pump_drive
from twin.pentacene import Parameters
from twin.spread import Spread

BENCH = pentacene.parameters("bench_default")
CASES = (  # the last is the number of bins that a Lorentzian's wings need at this coupling
    ("battery", Parameters(), Drive(), np.linspace(0.0, 2e-6, 1001), 4001),
    ("5 mJ", BENCH, pump_drive(BENCH, OpticalPump(), 5e-3), np.linspace(0.0, 6e-6, 1501), 801),
    ("0.5 mJ", BENCH, pump_drive(BENCH, OpticalPump(), 5e-4), np.linspace(0.0, 20e-6, 2001), 401))


def burst(photons: np.ndarray, times: np.ndarray) -> tuple[float, float, float]:
    """Largest photon number, its time [s], and the next maximum relative to it (0: none above 0.1 %)."""
    top = int(photons.argmax())
    inner = photons[1:-1]
    later = np.flatnonzero((inner > photons[:-2]) & (inner >= photons[2:])
                           & (inner > 1e-3 * photons[top])) + 1
    later = later[later > top]
    return photons[top], times[top], photons[later[0]] / photons[top] if len(later) else 0.0


def fitted(p: Parameters, d: Drive, times: np.ndarray, photons: np.ndarray,
           guess: float) -> tuple[np.ndarray, float]:
    """ln of (chi, G, seed, scale), the last three relative, and the misfit over the peak amplitude."""
    shape = np.sqrt(photons / photons.max())

    def misfit(q: np.ndarray) -> np.ndarray:
        chi, g, seed, scale = np.exp(q)
        model = simulate(p.replace(dephasing_35=chi, coupling=p.coupling * g), d, times, model="mean_field",
                         seed_photons=p.thermal_photons * seed, rtol=1e-7).photons
        return np.nan_to_num(np.sqrt(np.maximum(model, 0.0) * scale / photons.max()), nan=10.0) - shape

    bounds = ([0.0, -1.0, -6.0, -2.0], [25.0, 1.0, 6.0, 2.0])
    tried = [least_squares(misfit, [math.log(chi), 0.0, 0.0, 0.0], x_scale=[0.3, 0.01, 0.3, 0.1],
                           bounds=bounds, diff_step=1e-4) for chi in (p.dephasing_35, guess)]
    best = min(tried, key=lambda found: found.cost)
    return best.x, math.sqrt(2.0 * best.cost / len(times))


def show(name: str, photons: np.ndarray, times: np.ndarray, reference: float) -> str:
    peak, when, ring = burst(photons, times)
    return f"{name}: peak {peak / reference:.2f} at {1e9 * when:.0f} ns, second {ring:.2f}"


def main() -> None:
    for name, p, d, times, many in CASES:
        none = simulate(p, d, times, model="mean_field").photons
        print(show(f"{name}, no line", none, times, none.max()))
        for shape, megahertz in ((s, f) for s in ("gaussian", "lorentzian") for f in (0.1, 0.3, 0.7, 1.4)):
            width = 2.0 * math.pi * 1e6 * megahertz
            spread = Spread.inhomogeneous(width, many if shape == "lorentzian" else 61, shape)
            line = simulate(p, d, times, model="mean_field", spread=spread, rtol=1e-8).photons
            wider = p.replace(dephasing_35=p.dephasing_35 + 0.5 * width)
            wide = simulate(wider, d, times, model="mean_field")
            q, misfit = fitted(p, d, times, line, p.dephasing_35 + 0.3 * width)
            share = (math.exp(q[0]) - p.dephasing_35) / (0.5 * width)
            print(show(f"{name}, {shape} {megahertz} MHz", line, times, none.max()),
                  show("chi + FWHM/2", wide.photons, times, none.max()),
                  f"fitted chi + {share:.2f} FWHM/2, G {100 * math.expm1(q[1]):+.1f} %, misfit {misfit:.4f}",
                  sep=" | ", flush=True)


if __name__ == "__main__":
    main()
