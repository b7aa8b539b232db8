"""The grammar of the wire: numbers, suffixes, blocks, compound messages, framing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_devices.scpi import Argument, Framer, Pattern, ScpiError, block, indefinite_block, parse
from mock_devices.scpi_values import Boolean, Choice, Integer, Number, Text, read_number

quick = settings(deadline=None, max_examples=80)
finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
names = st.from_regex(r"[A-Z]{2,8}", fullmatch=True)


def word(text: str) -> Argument:
    return Argument("word", text)


def units(message: bytes, **options):
    return [(u.header, u.query, tuple(a.value for a in u.arguments)) for u in parse(message, **options)]


@quick
@given(finite)
def test_a_number_comes_back_as_it_was_shown(value):
    shown = Number(form=".17g").show(value)
    assert read_number(shown) == value


@quick
@given(
    st.floats(-1e6, 1e6),
    st.sampled_from([("GHZ", 1e9), ("MHz", 1e6), ("khz", 1e3), ("HZ", 1.0), ("mahz", 1e6)]),
    st.sampled_from(["", " "]),
)
def test_frequencies_take_their_suffixes_and_m_is_mega_before_hertz(value, suffix, space):
    name, factor = suffix
    assert read_number(f"{value!r}{space}{name}", "HZ") == pytest.approx(value * factor, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("5 MS", "S", 5e-3),
        ("5us", "S", 5e-6),
        ("2.0vp", "V", 2.0),
        ("-12.5 dBm", "DBM", -12.5),
        ("3 MV", "V", 3e-3),
        ("1.450000e+09 Hz", "HZ", 1.45e9),
        ("#H1F", "", 31.0),
        ("#B101", "", 5.0),
        (".5", "", 0.5),
        ("1 E 3", "", 1000.0),
    ],
)
def test_suffixes_read_as_printed_in_manuals(text, unit, expected):
    assert read_number(text, unit) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit", "code"),
    [
        ("5 bananas", "HZ", -131),
        ("5 V", "HZ", -131),
        ("5 HZ", "", -138),
        ("five", "HZ", -104),
        ("", "HZ", -104),
        ("#HXY", "", -121),
        ("#H-5", "", -121),
        ("#H1_0", "", -121),
        ("#H" + "1" * 400, "", -222),
        ("1e999", "", -222),
        ("1e300 EXHZ", "HZ", -222),
        ("5 MDBM", "DBM", -131),
    ],
)
def test_wrong_numbers_carry_their_own_code(text, unit, code):
    with pytest.raises(ScpiError) as error:
        read_number(text, unit)
    assert error.value.code == code


@settings(deadline=None, max_examples=400)
@given(
    st.sampled_from([Boolean(), Integer(0, 5), Integer(), Number(), Number("HZ", 0.0, 1e9)]),
    st.lists(st.sampled_from(["1e999", "-1e-999", "9" * 400, "#H", "#B", "#Q", "1", "F", "-", "_", ".", "e",
                              " ", "NAN", "INF", "MAX", "ON", "HZ", "EX"]), max_size=5).map("".join),
)
def test_any_word_is_a_value_or_an_error_of_the_wire(kind, text):
    try:
        value = kind.read(word(text))
    except ScpiError:
        return
    assert kind.read(word(kind.show(value))) == value or not math.isfinite(value)


def test_values_out_of_range_are_222_and_min_and_max_are_the_bounds():
    kind = Number("HZ", 10.0, 20.0)
    for text in ("9.99", "20.01", "1e400", "MAXI"):
        with pytest.raises(ScpiError):
            kind.read(word(text))
    assert (kind.read(word("MIN")), kind.read(word("maximum"))) == (10.0, 20.0)
    assert Integer(0, 5).read(word("2.6")) == 3
    assert Choice("IMMediate", "EXTern").read(word("extern")) == "EXT"
    with pytest.raises(ScpiError) as error:
        Choice("IMMediate").read(word("IMMED"))
    assert error.value.code == -224


@quick
@given(st.binary(max_size=400))
def test_a_definite_block_survives_the_wire_whatever_its_bytes(data):
    framer = Framer()
    (message,) = framer.feed(b":DATA " + block(data) + b"\n")
    ((_, _, (found,)),) = units(message)
    assert found == data


def test_an_indefinite_block_ends_with_its_message():
    (message,) = Framer().feed(b":DATA " + indefinite_block(b"a;b,'c") + b"\n")
    assert units(message) == [(":DATA", False, (b"a;b,'c",))]


@quick
@given(st.lists(st.binary(max_size=30), min_size=1, max_size=4), st.data())
def test_messages_do_not_depend_on_how_the_bytes_arrive(blocks, data):
    stream = b"".join(b'*IDN?;:A:B 1,"x#2";:D ' + block(b) + b"\n" for b in blocks)
    whole = list(Framer().feed(stream))
    framer, pieces, at = Framer(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, len(stream)))
        pieces += framer.feed(stream[at : at + size])
        at += size
    assert pieces == whole and len(whole) == len(blocks)


@quick
@given(names, names, names, st.integers(0, 9))
def test_the_path_of_a_compound_message_holds_until_a_colon(a, b, c, n):
    message = f":{a}:{b} {n};{c} {n};*OPC?;{b}?;:{c} 1".encode()
    assert units(message) == [
        (f":{a}:{b}", False, (str(n),)),
        (f":{a}:{c}", False, (str(n),)),
        ("*OPC", True, ()),
        (f":{a}:{b}", True, ()),
        (f":{c}", False, ("1",)),
    ]


@quick
@given(st.text(st.characters(max_codepoint=126, min_codepoint=32), max_size=40), st.sampled_from("\"'"))
def test_strings_keep_quotes_semicolons_and_commas(text, quote):
    message = f":T {quote}{text.replace(quote, quote * 2)}{quote},5;:U".encode()
    assert units(message) == [(":T", False, (text, "5")), (":U", False, ())]
    assert Text().read(Argument("string", text)) == text


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b":A 1,", -109),
        (b":A 'open", -151),
        (b":A #15ab", -161),
        (b':A "x" 5', -103),
        (b"5:A", -102),
        (b":A:=", -111),
        (b"\xff\xfe", -101),
        (b":A #9zz", -161),
    ],
)
def test_messages_that_cannot_be_read_say_why(message, code):
    with pytest.raises(ScpiError) as error:
        list(parse(message))
    assert error.value.code == code


def test_srs_headers_take_parameters_without_a_space():
    assert units(b"TSRC5;DLAY?2;dlay 2,0,1e-3", fused=True) == [
        (":TSRC", False, ("5",)),
        (":DLAY", True, ("2",)),
        (":DLAY", False, ("2", "0", "1e-3")),
    ]


@pytest.mark.parametrize("header", ["FREQ", "FREQUENCY", "SOUR:FREQ", "SOURCE:FREQUENCY:CW", "FREQ:FIXED"])
def test_short_long_and_optional_nodes_are_one_command(header):
    assert Pattern("[:SOURce]:FREQuency[:CW|:FIXed]").match(":" + header) == ()


def test_patterns_refuse_what_lies_between_short_and_long_and_read_suffixes():
    pattern = Pattern(":CHANnel<n>:SCALe")
    assert pattern.match(":CHAN3:SCAL") == (3,) and pattern.match(":CHANNEL:SCALE") == (1,)
    assert pattern.match(":CHANN3:SCAL") is None and pattern.match(":CHAN3:SCAL:X") is None


def test_an_announced_gigabyte_is_refused_at_once_and_the_next_message_is_heard():
    framer = Framer(limit=1000)
    first = list(framer.feed(b":DATA #9999999999abc"))
    assert [type(m) for m in first] == [ScpiError] and first[0].code == -363
    assert list(framer.feed(b"def\n*IDN?\n")) == [b"*IDN?"]
    at_once = list(framer.feed(b":DATA #9999999999abc\n*IDN?\n"))
    assert at_once[0].code == -363 and at_once[1:] == [b"*IDN?"]


def test_an_endless_message_does_not_fill_the_memory():
    framer = Framer(limit=1000)
    found = [m for _ in range(100) for m in framer.feed(b"x" * 500)]
    assert len(found) == 1 and found[0].code == -363 and len(framer._buffer) <= 1500
    assert list(framer.feed(b"\n*OPC?\n")) == [b"*OPC?"]
