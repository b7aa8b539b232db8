"""Speed of the twin's engine as ratios within one run, against what a physicist would write with SciPy.

    python tests/benchmarks/solver_speed.py

Ratios are what counts: the same machine differs by half between two runs. Prints no verdicts.
"""

from __future__ import annotations

import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracles"))
import nine_variables
import raw_moments

from twin import pentacene, simulate, simulate_ensemble
from twin.drive import Drive, Square
from twin.problem import Problem
from twin.simulation import prepare

P = pentacene.Parameters()
SIX = ("coupling", "cavity_decay", "dephasing_35", "molecules", "thermal_photons", "pump_rate")


def best(call, repeats):
    """Shortest of `repeats` runs [s], after one that may compile."""
    call()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return min(times)


def scipy_undriven(p, pump, times, edges=(), method="LSODA", rtol=1e-8):
    """SciPy with a NumPy right-hand side; restarted at the edges, or it would miss the pulse."""
    rates, state = nine_variables.constants(p), np.zeros(9)
    state[0], state[5] = 1.0, p.thermal_photons / p.molecules
    bounds = [0.0, *edges, times[-1]]
    for a, b in pairwise(bounds):
        xi = pump(0.5 * (a + b))
        found = solve_ivp(lambda t, z, xi=xi: nine_variables.slope(z, xi, rates), (a, b), state,
                          method=method, rtol=rtol, atol=1e-18,
                          t_eval=np.union1d(times[(times >= a) & (times <= b)], b))
        state = found.y[:, -1]
    return state


def row(name, ours, theirs=None, than=""):
    ratio = f"{theirs / ours:8.0f} x  {theirs:9.3f} s  {than}" if theirs else ""
    print(f"{name:58s} {ours * 1e3:9.3f} ms {ratio}", flush=True)


def undriven():
    times = np.linspace(0.0, 5e-6, 4000)
    row("second order, 5 us, 4000 points, rtol 1e-8",
        best(lambda: simulate(P, Drive(), times, rtol=1e-8), 20),
        best(lambda: scipy_undriven(P, lambda t: 6.2e7, times), 2), "solve_ivp LSODA, NumPy")
    times = np.linspace(0.0, 10e-6, 4000)
    row("the same, 10 us, continuous pumping",
        best(lambda: simulate(P, Drive(), times, rtol=1e-8), 20),
        best(lambda: scipy_undriven(P, lambda t: 6.2e7, times), 2), "solve_ivp LSODA, NumPy")
    pulsed = Drive(pump_rate=Square(1.5e6, 0.0, 0.5e-6))
    theirs = best(lambda: scipy_undriven(P, lambda t: 1.5e6 * (t < 0.5e-6), times, (0.5e-6,)), 2)
    row("the same, 10 us, a pulse of 0.5 us", best(lambda: simulate(P, pulsed, times, rtol=1e-8), 20), theirs,
        "solve_ivp LSODA, NumPy")
    problem = prepare(P, pulsed, "cumulant", SIX)
    row("with six sensitivities", best(lambda: problem.solve(times, P, pulsed, rtol=1e-8), 10),
        theirs * (2 * len(SIX)), "their central differences (12 solves)")


def driven():
    times = np.linspace(0.0, 5e-6, 4000)
    for rabi in (1e6, 1e7, 1e8):
        d = Drive(rabi_35=rabi)
        count = len(Problem(P, d, "cumulant").kernel.variables)
        ours = best(lambda d=d: simulate(P, d, times, rtol=1e-8), 5)
        theirs = None
        if rabi == 1e6:
            begin = time.perf_counter()
            raw_moments.solve(P, times, 6.2e7, rabi_35=rabi, rtol=1e-8)
            theirs = time.perf_counter() - begin
        row(f"driven second order, Omega_35 = {rabi:.0e}, {count} variables", ours, theirs,
            "solve_ivp DOP853, NumPy")
    d = Drive(rabi_35=1e6, rabi_45=1e6, rabi_34=1e6)
    count = len(Problem(P, d, "cumulant").kernel.variables)
    begin = time.perf_counter()
    raw_moments.solve(P, times, 6.2e7, rabi_35=1e6, rabi_45=1e6, rabi_34=1e6, rtol=1e-8)
    theirs = time.perf_counter() - begin
    row(f"driven second order, three tones, {count} variables",
        best(lambda: simulate(P, d, times, rtol=1e-8), 5), theirs, "solve_ivp DOP853, NumPy")
    problem = prepare(P, Drive(rabi_35=1e6), "cumulant", (*SIX[:5], "rabi_35"))
    row("driven second order with six sensitivities, Omega_35 = 1e6",
        best(lambda: problem.solve(times, P, Drive(rabi_35=1e6), rtol=1e-8), 3))
    problem = prepare(P, Drive(rabi_35=1e6), "mean_field", (*SIX[:5], "rabi_35"))
    row("driven first order with six sensitivities, 51 points",
        best(lambda: problem.solve(times[::80], P, Drive(rabi_35=1e6), rtol=1e-8), 5))


def ensemble():
    times = np.linspace(0.0, 5e-6, 1000)
    row("400 stochastic shots, 5 us, 1000 points, all cores",
        best(lambda: simulate_ensemble(P, Drive(), times, 400, seed=1), 3))


if __name__ == "__main__":
    undriven()
    driven()
    ensemble()
