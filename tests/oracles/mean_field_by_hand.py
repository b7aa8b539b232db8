"""An oracle: the undriven mean field of pentacene, typed by hand and solved by SciPy.

Independent of `twin`'s declaration, readings, tables and integrator; only the record of parameters is
shared. With x = <a>/sqrt N and seven complex numbers:

  x' = -(i D + kappa/2) x - i G c,            c = <sigma^35>, G = g sqrt N, D = w_m - w_35
  c' = -Gamma c + i G x (s5 - s3)
  s5' = ... - 2 G Im(x* c),   s3' = ... + 2 G Im(x* c)
"""

from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp


def photons(p, pump, edges, times, seed):
    """Photon number (T,) for the pump rate pump(t) [1/s], which jumps at `edges` [s] only."""
    times = np.asarray(times, float)
    start = min(edges)
    state = np.zeros(7, complex)
    state[0], state[2] = np.sqrt(seed / p.molecules), 1.0
    found = np.full(times.shape, seed, float)
    bounds = [start, *[e for e in sorted(edges) if e > start], max(times[-1], max(edges)) + 1e-12]
    for a, b in pairwise(bounds):
        asked = (times > a) & (times <= b)
        inside = 0.5 * (a + b)
        solution = solve_ivp(lambda t, z, h=0.5 * (b - a), m=inside: slope(p, pump(m + 0.999999 * np.clip(
            t - m, -h, h)), z), (a, b), state, method="DOP853", rtol=1e-11, atol=1e-20,
            t_eval=np.append(times[asked], b), max_step=(b - a) / 3)
        found[asked] = p.molecules * np.abs(solution.y[0, :-1]) ** 2
        state = solution.y[:, -1]
    return found


def slope(p, xi, z):
    """Time derivative of (x, c, s1, s2, s3, s4, s5)."""
    x, c, s1, s2, s3, s4, s5 = z
    k31, k41, k51 = p.triplet_decay
    b3, b4, b5 = p.branching
    l35, l34, l45 = p.spin_lattice_35, p.spin_lattice_34, p.spin_lattice_45
    g = p.coupling * np.sqrt(p.molecules)
    detuning = p.cavity_frequency - p.frequency_35
    gamma = (p.dephasing_35 + 0.25 * (p.dephasing_34 + p.dephasing_45)
             + 0.5 * (k31 + k51 + 2 * l35 + l34 + l45))
    emission = 2 * g * (np.conj(x) * c).imag  # per molecule; > 0 where the mode gains
    isc = p.intersystem_crossing
    return np.array([
        -(1j * detuning + 0.5 * p.cavity_decay) * x - 1j * g * c,
        -gamma * c + 1j * g * x * (s5 - s3),
        -xi * s1 + (xi + p.spontaneous_emission) * s2 + k31 * s3 + k41 * s4 + k51 * s5,
        xi * s1 - (xi + p.spontaneous_emission + isc) * s2,
        isc * b3 * s2 - k31 * s3 + l35 * (s5 - s3) + l34 * (s4 - s3) + emission,
        isc * b4 * s2 - k41 * s4 + l34 * (s3 - s4) + l45 * (s5 - s4),
        isc * b5 * s2 - k51 * s5 + l35 * (s3 - s5) + l45 * (s4 - s5) - emission])
