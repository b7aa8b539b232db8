import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.waveform import Waveform


def waveform(codes, **changes):
    known = {"scale": 1.6 / 1024, "offset": 0.8 / 1024, "start": -2e-6, "interval": 2e-9,
             "channel": "burst", "bits": 10}
    return Waveform(np.asarray(codes, dtype=np.int16), **(known | changes))


def test_volts_and_seconds_follow_from_codes():
    w = waveform([-512, 0, 511])
    np.testing.assert_allclose(w.volts, [-0.8 + 0.8 / 1024, 0.8 / 1024, 0.8 - 0.8 / 1024])
    np.testing.assert_allclose(w.time, [-2e-6, -1.998e-6, -1.996e-6])
    assert len(w) == 3


@pytest.mark.parametrize(("codes", "clipped"), [([511, 511, 0], False), ([511, 511, 511], True),
                                                ([-512, 511, -512], True), ([510] * 9, False), ([], False)])
def test_three_codes_on_a_rail_are_a_clipped_signal(codes, clipped):
    assert waveform(codes).clipped is clipped


def test_a_16_bit_rail_does_not_overflow():
    assert waveform([-32768, 32767, 32767], bits=16).clipped


def test_codes_cannot_be_changed_behind_the_record():
    mine = np.zeros(4, dtype=np.int16)
    with pytest.raises(ValueError, match="read-only"):
        waveform(mine).codes[0] = 1
    mine[0] = 1     # the caller's own array stays his


@pytest.mark.parametrize("bad", [{"interval": 0.0}, {"interval": -1e-9}, {"scale": 0.0},
                                 {"offset": float("nan")}, {"start": float("inf")},
                                 {"bits": 17}, {"bits": 0}])
def test_a_meaningless_scale_is_refused_by_channel_name(bad):
    with pytest.raises(ValueError, match="burst"):
        waveform([0], **bad)


@pytest.mark.parametrize("codes", [np.zeros(3), np.zeros((2, 2), dtype=np.int16)])
def test_codes_that_are_not_int16_samples_are_refused(codes):
    with pytest.raises(ValueError, match="int16"):
        Waveform(codes, 1.0, 0.0, 0.0, 1e-9)


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 16), st.floats(1e-6, 10), st.floats(-5, 5), st.data())
def test_volts_go_back_to_the_same_codes(bits, scale, offset, data):
    half = 1 << (bits - 1)
    codes = data.draw(st.lists(st.integers(-half, half - 1), max_size=50))
    w = waveform(codes, bits=bits, scale=scale, offset=offset)
    np.testing.assert_array_equal(np.round((w.volts - offset) / scale), codes)
