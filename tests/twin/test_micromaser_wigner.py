"""Wigner functions against QuTiP, closed forms and their own marginals."""

from __future__ import annotations

import numpy as np
import pytest
import qutip
from scipy.special import eval_hermite, factorial

from twin import micromaser


def random_state(levels: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    root = random.normal(size=(levels, levels)) + 1j * random.normal(size=(levels, levels))
    state = root @ root.conj().T
    return state / np.trace(state).real


@pytest.mark.parametrize("levels", [2, 9, 40])
def test_it_is_that_of_qutip_for_any_state(levels):
    state, x, p = random_state(levels, levels), np.linspace(-9.0, 7.0, 31), np.linspace(-6.0, 11.0, 24)
    exact = qutip.wigner(qutip.Qobj(state), x, p, g=np.sqrt(2.0))
    found = micromaser.wigner(state, x, p)
    assert found.shape == (24, 31)
    assert np.max(np.abs(found - exact)) < 1e-13


@pytest.mark.parametrize("photons", [0, 3, 200])
def test_number_states_are_laguerre_functions_at_any_distance(photons):
    x, p = np.array([0.0, 0.7, -11.0, 27.9, 45.0]), np.array([0.1, -19.0, 40.0])
    square = np.add.outer(p**2, x**2).astype(np.longdouble)  # exp(-x^2 - p^2) is 0 in doubles beyond 27
    before, now = np.zeros_like(square), np.exp(-square)
    for n in range(photons):
        before, now = now, ((2 * n + 1 - 2.0 * square) * now - n * before) / (n + 1)
    expected = (-1.0) ** photons / np.pi * now.astype(float)
    assert np.max(np.abs(micromaser.wigner(micromaser.number_state(photons), x, p) - expected)) < 1e-14


def test_coherent_states_are_gaussians_around_their_amplitude_far_outside_too():
    amplitude = 11.0 * np.exp(0.4j)
    x, p = np.linspace(11.0, 17.0, 25), np.linspace(3.0, 9.0, 20)
    centre = np.sqrt(2.0) * amplitude
    expected = np.exp(-np.add.outer((p - centre.imag) ** 2, (x - centre.real) ** 2)) / np.pi
    found = micromaser.wigner(micromaser.coherent(amplitude, 290), x, p)
    assert np.max(np.abs(found - expected)) < 1e-13


def test_thermal_states_are_wide_gaussians():
    x, p = np.linspace(-9.0, 9.0, 21), np.linspace(-4.0, 12.0, 17)
    width = 2.0 * 1.5 + 1.0
    expected = np.exp(-np.add.outer(p**2, x**2) / width) / (np.pi * width)
    found = micromaser.wigner(micromaser.thermal(1.5, 80), x, p)
    assert np.max(np.abs(found - expected)) < 1e-14


def test_its_integral_is_the_trace_and_its_marginals_are_the_densities():
    state = 0.75 * random_state(7, 1)
    x = p = np.linspace(-12.0, 12.0, 241)
    found, step = micromaser.wigner(state, x, p), x[1] - x[0]
    waves = np.array([eval_hermite(n, x) / np.sqrt(2.0**n * factorial(n)) for n in range(7)])
    waves *= np.pi**-0.25 * np.exp(-0.5 * x * x)
    there = np.real(np.einsum("nx,nm,mx->x", waves, state, waves))
    turned = np.array([(-1j) ** n for n in range(7)])[:, None] * waves
    assert found.sum() * step**2 == pytest.approx(0.75, abs=1e-13)
    assert found.sum(axis=0) * step == pytest.approx(there, abs=1e-13)
    assert found.sum(axis=1) * step == pytest.approx(
        np.real(np.einsum("nx,nm,mx->x", turned, state, turned.conj())), abs=1e-13)


def test_the_origin_counts_parity():
    state = random_state(11, 5)
    parity = np.sum((-1.0) ** np.arange(11) * np.real(np.diag(state)))
    assert micromaser.wigner(state, [0.0], [0.0])[0, 0] == pytest.approx(parity / np.pi, abs=1e-14)


def test_axes_need_no_order_and_no_even_spacing():
    state, x, p = random_state(5, 2), np.array([3.0, -1.1, 0.2]), np.array([0.4, -2.0])
    whole = micromaser.wigner(state, x, p)
    assert np.allclose(whole[1, 2], micromaser.wigner(state, x[2:], p[1:])[0, 0], atol=1e-15)
    assert np.all(micromaser.wigner(state, [1e6], [-1e6]) == 0.0)


@pytest.mark.parametrize("x, words", [([[0.0]], "x: expected a row"), ([np.nan], "x: expected a row")])
def test_an_axis_that_is_no_row_of_numbers_is_refused(x, words):
    with pytest.raises(ValueError, match=words):
        micromaser.wigner(micromaser.vacuum(), x, [0.0])
