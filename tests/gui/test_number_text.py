"""Numbers are printed to the digit of their uncertainty, never further and never shorter."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gui.number_text import concise, duration, engineering, measured, uncertain
from gui.result_text import result_text


@settings(deadline=None)
@given(value=st.floats(-1e6, 1e6), sigma=st.floats(1e-6, 1e4))
def test_value_and_uncertainty_end_at_the_same_digit(value, sigma):
    text, error = uncertain(value, sigma)
    assert len(text.partition(".")[2]) == len(error.partition(".")[2])
    assert float(error) == pytest.approx(sigma, rel=0.26)
    assert abs(float(text) - value) <= 0.51 * float(error)


@pytest.mark.parametrize(("value", "sigma", "text"), [
    (39.1237, 0.0141, "39.124(14)"), (39.1237, 0.04, "39.12(4)"), (5234.0, 412.0, "5200(400)"),
    (0.98, 0.0996, "0.98(10)"), (12.0, None, "12"), (1.0, math.nan, "1")])
def test_the_digits_in_brackets_belong_to_the_last_digits(value, sigma, text):
    assert concise(value, sigma) == text


def test_quantities_have_prefixes_and_what_is_no_number_is_a_dash():
    assert engineering(5e-5, "J") == "50 µJ"
    assert engineering(math.nan, "J") == "–"
    assert measured(5e-3, "J") == "5.000 mJ"
    assert [duration(s) for s in (0.2, 61.0, 3661.0)] == ["0:01", "1:01", "1:01:01"]


def test_a_result_is_a_sentence():
    text = result_text({"threshold_energy": 1.473e-5, "threshold_energy_sigma": 1.2e-7,
                        "cavity_decay": 1.09e6, "verdicts": {"OK": 3, "NO_BURST": 1}})
    assert text == "3 OK, 1 NO BURST; threshold energy 14.73(12) µJ; cavity decay 1.09 10⁶/s"
