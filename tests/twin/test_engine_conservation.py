"""What can never be gained or lost: probability, and photons plus excited molecules beside named terms.

The balance of n + N s55, with H = Omega (sigma + sigma+) + eps a+ + eps* a + g (a sigma^53 + a+ sigma^35):

  n'     = exchange - kappa (n - n_th) + 2 Im(eps <a>*)
  N s55' = - exchange + N [k_isc b5 s22 - k51 s55 + L35 (s33 - s55) + L45 (s44 - s55)]
           + 2 N Omega_35 Im s53 + 2 N Omega_45 Im s54          (s53 = <sigma^53>)

Each named term is integrated over every step of the continuous solution by Gauss-Legendre quadrature.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin import pentacene, simulate
from twin.drive import Drive, Gaussian, Square, Steps
from twin.pentacene import HBAR
from twin.problem import Problem

P = pentacene.Parameters()
NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
NODES, WEIGHTS = 0.5 * (NODES + 1.0), 0.5 * WEIGHTS

CRYSTALS = st.builds(
    lambda n, g, q, detuned, chi, nth, shares, slow, k51: P.replace(
        molecules=10.0**n, coupling=g, cavity_decay=q, cavity_frequency=P.frequency_35 + detuned,
        dephasing_35=chi, thermal_photons=nth, branching=(shares / 2, shares / 2, 1.0 - shares),
        spin_lattice_35=slow, spin_lattice_45=3 * slow, triplet_decay_51=k51),
    st.floats(14.0, 16.7), st.floats(0.05, 0.5), st.floats(0.0, 3e7), st.floats(1e3, 3e6),
    st.floats(1e4, 5e6), st.floats(0.0, 1e5), st.floats(0.0, 1.0), st.floats(0.0, 1e6), st.floats(0.0, 1e6))
PUMPS = st.one_of(st.floats(0.0, 2e8), st.builds(lambda r, a, w: Square(r, a, a + w), st.floats(0.0, 2e8),
                                                 st.floats(0.0, 3e-7), st.floats(1e-9, 3e-7)),
                  st.builds(Gaussian, st.floats(0.0, 5e8), st.floats(-1e-7, 4e-7), st.floats(2e-9, 1e-7)))
# Always detuned and driven in both quadratures: each new set of moments would have to be compiled.
TONES = st.builds(lambda a, b, c, re, im: dict(rabi_35=a, rabi_45=b, rabi_34=c, cavity_drive=complex(re, im)),
                  st.floats(1e3, 3e7), st.floats(-3e7, -1e3), st.floats(1e3, 1e7), st.floats(1e6, 1e11),
                  st.floats(1e6, 1e11))


def between(poly, x):
    """The interpolants (steps, 8, variables) at the fraction x of their steps."""
    value = poly[:, 7]
    for k, factor in ((6, x), (5, 1 - x), (4, x), (3, 1 - x), (2, x), (1, 1 - x), (0, x)):
        value = poly[:, k] + factor * value
    return value


class Balance:
    """The variables on the continuous solution, step by step."""

    def __init__(self, p, d, model, end, rtol):
        problem = Problem(p, d, model)
        self.p, self.d, self.model, self.names = p, d, model, problem.kernel.variables
        run = problem.run(np.array([end]), self.names, rtol, record=4096)
        assert run.status == 0, run.status
        self.starts, self.lengths, poly = run.starts, run.lengths, run.polynomials
        self.inside = np.stack([between(poly, x) for x in NODES], axis=1)
        self.first = poly[0, 0]
        self.last = np.array([run.state[v][0] if v in run.state else 0.0 for v in self.names])

    def value(self, name, where):
        return where[..., self.names.index(name)] if name in self.names else np.zeros(where.shape[:-1])

    def photons(self, where):
        x = self.value("x.re", where), self.value("x.im", where)
        return self.p.molecules * (x[0] ** 2 + x[1] ** 2 + self.value("mu", where))

    def total(self, per_step):
        return np.sum(self.lengths[:, None] * WEIGHTS * per_step)

    def terms(self):
        p, d, at = self.p, self.d, self.inside
        n_mol = p.molecules
        s22, s33, s44, s55 = (self.value(f"s{i}{i}", at) for i in (2, 3, 4, 5))
        middle = self.starts + 0.5 * self.lengths
        decay = np.array([d.cavity_decay.at(t) if d.cavity_decay else p.cavity_decay for t in middle])
        decay = decay[:, None]
        # It counts from the mode, and in this frame, that of the line, turns with it.
        turning = p.cavity_frequency - p.frequency_35 + d.cavity_drive_detuning
        times = self.starts[:, None] + self.lengths[:, None] * NODES
        eps = complex(d.cavity_drive) * np.exp(-1j * turning * times)
        field = np.sqrt(n_mol) * (self.value("x.re", at) + 1j * self.value("x.im", at))
        return {
            "crossing": n_mol * self.total(p.intersystem_crossing * p.branching[2] * s22),
            "triplet decay": -n_mol * self.total(p.triplet_decay[2] * s55),
            "spin-lattice 35": n_mol * self.total(p.spin_lattice_35 * (s33 - s55)),
            "spin-lattice 45": n_mol * self.total(p.spin_lattice_45 * (s44 - s55)),
            "cavity loss": -self.total(decay * self.photons(at)),
            # First order has no thermal photons but its seed.
            "thermal input": self.total(decay * p.thermal_photons * (self.model != "mean_field") + 0.0 * s55),
            "tone 35": 2.0 * n_mol * self.total(d.rabi_35 * self.value("s53.im", at)),
            "tone 45": 2.0 * n_mol * self.total(d.rabi_45 * self.value("s54.im", at)),
            "cavity drive": self.total(2.0 * (eps * field.conj()).imag)}

    def gain(self):
        store = lambda z: self.photons(z) + self.p.molecules * self.value("s55", z)  # noqa: E731
        return store(self.last) - store(self.first)

    def missing(self):
        """What the named terms leave unexplained, over the largest of them."""
        terms = self.terms()
        largest = max(abs(v) for v in (*terms.values(), self.photons(self.last), self.p.molecules * 1e-9))
        return abs(self.gain() - sum(terms.values())) / largest


@settings(max_examples=15, deadline=None)
@given(CRYSTALS, PUMPS, st.sampled_from(["cumulant", "mean_field", "rate"]))
def test_photons_and_excited_molecules_balance_undriven(p, pump, model):
    assert Balance(p, Drive(pump_rate=pump), model, 8e-7, 1e-11).missing() < 1e-8


@settings(max_examples=6, deadline=None)
@given(CRYSTALS, PUMPS, TONES)
def test_photons_and_excited_molecules_balance_with_tones(p, pump, tones):
    assert Balance(p, Drive(pump_rate=pump, **tones), "cumulant", 4e-7, 1e-11).missing() < 1e-8


def test_the_balance_holds_at_the_default_accuracy_and_through_a_switched_cavity():
    d = Drive(pump_off_at=4e-7, cavity_decay=Steps((4.5e-7, 6e-7), (2e6, 3e7, 1e5)))
    for model in ("cumulant", "mean_field", "rate"):
        assert Balance(P, d, model, 2e-6, 5e-10).missing() < 1e-8


def test_a_forgotten_term_would_be_seen():
    balance = Balance(P, Drive(), "cumulant", 8e-7, 1e-11)
    terms = balance.terms()
    for name in ("crossing", "triplet decay", "spin-lattice 35", "spin-lattice 45", "cavity loss"):
        assert abs(terms[name]) > 1e-6 * terms["crossing"], name


@settings(max_examples=15, deadline=None)
@given(CRYSTALS, PUMPS, st.sampled_from(["cumulant", "mean_field", "rate"]))
def test_populations_are_probabilities(p, pump, model):
    populations = simulate(p, Drive(pump_rate=pump), np.linspace(0.0, 1.5e-6, 300), model=model).populations
    assert populations.min() >= -3e-9
    assert np.abs(populations.sum(axis=1) - 1.0).max() < 3e-9


@settings(max_examples=6, deadline=None)
@given(CRYSTALS, PUMPS, TONES)
def test_populations_are_probabilities_under_tones(p, pump, tones):
    trajectory = simulate(p, Drive(pump_rate=pump, **tones), np.linspace(0.0, 5e-7, 200))
    assert trajectory.populations.min() >= -1e-9
    assert np.abs(trajectory.populations.sum(axis=1) - 1.0).max() < 1e-9
    assert trajectory.photons.min() >= -1e-6 * trajectory.photons.max()


def test_the_emitted_energy_is_the_integral_of_the_photons_that_leave():
    edges = (3.5e-7, 4.7e-7)
    d = Drive(cavity_decay=Steps(edges, (1e6, 8e6, 3e6)))
    bounds = [0.0, *edges, 9e-7]
    expected = 0.0
    for a, b, kappa in zip(bounds, bounds[1:], (1e6, 8e6, 3e6), strict=False):
        x, w = np.polynomial.legendre.leggauss(400)
        times = a + 0.5 * (b - a) * (x + 1.0)
        photons = simulate(P, d, times, rtol=1e-11).photons
        expected += 0.5 * (b - a) * kappa * np.sum(w * (photons - P.thermal_photons))
    found = simulate(P, d, [0.0, 9e-7]).charging()
    assert found.emitted_energy == pytest.approx(HBAR * P.cavity_frequency * expected, rel=1e-6)


def test_rate_equations_agree_with_second_order_where_the_coherence_is_fast():
    p = P.replace(molecules=1e14, cavity_decay=3e8, dephasing_35=2e8)
    assert p.collective_coupling < 0.02 * min(p.cavity_decay, p.coherence_decay_35)
    times = np.linspace(0.0, 5e-6, 200)
    rate, full = (simulate(p, Drive(), times, model=m) for m in ("rate", "cumulant"))
    assert np.abs(rate.photons - full.photons).max() < 0.01 * full.photons.max()
    assert np.abs(rate.populations - full.populations).max() < 1e-3


def test_rate_equations_do_not_ring_where_second_order_does():
    times = np.linspace(0.0, 1.5e-6, 1500)

    def swings(photons):
        slope = np.diff(photons)
        return np.sum((slope[:-1] > 0) & (slope[1:] < 0) & (photons[1:-1] > 0.05 * photons.max()))

    assert swings(simulate(P, Drive(), times).photons) >= 3
    assert swings(simulate(P, Drive(), times, model="rate").photons) <= 1


def test_mean_field_agrees_with_second_order_under_a_strong_coherent_tone():
    times = np.linspace(0.0, 5e-7, 200)
    first, second = (simulate(P, Drive(rabi_35=1e7), times, model=m) for m in ("mean_field", "cumulant"))
    assert np.abs(first.photons - second.photons).max() < 1e-6 * second.photons.max()
    assert np.abs(first.populations - second.populations).max() < 1e-6
