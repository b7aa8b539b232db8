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
from numba import carray, njit
from scipy.integrate import solve_ivp

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracles"))
import nine_variables
import raw_moments

from twin import pentacene, simulate, simulate_ensemble
from twin.drive import Drive, Square
from twin.problem import Problem
from twin.simulation import prepare
from twin.sweep import sweep

P = pentacene.Parameters()
SIX = ("coupling", "cavity_decay", "dephasing_35", "molecules", "thermal_photons", "pump_rate")
DILUTE = P.replace(molecules=2e15)
"""A crystal whose burst rings a few times only."""


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
    ratio = f"{theirs / ours:8.3g} x  {theirs:9.4f} s  {than}" if theirs else ""
    print(f"{name:58s} {ours * 1e3:9.3f} ms {ratio}", flush=True)


def error(found, reference):
    return f"error {np.abs(found - reference).max() / reference.max():.0e} of the peak"


def undriven():
    times = np.linspace(0.0, 10e-6, 4000)
    for label, p in (("3e16 molecules", P), ("2e15 molecules", DILUTE)):
        for kind, d, pump, edges in (("continuous", Drive(), lambda t: 6.2e7, ()),
                                     ("a pulse of 0.5 us", Drive(pump_rate=Square(1.5e6, 0.0, 0.5e-6)),
                                      lambda t: 1.5e6 * (t < 0.5e-6), (0.5e-6,))):
            found = simulate(p, d, times, rtol=1e-8)
            accuracy = error(found.photons, simulate(p, d, times, rtol=1e-13).photons)
            theirs = best(lambda p=p, pump=pump, edges=edges: scipy_undriven(p, pump, times, edges), 2)
            ours = best(lambda p=p, d=d: simulate(p, d, times, rtol=1e-8), 40)
            row(f"10 us, rtol 1e-8, {kind}, {label}", ours, theirs, f"solve_ivp LSODA, NumPy; {accuracy}")
            problem = prepare(p, d, "cumulant", SIX)
            row("    with six sensitivities",
                best(lambda p=p, d=d, problem=problem: problem.solve(times, p, d, rtol=1e-8), 10),
                theirs * (2 * len(SIX)), "central differences of it (12 solves)")


def compiled_lsoda():
    """Only where numbalsoda is installed; it has no wheels and is no dependency."""
    try:
        from numba import cfunc
        from numbalsoda import lsoda, lsoda_sig
    except ImportError:
        print("compiled LSODA (numbalsoda): not installed")
        return
    p, xi = DILUTE, 6.2e7
    constants = tuple(float(c) for c in nine_variables.constants(p))
    slope = njit(nine_variables.slope)

    @cfunc(lsoda_sig)
    def right(t, z, dz, data):
        found = slope(carray(z, (9,)), xi, constants)
        for i in range(9):
            dz[i] = found[i]

    times, state = np.linspace(0.0, 10e-6, 4000), np.zeros(9)
    state[0], state[5] = 1.0, p.thermal_photons / p.molecules
    theirs = best(lambda: lsoda(right.address, state, times, rtol=1e-8, atol=1e-18), 10)
    row("10 us, rtol 1e-8, continuous, 2e15 molecules",
        best(lambda: simulate(p, Drive(pump_rate=xi), times, rtol=1e-8), 20), theirs, "numbalsoda LSODA")


def driven():
    times = np.linspace(0.0, 5e-6, 4000)
    for tones in (("rabi_35",), ("rabi_35", "rabi_45", "rabi_34")):
        for rabi in (1e6, 1e7, 1e8):
            d = Drive(**dict.fromkeys(tones, rabi))
            count = len(Problem(P, d, "cumulant").kernel.variables)
            found = simulate(P, d, times, rtol=1e-8)
            accuracy = error(found.photons, simulate(P, d, times, rtol=1e-12).photons)
            begin = time.perf_counter()
            raw_moments.solve(P, times, 6.2e7, **dict.fromkeys(tones, rabi), rtol=1e-8)
            theirs = time.perf_counter() - begin
            row(f"driven second order, {len(tones)} tone(s) of {rabi:.0e}, {count} variables",
                best(lambda d=d: simulate(P, d, times, rtol=1e-8), 5), theirs,
                f"solve_ivp DOP853, NumPy matrices; {accuracy}")
            for model, at, name in (("cumulant", times, "    with six sensitivities"),
                                    ("mean_field", times[::80], "    first order with six, 51 points")):
                problem = prepare(P, d, model, (*SIX[:5], "rabi_35"))
                row(name, best(lambda d=d, problem=problem, at=at: problem.solve(at, P, d, rtol=1e-8), 3))


def maps():
    times = np.linspace(0.0, 10e-6, 500)
    d = Drive(pump_rate=1e6, pump_off_at=0.5e-6)
    axes = {"pump_rate": np.geomspace(2e5, 2e7, 60), "cavity_decay": np.geomspace(5e5, 1e7, 60)}
    ours = best(lambda: sweep(DILUTE, d, times, axes, rtol=1e-8), 3)
    some = [(xi, kappa) for xi in axes["pump_rate"][::20] for kappa in axes["cavity_decay"][::20]]
    begin = time.perf_counter()
    for xi, kappa in some:
        scipy_undriven(DILUTE.replace(cavity_decay=kappa), lambda t, xi=xi: xi * (t < 0.5e-6), times,
                       (0.5e-6,))
    theirs = (time.perf_counter() - begin) * 3600 / len(some)
    row("map of 60 x 60 bursts, 10 us, 500 points each, all cores", ours, theirs,
        "solve_ivp LSODA, one core, 9 points of it")


def ensemble():
    times = np.linspace(0.0, 5e-6, 1000)
    row("400 stochastic shots, 5 us, 1000 points, all cores",
        best(lambda: simulate_ensemble(P, Drive(), times, 400, seed=1), 5))


if __name__ == "__main__":
    undriven()
    compiled_lsoda()
    driven()
    maps()
    ensemble()
