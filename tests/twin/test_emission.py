"""What a record says by itself, held against bursts whose peak, frequency and width are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.emission import peak_delay, spectrum

TIME = 1e-8 * np.arange(4000)


@given(st.floats(3e-6, 3e-5), st.floats(1e-6, 3e-6), st.floats(-2e6, 2e6))
def test_a_gaussian_burst_peaks_shines_and_spreads_as_it_must(peak, width, offset):
    amplitude = np.exp(-0.5 * ((TIME - peak) / width) ** 2 + 2j * np.pi * offset * TIME)
    assert peak_delay(TIME, amplitude, 1e-6, 1e-6) == pytest.approx(peak - 1e-6, abs=2e-10)
    found = spectrum(TIME, amplitude)
    whole = peak > 4 * width and TIME[-1] - peak > 4 * width      # nothing of it is cut off
    if whole:
        assert found.centre == pytest.approx(offset, abs=200.0)
        assert found.linewidth == pytest.approx(np.sqrt(np.log(2.0)) / (np.pi * width), rel=2e-3)


def test_a_ringing_burst_is_a_doublet_with_its_centre_in_the_middle():
    amplitude = np.exp(-TIME / 2e-6) * np.sin(np.pi * 1.8e6 * TIME) * np.exp(2j * np.pi * 3e5 * TIME)
    found = spectrum(TIME, amplitude)
    assert found.centre == pytest.approx(3e5, abs=1e3)
    assert found.linewidth > 1.8e6


def test_noise_moves_the_centre_of_a_burst_by_no_more_than_it_must():
    rng = np.random.default_rng(1)
    burst = np.exp(-0.5 * ((TIME - 5e-6) / 1e-6) ** 2 + 2j * np.pi * 1e5 * TIME)
    centres = [spectrum(TIME, burst + 0.01 * (rng.normal(size=4000) + 1j * rng.normal(size=4000))).centre
               for _ in range(20)]
    assert abs(np.mean(centres) - 1e5) < 4 * np.std(centres) / np.sqrt(20)
    assert np.std(centres) < 2e3


def test_a_silent_record_has_no_peak_and_no_spectrum():
    noise = 1e-3 * np.random.default_rng(2).normal(size=4000)
    assert peak_delay(TIME, noise, 0.0, 1e-3) is None
    assert spectrum(TIME, np.zeros(4000)) is None
