"""Numbers with units: what is read, what is refused, and records made of them."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin import pentacene
from twin.drive import Drive
from twin.quantity import Quantity, check, nearest, read, show

TWO_PI = 2 * math.pi
PREFIXES = {"": 1.0, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9}


@pytest.mark.parametrize(("text", "unit", "value"), [
    ("1.4493GHz", "rad/s", TWO_PI * 1.4493e9), ("9.1e9rad/s", "rad/s", 9.1e9),
    ("9.1e9", "rad/s", 9.1e9), (9.1e9, "rad/s", 9.1e9), ("9.1 Grad/s", "rad/s", 9.1e9),
    ("2*pi*0.4MHz", "rad/s", TWO_PI * 4e5), ("2 * pi * 0.4 MHz", "1/s", TWO_PI * 4e5),
    ("2.5e6/s", "1/s", 2.5e6), ("2.5/us", "1/s", 2.5e6), ("2.5 1/us", "1/s", 2.5e6),
    ("2.5e6 1/s", "1/s", 2.5e6), ("3 /ms", "1/s", 3e3), ("2.5e6", "1/s", 2.5e6), ("50MHz", "Hz", 5e7),
    ("5mJ", "J", 5e-3), ("5 µs", "s", 5e-6), ("5 μs", "s", 5e-6), ("2min", "s", 120.0),
    ("590nm", "m", 590e-9), ("1.9mm2", "m2", 1.9e-6), ("2e-17cm^2", "m2", 2e-21),
    ("-22mV/dB", "V/dB", -0.022), ("-20dB", "dB", -20.0), ("10dBm", "W", 1e-2), ("1mW", "dBm", 0.0),
    ("20 kW", "W", 2e4), ("3%", "", 0.03), ("0.25", "", 0.25), ("0.3J/cm2", "J/m2", 3e3),
    ("2.7 MHz/K", "Hz/K", 2.7e6), ("300mK", "K", 0.3), ("+.5e1", "", 5.0), (7, "", 7.0)])
def test_text_with_a_unit_is_a_number_in_si(text, unit, value):
    assert read(text, unit) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(("text", "unit", "words"), [
    ("0.4MHz", "1/s", ["rate in 1/s", "2*pi*0.4MHz", "2.5e6/s"]),
    ("5 bananas", "J", ["bananas", "5mJ"]), ("5mJ", "s", ["mJ", "5us"]), ("1.4GHz", "s", ["GHz"]),
    ("2*pi*3", "rad/s", ["2*pi"]), ("2*pi*3e6/s", "1/s", ["2*pi"]),
    ("2*pi*2*pi*3MHz", "rad/s", ["2*pi* may stand"]), ("2*pi*3MHz", "Hz", ["2*pi"]),
    ("2*pi*3THz", "rad/s", ["2*pi"]), ("3*0.4MHz", "rad/s", ["'*0.4MHz'"]), ("", "s", ["cannot read"]),
    ("nan", "s", ["cannot read"]), ("inf", "s", ["cannot read"]), ("1,5us", "s", [",5us"]),
    ("1us2", "s", ["us2"]), ("1e", "s", ["'e'"]), ("1 µµs", "s", ["µµs"]),
    ("-1mW", "dBm", ["positive"]), ("5 mHz/s", "1/s", ["mHz/s"]), (True, "s", ["True"]),
    ("5m", "s", ["'m'"]), ("0x10", "", ["x10"]), ("1_000", "", ["_000"])])
def test_everything_else_is_refused_with_advice(text, unit, words):
    with pytest.raises(ValueError) as caught:
        read(text, unit, "field")
    for word in ("field", *words):
        assert word in str(caught.value)


@given(number=st.floats(-1e6, 1e6), prefix=st.sampled_from(sorted(PREFIXES)),
       space=st.sampled_from(["", " ", "  "]), unit=st.sampled_from(["s", "Hz", "J", "W", "V"]))
@settings(deadline=None, max_examples=150)
def test_every_prefix_is_a_power_of_ten(number, prefix, space, unit):
    wanted = number * PREFIXES[prefix]
    assert read(f"{number!r}{space}{prefix}{unit}", unit) == pytest.approx(wanted, rel=1e-14)


@given(number=st.floats(1e-3, 1e3), prefix=st.sampled_from(["", "k", "M", "G"]))
@settings(deadline=None, max_examples=80)
def test_two_pi_is_meant_once_however_a_frequency_is_written(number, prefix):
    angular = read(f"{number!r}{prefix}Hz", "rad/s")
    assert angular == pytest.approx(read(f"2*pi*{number!r}{prefix}Hz", "rad/s"), rel=1e-14)
    assert angular == pytest.approx(read(f"2*pi*{number!r}{prefix}Hz", "1/s"), rel=1e-14)
    assert angular == pytest.approx(TWO_PI * read(f"{number!r}{prefix}Hz", "Hz"), rel=1e-14)


@given(value=st.floats(1e-11, 1e11) | st.floats(-1e11, -1e-11),
       unit=st.sampled_from(["s", "Hz", "J", "rad/s", "W", "V", "m", "1/s", "dB", "dBm", "K", ""]))
@settings(deadline=None, max_examples=200)
def test_what_is_shown_reads_back_to_the_digits_shown(value, unit):
    text = show(value, unit, 6)
    if unit == "1/s":
        text = text.replace(" 1/s", "/s")
    assert read(text, unit) == pytest.approx(value, rel=1e-5)


@given(text=st.text(max_size=20), unit=st.sampled_from(["s", "rad/s", "1/s", "", "J", "dBm", "W"]))
@settings(deadline=None, max_examples=200)
def test_any_text_is_a_number_or_a_refusal_that_names_the_field(text, unit):
    try:
        assert isinstance(read(text, unit, "field"), float)
    except ValueError as error:
        assert "field" in str(error)


def test_zero_and_what_is_not_finite_are_shown_plainly():
    assert show(0.0, "s") == "0 s" and show(math.nan, "J") == "nan J" and show(5e-3, "J") == "5 mJ"
    assert show(9.107e9, "rad/s") == "9.107 Grad/s" and show(0.999999999999999, "s") == "1 s"


def test_bounds_catch_the_factor_two_pi():
    q = Quantity("rad/s", 8e9, 1.1e10)
    with pytest.raises(ValueError, match=r"f = 1.45e\+09 rad/s .* 8e\+09 .. 1.1e\+10 rad/s.*2 pi"):
        check("f", 1.45e9, q)
    with pytest.raises(ValueError, match="2 pi"):
        pentacene.Parameters(frequency_35=1.4495e9)
    for wrong in (math.nan, math.inf, "x", None, [1]):
        with pytest.raises(ValueError, match="f"):
            check("f", wrong, q)


def test_a_plain_number_out_of_range_is_told_without_a_stray_space():
    with pytest.raises(ValueError, match=r"share = 2 is outside its range 0 \.\. 1$"):
        check("share", 2, Quantity("", 0.0, 1.0))


def test_the_nearest_name_is_offered():
    offered = nearest("dephasng_35", pentacene.NAMES)
    assert offered == "unknown name 'dephasng_35'; did you mean 'dephasing_35'?"
    assert "known: a, b" in nearest("zzz", ["b", "a"])


# Records.


def test_replacing_one_field_moves_no_other():
    p = pentacene.Parameters()
    q = p.replace(molecules=1e16, branching_5=0.70, branching_4=0.22)
    assert q.branching == (0.08, 0.22, 0.70) and q.molecules == 1e16
    assert q.replace(molecules=p.molecules, branching=p.branching) == p
    with pytest.raises(TypeError, match="did you mean 'molecules'"):
        p.replace(molecule=1)
    with pytest.raises(TypeError):
        pentacene.Parameters(molecule=1)


def test_text_settings_are_applied_together_and_then_judged():
    p = pentacene.Parameters().replace_text({
        "branching_3": "10%", "branching_4": 0.2, "branching_5": "0.7", "dephasing_operator": "printed",
        "triplet_decay": ["1e3/s", 2e3, 3e3]})
    assert p.branching == pytest.approx((0.1, 0.2, 0.7)) and p.triplet_decay == (1e3, 2e3, 3e3)
    assert p.dephasing_operator == "printed"
    wrong = {"sums to": {"branching_5": 0.7}, "coupling": {"coupling": "5 J"}, "did you mean": {"coupl": 1},
             r"2\*pi\*0.4MHz": {"dephasing_35": "0.4MHz"}, "range": {"molecules": -1},
             "did you mean 'pure'": {"dephasing_operator": "pur"}}
    for message, changes in wrong.items():
        with pytest.raises(ValueError, match=message):
            pentacene.Parameters().replace_text(changes)


@given(st.dictionaries(st.sampled_from(pentacene.NAMES), st.floats(), max_size=4))
@settings(deadline=None, max_examples=100)
def test_any_numbers_make_a_valid_record_or_a_value_error(changes):
    try:
        p = pentacene.Parameters().replace(**changes)
    except ValueError:
        return
    assert all(math.isfinite(p.value(name)) for name in pentacene.NAMES)
    assert all(p.value(name) == value for name, value in changes.items())


def test_flat_names_cover_every_number_and_refuse_others():
    p = pentacene.Parameters()
    assert p.value("triplet_decay_51") == 2.8e4 and len(pentacene.NAMES) == len(set(pentacene.NAMES))
    with pytest.raises(ValueError, match="did you mean"):
        p.value("triplet_decay_15")
    with pytest.raises(ValueError, match="expected 3 numbers"):
        pentacene.Parameters(branching=(0.5, 0.5))


def test_a_tone_from_text_is_a_frequency_and_a_pump_rate_is_not():
    drive = Drive().replace_text({"rabi_35": "1MHz", "pump_rate": "6/us", "pump_off_at": "200ns"})
    assert drive.rabi_35 == pytest.approx(TWO_PI * 1e6)
    assert drive.pump_rate == pytest.approx(6e6) and drive.pump_off_at == pytest.approx(2e-7)
    with pytest.raises(ValueError, match="rate in 1/s"):
        Drive().replace_text({"pump_rate": "6MHz"})
