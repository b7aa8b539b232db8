"""What the software oscilloscope measures by itself, against pulses and sines known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from mock_devices.waveform_measurements import MEASUREMENTS, NOT_MEASURABLE, measure, root_mean_square

TIME = 1e-9 * np.arange(10_000)
SINE = 0.1 + 0.5 * np.sin(2 * np.pi * 1.7e6 * TIME)
PULSE = np.interp(TIME, [0, 2e-6, 2.1e-6, 4e-6, 4.2e-6, 5e-6, 5.1e-6, 10e-6], [0, 0, 1, 1, 0, 0, 1, 1]) - 0.25


@pytest.mark.parametrize(("name", "value"), [
    ("VMAX", 0.6), ("VMIN", -0.4), ("VPP", 1.0), ("VAVerage", 0.1), ("PERiod", 1 / 1.7e6),
    ("FREQuency", 1.7e6), ("DUTYcycle", 50.0)])
def test_a_sine_is_measured(name, value):
    assert measure(name, SINE, 1e-9) == pytest.approx(value, rel=0.03, abs=0.0)


@pytest.mark.parametrize(("name", "value"), [
    ("VBASe", -0.25), ("VTOP", 0.75), ("VAMPlitude", 1.0), ("VLOWer", -0.15), ("VMIDdle", 0.25),
    ("VUPPer", 0.65), ("RISetime", 80e-9), ("FALLtime", 160e-9), ("PERiod", 3e-6), ("SLEWrate", 1e7),
    ("DUTYcycle", 100 * 2.05 / 3), ("VOVershoot", 0.5)])
def test_a_pulse_is_measured(name, value):
    assert measure(name, PULSE, 1e-9) == pytest.approx(value, rel=0.04, abs=0.0)


def test_root_mean_squares_are_about_the_mean_or_about_zero():
    assert root_mean_square(SINE, True) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)
    assert root_mean_square(SINE, False) == pytest.approx(np.hypot(0.5 / np.sqrt(2), 0.1), rel=1e-3)


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_of_a_flat_record_nothing_is_measured(name):
    assert measure(name, np.zeros(100), 1e-9) == NOT_MEASURABLE


@pytest.mark.parametrize("name", ["PERiod", "FREQuency", "DUTYcycle", "FALLtime"])
def test_what_is_not_in_the_record_is_not_measured(name):
    assert measure(name, PULSE[:3000], 1e-9) == NOT_MEASURABLE
