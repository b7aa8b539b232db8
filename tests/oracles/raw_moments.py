"""An oracle: second order of the driven model in raw, unscaled moments, plain NumPy, solved by SciPy.

Written from the master equation in another way than `twin.readings`: no connected moments, no scaling, no
pruning, dense arrays. Unknown are a = <a>, n = <a+ a>, m = <a a>, s[A] = <A>, c[A] = <a A> and
P[A, B] = <A_1 B_2> over 11 operators sigma^ij of one molecule (levels counted from 1), with
X = sigma^53, Y = sigma^35 and <U V W> = <UV><W> + <UW><V> + <VW><U> - 2 <U><V><W>:

  s_A'    = L s + i g (<a [X, A]> + <a+ [Y, A]>)
  a'      = -(i D + kappa/2) a - i g N s_Y - i eps
  n'      = -kappa (n - n_th) + 2 g N Im<a+ Y> + 2 Im(eps a*)
  m'      = -(2 i D + kappa) m - 2 i g N <a Y> - 2 i eps a
  c_A'    = -(i D + kappa/2) c + L c - i eps s_A + i g {<aa [X, A]> + <a+a [Y, A]> - <A Y> - (N - 1) P[A, Y]}
  P_AB'   = L_A P + L_B P + i g {<a [X, A] B> + <a+ [Y, A] B> + <a A [X, B]> + <a+ A [Y, B]>}
"""

from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp

OPERATORS = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (5, 3), (3, 5), (5, 4), (4, 5), (4, 3), (3, 4)]
PLACE = {o: k for k, o in enumerate(OPERATORS)}
K = len(OPERATORS)
DAGGER = np.array([PLACE[j, i] for i, j in OPERATORS])


def unit(i, j):
    """The 5 x 5 matrix |i><j|."""
    m = np.zeros((5, 5), complex)
    m[i - 1, j - 1] = 1.0
    return m


def spread(matrix):
    """A 5 x 5 matrix as coefficients over OPERATORS; nothing may lie outside."""
    row = np.zeros(K, complex)
    rest = matrix.copy()
    for (i, j), k in PLACE.items():
        row[k] = matrix[i - 1, j - 1]
        rest[i - 1, j - 1] = 0.0
    assert np.abs(rest).max() < 1e-9 * (1.0 + np.abs(matrix).max())
    return row


def jumps(p, xi):
    """(rate, operator) of one molecule; a rate r means r (O rho O+ - {O+ O, rho}/2)."""
    found = [(xi, unit(2, 1)), (xi, unit(1, 2)), (p.spontaneous_emission, unit(1, 2))]
    for level, share, decay in zip((3, 4, 5), p.branching, p.triplet_decay, strict=True):
        found += [(p.intersystem_crossing * share, unit(level, 2)), (decay, unit(1, level))]
    for i, j, swap, chi in ((3, 5, p.spin_lattice_35, p.dephasing_35),
                            (3, 4, p.spin_lattice_34, p.dephasing_34),
                            (4, 5, p.spin_lattice_45, p.dephasing_45)):
        found += [(swap, unit(i, j)), (swap, unit(j, i))]
        pure = p.dephasing_operator == "pure"
        found.append((chi / 2, unit(i, i) - unit(j, j) if pure else unit(i, j) - unit(j, i)))
    return found


def generator(p, xi, rabi_35, rabi_45, rabi_34, energies):
    """L (K, K) with <A>' = L <.>, coupling to the mode left out."""
    h = sum(e * unit(i, i) for i, e in zip((3, 4, 5), energies, strict=True))
    for omega, i, j in ((rabi_35, 3, 5), (rabi_45, 4, 5), (rabi_34, 3, 4)):
        h = h + omega * (unit(i, j) + unit(j, i))
    rows = []
    for operator in OPERATORS:
        a = unit(*operator)
        change = 1j * (h @ a - a @ h)
        for rate, o in jumps(p, xi):
            oo = o.conj().T @ o
            change = change + rate * (o.conj().T @ a @ o - (oo @ a + a @ oo) / 2)
        rows.append(spread(change))
    return np.array(rows)


def bracket(first):
    """(K, K): coefficients of [first, A] for each A."""
    m = unit(*first)
    return np.array([spread(m @ unit(*o) - unit(*o) @ m) for o in OPERATORS])


TO_X, TO_Y = bracket((5, 3)), bracket((3, 5))
TIMES_Y = np.array([spread(unit(*o) @ unit(3, 5)) for o in OPERATORS])
Y = PLACE[3, 5]


def solve(p, times, xi, rabi_35=0.0, rabi_45=0.0, rabi_34=0.0, cavity_drive=0.0, energies=(0.0, 0.0, 0.0),
          detuning=None, edges=(), rtol=1e-12):
    """Populations (T, 5), photons (T,), field (T,); xi(t), rabi_..(t), cavity_drive(t) jump at `edges` only.

    Numbers stand for constants. `detuning` of the mode [rad/s]; None: cavity_frequency - frequency_35.
    """
    n_mol, g = p.molecules, p.coupling
    detuning = p.cavity_frequency - p.frequency_35 if detuning is None else detuning
    shapes = [v if callable(v) else (lambda t, v=v: v) for v in (xi, rabi_35, rabi_45, rabi_34, cavity_drive)]

    def right(t, z, generators, eps):
        a, n, m = z[0], z[1].real, z[2]
        s, c, pair = z[3:3 + K], z[3 + K:3 + 2 * K], z[3 + 2 * K:].reshape(K, K)
        d = c[DAGGER].conj()  # <a+ A>
        out = np.empty_like(z)
        turn = -(1j * detuning + p.cavity_decay / 2)
        out[0] = turn * a - 1j * g * n_mol * s[Y] - 1j * eps
        out[1] = (-p.cavity_decay * (n - p.thermal_photons) + 2 * g * n_mol * d[Y].imag
                  + 2 * (eps * a.conjugate()).imag)
        out[2] = 2 * turn * m - 2j * g * n_mol * c[Y] - 2j * eps * a
        aab = m * s + 2 * a * c - 2 * a * a * s
        nab = n * s + a * d + a.conjugate() * c - 2 * abs(a) ** 2 * s
        out[3:3 + K] = generators @ s + 1j * g * (TO_X @ c + TO_Y @ d)
        out[3 + K:3 + 2 * K] = turn * c + generators @ c - 1j * eps * s + 1j * g * (
            TO_X @ aab + TO_Y @ nab - TIMES_Y @ s - (n_mol - 1) * pair[:, Y])
        acb = np.outer(c, s) + np.outer(s, c) + a * pair - 2 * a * np.outer(s, s)
        dcb = np.outer(d, s) + np.outer(s, d) + a.conjugate() * pair - 2 * a.conjugate() * np.outer(s, s)
        half = generators @ pair + 1j * g * (TO_X @ acb + TO_Y @ dcb)
        out[3 + 2 * K:] = (half + half.T).ravel()
        return out

    state = np.zeros(3 + 2 * K + K * K, complex)
    state[1] = p.thermal_photons
    state[3] = 1.0
    state[3 + 2 * K] = 1.0
    times = np.asarray(times, float)
    found = np.tile(state, (len(times), 1))
    bounds = [0.0, *[e for e in sorted(edges) if 0.0 < e < times[-1]], times[-1]]
    for begin, end in pairwise(bounds):
        asked = (times > begin) & (times <= end)
        now = [shape(0.5 * (begin + end)) for shape in shapes]
        generators = generator(p, now[0], now[1], now[2], now[3], energies)
        # Tolerances in each moment's own size: photons in units of N, correlations down to one molecule in N.
        size = np.ones(len(state))
        size[:3] = np.sqrt(n_mol), n_mol, n_mol
        size[3 + K:3 + 2 * K] = np.sqrt(n_mol)
        solution = solve_ivp(right, (begin, end), state, method="DOP853", rtol=rtol, atol=1e-20 * size,
                             t_eval=np.union1d(times[asked], end), args=(generators, now[4]),
                             first_step=1e-4 * (end - begin))
        found[asked] = solution.y[:, : asked.sum()].T
        state = solution.y[:, -1]
    return found[:, 3:8].real, found[:, 1].real, found[:, 0]
