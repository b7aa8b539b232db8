"""Second order against the exact Tavis-Cummings model: its error must shrink as molecules are added.

N inverted two-level molecules and an empty mode, no losses, at one collective coupling g sqrt N. The
exact answer lives on the ladder |J, M> with J = N/2. Second order is exact for N -> infinity only, since
an inverted ensemble starts by spontaneous emission, one quantum in N.
"""

from itertools import pairwise

import numpy as np
import pytest
import qutip

from twin import pentacene
from twin.drive import Drive
from twin.problem import Problem

COLLECTIVE = 1e7
TIMES = np.linspace(0.0, 2e-7, 41)
NOTHING = dict.fromkeys((
    "spontaneous_emission", "intersystem_crossing", "cavity_decay", "thermal_photons",
    "triplet_decay_31", "triplet_decay_41", "triplet_decay_51",
    "spin_lattice_35", "spin_lattice_34", "spin_lattice_45",
    "dephasing_34", "dephasing_35", "dephasing_45"), 0.0)


def exact(molecules):
    """<Jz>/N (T,) and photons (T,)."""
    levels, g = molecules + 1, COLLECTIVE / np.sqrt(molecules)
    a = qutip.tensor(qutip.destroy(levels), qutip.qeye(molecules + 1))
    up = qutip.tensor(qutip.qeye(levels), qutip.jmat(molecules / 2, "+"))
    z = qutip.tensor(qutip.qeye(levels), qutip.jmat(molecules / 2, "z"))
    start = qutip.tensor(qutip.basis(levels, 0), qutip.basis(molecules + 1, 0))
    found = qutip.sesolve(g * (a * up + a.dag() * up.dag()), start, TIMES, e_ops=[z, a.dag() * a],
                          options={"atol": 1e-11, "rtol": 1e-9, "nsteps": 100_000})
    return found.expect[0] / molecules, found.expect[1]


def second_order(molecules):
    p = pentacene.Parameters().replace(molecules=molecules, coupling=COLLECTIVE / np.sqrt(molecules),
                                       **NOTHING)
    inverted = {"s55": np.array([1.0]), "mu": np.array([0.0])}
    run = Problem(p, Drive(pump_rate=0.0), "cumulant", state=inverted).run(TIMES, ("s33", "s55", "mu"), 1e-11)
    s33, s55, mu = run.values.T
    return 0.5 * (s55 - s33), molecules * mu


def error(molecules):
    return np.abs(second_order(molecules)[0] - exact(molecules)[0]).max()


def test_the_error_of_second_order_falls_as_molecules_are_added():
    found = [error(n) for n in (2, 4, 8, 16, 32)]
    print("errors of <Jz>/N for 2, 4, 8, 16, 32 molecules:", np.round(found, 4).tolist())
    assert all(a > b for a, b in pairwise(found))
    assert found[-1] < 0.5 * found[1]


@pytest.mark.parametrize("molecules", [2, 16])
def test_both_conserve_excitations_and_start_by_spontaneous_emission(molecules):
    for jz, photons in (exact(molecules), second_order(molecules)):
        assert photons + molecules * jz == pytest.approx(0.5 * molecules, abs=1e-6 * molecules)
        # At first n = N g^2 t^2 = (G t)^2.
        assert photons[1] == pytest.approx((COLLECTIVE * TIMES[1]) ** 2, rel=0.02)
