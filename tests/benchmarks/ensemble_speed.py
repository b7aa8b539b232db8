"""Seconds for 400 stochastic shots of 5 us with 1000 outputs, and what one shot costs with bins of molecules.

    python tests/benchmarks/ensemble_speed.py
"""

import math
from time import perf_counter

import numpy as np

from twin import pentacene, simulate, simulate_ensemble
from twin.drive import Drive
from twin.spread import Spread

P, TIMES = pentacene.Parameters(), np.linspace(0.0, 5e-6, 1000)


def best(call, times=5):
    """Shortest of some calls [s], after one that compiles."""
    call()
    found = []
    for _ in range(times):
        start = perf_counter()
        call()
        found.append(perf_counter() - start)
    return min(found)


if __name__ == "__main__":
    print(f"400 shots: {best(lambda: simulate_ensemble(P, Drive(), TIMES, 400, seed=1)):.3f} s")
    both = Spread.standing_wave(10) * Spread.inhomogeneous(2 * math.pi * 0.7e6)
    for name, spread in (("no spread", None), ("10 couplings", Spread.standing_wave(10)),
                         ("10 couplings x 21 lines", both)):
        shot = best(lambda s=spread: simulate(P, Drive(), TIMES, model="stochastic", seed=1, spread=s))
        mean = best(lambda s=spread: simulate(P, Drive(), TIMES, model="mean_field", spread=s))
        print(f"{name}: one shot {1e3 * shot:.1f} ms, mean field {1e3 * mean:.1f} ms")
