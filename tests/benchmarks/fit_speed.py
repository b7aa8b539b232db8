"""How fast is a cold fit? A script, not a test: python tests/benchmarks/fit_speed.py [shots]

Prints milliseconds per cold fit and per library, and the ratio to what one writes first: SciPy's
least_squares with finite differences over solve_ivp(LSODA) and a NumPy right-hand side, on the
same record in the same process. Times are CPU times of this process, so a busy machine disturbs
them less; the ratio is what counts.
"""

import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracles"))

from fitted_shots import CARRIER, CRYSTAL, EDGE, PUMP, fitted, shot
from mean_field_by_hand import slope

from twin import trace_library
from twin.optical_pump import triplets_per_molecule
from twin.receiver import rice_mean_std


def cpu(call):
    """(CPU milliseconds, result) of one call."""
    start = time.process_time()
    result = call()
    return 1e3 * (time.process_time() - start), result


def naive(record, drive):
    """Five parameters by SciPy alone, from a start that is 3 % off."""
    lit = record.time > EDGE
    times = record.time[lit] - EDGE
    last = times <= 10e-6
    times, volts = times[last], record.volts[lit][last]
    pulse, evaluations = drive.pump_rate, 0

    def model(u):
        nonlocal evaluations
        evaluations += 1
        p = CRYSTAL.replace(coupling=np.exp(u[0]), cavity_decay=np.exp(u[1]), dephasing_35=np.exp(u[2]))
        state = np.zeros(7)
        state[0], state[2] = np.sqrt(np.exp(u[3]) / p.molecules), 1.0

        def rhs(t, z):
            full = np.array([z[0], 1j * z[1], *z[2:]])
            change = slope(p, np.interp(t, pulse.times, pulse.rates, left=0.0, right=0.0), full)
            return np.array([change[0].real, change[1].imag, *change[2:].real])

        pieces = (0.0, pulse.times[-1], times[-1] + 1e-12)
        found = []
        for a, b in pairwise(pieces):
            asked = times[(times > a) & (times <= b)]
            solved = solve_ivp(rhs, (a, b), state, method="LSODA", rtol=1e-8, atol=1e-18,
                               t_eval=np.append(asked, b), max_step=2e-9 if a == 0.0 else np.inf)
            state = solved.y[:, -1]
            found.append(solved.y[0, :-1])
        amplitude = CARRIER.volts(np.exp(u[4]) * p.molecules * np.concatenate(found) ** 2)
        mean, _, std = rice_mean_std(amplitude, record.sigma)
        return (volts - mean) / std

    true = record.truth
    g = true["collective_coupling"] / np.sqrt(CRYSTAL.molecules * triplets_per_molecule(CRYSTAL, drive))
    start = np.log([1.03 * g, 1.03 * true["cavity_decay"], 0.97 * true["dephasing_35"],
                    true["seed_photons"], 1.0])
    result = least_squares(model, start, method="lm", diff_step=1e-6, max_nfev=200)
    return result, evaluations


def main(shots):
    records = [shot(i) for i in range(shots)]
    drive = records[0][1]
    coupling = CRYSTAL.coupling * np.sqrt(CRYSTAL.molecules * triplets_per_molecule(CRYSTAL, drive))
    trace_library.library(CRYSTAL, drive, coupling, (True, True, True))
    trace_library.forget()
    build, _ = cpu(lambda: trace_library.library(CRYSTAL, drive, coupling, (True, True, True)))
    print(f"library of {trace_library.TRACES} traces: {build:.0f} ms")
    for i in range(shots):
        fitted(i)  # compiles, loads caches, builds libraries
    times, evaluations = zip(*[(ms, r.evaluations) for ms, (_, r) in (cpu(lambda i=i: fitted(i))
                                                                       for i in range(shots))], strict=True)
    print(f"cold fit of {len(records[0][0].time)} points: median {np.median(times):.1f} ms, "
          f"p95 {np.percentile(times, 95):.1f} ms, {np.median(evaluations):.0f} evaluations")
    slow, (result, count) = cpu(lambda: naive(*records[0]))
    print(f"least_squares + LSODA + finite differences: {slow:.0f} ms, {count} solves, "
          f"chi2/dof {2 * result.cost / len(result.fun):.3f}")
    print(f"ratio: {slow / np.median(times):.0f}")
    print(f"(pulse of {PUMP.fwhm * 1e9:.1f} ns; CPU times)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
