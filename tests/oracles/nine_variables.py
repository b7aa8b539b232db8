"""An oracle: the undriven second order of pentacene, nine real numbers typed by hand, solved by SciPy.

Independent of `twin`'s declaration, readings, tables, kernels and integrator; only the record of parameters
is shared. Scaled by N, with X = sigma^53, Y = sigma^35, G = g sqrt N, D = w_m - w_35 and j = 2 G Im gX, the
photons per molecule and second that leave the mode for the molecules:

  mu' = -kappa (mu - n_th/N) - j          s55' = ... + j          s33' = ... - j
  gX' = -(i D + kappa/2 + Gamma) gX - i G [mu (s55 - s33) + s55/N + (1 - 1/N) pXY]
  pXY' = -2 Gamma pXY - 2 G (s55 - s33) Im gX

Here gX = <a sigma^53>/sqrt N and pXY = <sigma^53_1 sigma^35_2>, which is real.
"""

from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp

NAMES = ("s11", "s22", "s33", "s44", "s55", "mu", "gX.re", "gX.im", "pXY")


def solve(p, pump, times, edges=(), rtol=1e-11, method="DOP853"):
    """(T, 9) for the pump rate pump(t) [1/s], which jumps at `edges` [s] only; the start is t = 0."""
    times = np.asarray(times, float)
    state = np.zeros(9)
    state[0], state[5] = 1.0, p.thermal_photons / p.molecules
    found = np.tile(state, (len(times), 1))
    bounds = [0.0, *[e for e in sorted(edges) if 0.0 < e < times[-1]], times[-1]]
    rates = constants(p)
    for a, b in pairwise(bounds):
        asked = (times > a) & (times <= b)
        # Just inside the segment, so that a jump at its end is not seen before its time.
        inside = lambda t, a=a, b=b: pump(min(max(t, a + 1e-9 * (b - a)), b - 1e-9 * (b - a)))  # noqa: E731
        solution = solve_ivp(lambda t, z, xi=inside: slope(z, xi(t), rates), (a, b), state, method=method,
                             rtol=rtol, atol=1e-32, t_eval=np.union1d(times[asked], b),
                             first_step=1e-3 * (b - a))
        found[asked] = solution.y[:, : asked.sum()].T
        state = solution.y[:, -1]
    return found


def constants(p):
    """The numbers of the right-hand side, worked out once."""
    k31, k41, k51 = p.triplet_decay
    b3, b4, b5 = p.branching
    l35, l34, l45 = p.spin_lattice_35, p.spin_lattice_34, p.spin_lattice_45
    gamma = (p.dephasing_35 + (p.dephasing_34 + p.dephasing_45) / 4
             + (k31 + k51 + 2 * l35 + l34 + l45) / 2)
    return (p.spontaneous_emission, p.intersystem_crossing, b3, b4, b5, k31, k41, k51, l35, l34, l45,
            p.cavity_decay, p.thermal_photons / p.molecules, 1.0 / p.molecules,
            p.coupling * np.sqrt(p.molecules), gamma, p.cavity_frequency - p.frequency_35)


def slope(z, xi, rates):
    """Time derivative of the nine variables."""
    (sp, isc, b3, b4, b5, k31, k41, k51, l35, l34, l45, kappa, thermal, one, g, gamma, detuning) = rates
    s1, s2, s3, s4, s5, mu, re, im, pair = z
    exchange, inversion = 2.0 * g * im, s5 - s3
    decay = 0.5 * kappa + gamma
    return np.array([
        -xi * s1 + (xi + sp) * s2 + k31 * s3 + k41 * s4 + k51 * s5,
        xi * s1 - (xi + sp + isc) * s2,
        isc * b3 * s2 - k31 * s3 + l34 * (s4 - s3) + l35 * (s5 - s3) - exchange,
        isc * b4 * s2 - k41 * s4 + l34 * (s3 - s4) + l45 * (s5 - s4),
        isc * b5 * s2 - k51 * s5 + l35 * (s3 - s5) + l45 * (s4 - s5) + exchange,
        -kappa * (mu - thermal) - exchange,
        -decay * re + detuning * im,
        -decay * im - detuning * re - g * (mu * inversion + s5 * one + (1.0 - one) * pair),
        -2.0 * gamma * pair - 2.0 * g * inversion * im])
