"""What is done to the crystal during a shot: shapes, gates, edges, refusals."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.drive import CLOSEST, Drive, Frame, Gaussian, Sampled, Square, Steps, pump_line

TIMES = st.floats(-1e-3, 1e-3)
RISING = st.lists(TIMES, min_size=1, max_size=6, unique=True).map(sorted)
RATES = st.floats(0.0, 1e12)


@given(edges=RISING, data=st.data())
@settings(deadline=None, max_examples=60)
def test_steps_hold_each_value_from_its_edge_on(edges, data):
    values = data.draw(st.lists(st.floats(-1e9, 1e9), min_size=len(edges) + 1, max_size=len(edges) + 1))
    steps = Steps(edges, values)
    assert steps.at(edges[0] - 1.0) == values[0] and steps.at(edges[-1] + 1.0) == values[-1]
    for i, edge in enumerate(edges):
        assert steps.at(edge) == values[i + 1]
        assert steps.at(np.nextafter(edge, -1.0)) == values[i]
    assert pickle.loads(pickle.dumps(steps)) == steps and hash(steps) == hash(Steps(tuple(edges), values))


@given(times=st.lists(TIMES, min_size=2, max_size=8, unique=True).map(sorted), data=st.data())
@settings(deadline=None, max_examples=60)
def test_a_recorded_pulse_is_linear_between_its_points_and_dark_outside(times, data):
    rates = data.draw(st.lists(RATES, min_size=len(times), max_size=len(times)))
    pulse = Sampled(times, rates)
    assert pulse == Sampled(np.array(times), np.array(rates)) and pickle.loads(pickle.dumps(pulse)) == pulse
    for i in range(len(times) - 1):
        assert pump_line(pulse, times[i], times[i + 1]) == (rates[i], rates[i + 1])
    assert pump_line(pulse, times[0] - 2.0, times[0] - 1.0) == (0.0, 0.0)
    assert pump_line(pulse, times[-1] + 1.0, times[-1] + 2.0) == (0.0, 0.0)


def test_a_recorded_pulse_cannot_be_changed_from_outside():
    times, rates = np.array([0.0, 1.0]), np.array([1.0, 2.0])
    pulse = Sampled(times, rates)
    times[0] = 0.5
    assert pulse.times[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        pulse.rates[0] = 3.0


@given(start=TIMES, length=st.floats(1e-9, 1e-3), rate=RATES)
@settings(deadline=None, max_examples=40)
def test_a_square_pulse_is_on_between_its_edges(start, length, rate):
    pulse = Square(rate, start, start + length)
    before, after = start - length, start + 2 * length
    assert pump_line(pulse, *pulse.edges) == (rate, rate)
    assert pump_line(pulse, before, start) == (0.0, 0.0) == pump_line(pulse, pulse.stop, after)


@given(centre=TIMES, fwhm=st.floats(1e-9, 1e-6))
@settings(deadline=None, max_examples=40)
def test_a_gaussian_has_edges_that_no_step_can_leap_over(centre, fwhm):
    edges = np.array(Gaussian(1e6, centre, fwhm).edges)
    assert np.all(np.diff(edges) > 0) and edges[0] < centre - 5 * fwhm < centre + 5 * fwhm < edges[-1]
    assert np.min(np.abs(edges - centre)) < 1e-12 and np.sum(np.abs(edges - centre) < 1.5 * fwhm) >= 5


@given(gate=st.lists(TIMES, min_size=2, max_size=2, unique=True).map(sorted), edges=RISING, tone=RISING)
@settings(deadline=None, max_examples=60)
def test_edges_are_rising_and_hold_every_jump(gate, edges, tone):
    pump, switch = Steps(edges, [1e6] * (len(edges) + 1)), Steps(tone, [1e5] * (len(tone) + 1))
    drive = Drive(pump_rate=pump, pump_on_at=gate[0], pump_off_at=gate[1], rabi_35=switch,
                  cavity_decay=switch)
    found = drive.edges()
    # Times a rounding error apart count as one, since no step fits between them.
    assert np.all(np.diff(found) > CLOSEST)
    assert all(np.min(np.abs(np.array(found) - t)) <= CLOSEST for t in (*gate, *edges, *tone))


def test_a_constant_pump_reads_the_same_everywhere():
    assert pump_line(6.2e7, 0.0, 1.0) == (6.2e7, 6.2e7)
    assert pump_line(Steps((1.0,), (2.0, 3.0)), 0.0, 1.0) == (2.0, 2.0)
    assert Drive().pump_rate == 6.2e7 and Drive().edges() == (0.0,)


def test_a_cavity_drive_may_be_complex_and_others_may_not():
    assert Drive(cavity_drive=1e9 + 2e9j).cavity_drive == 1e9 + 2e9j
    assert Drive(cavity_drive=Steps((0.0,), (0.0, 1j))).cavity_drive.at(1.0) == 1j
    with pytest.raises(ValueError, match="rabi_35"):
        Drive(rabi_35=1j)
    with pytest.raises(ValueError, match="rabi_45"):
        Drive(rabi_45=Steps((0.0,), (0.0, 1j)))


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Steps((1.0, 2.0), (1.0, 2.0)), "2 edges need 3 values"),
    (lambda: Steps((2.0, 1.0), (1.0, 2.0, 3.0)), "rise"),
    (lambda: Steps((1.0, 1.0), (1.0, 2.0, 3.0)), "rise"),
    (lambda: Steps((math.nan,), (1.0, 2.0)), "finite"),
    (lambda: Steps((1.0,), (1.0, math.inf)), "finite"),
    (lambda: Steps((1.0,), (1.0, "2")), "finite numbers"),
    (lambda: Square(1.0, 2.0, 2.0), "before stop"),
    (lambda: Square(1.0, 0.0, math.inf), "finite"),
    (lambda: Square(1.0, math.nan, 1.0), "before stop"),
    (lambda: Gaussian(1.0, 0.0, 0.0), "positive"),
    (lambda: Gaussian(1.0, math.nan, 1.0), "centre"),
    (lambda: Gaussian(1.0, 0.0, math.inf), "fwhm"),
    (lambda: Sampled([0.0], [1.0]), "equal rows"),
    (lambda: Sampled([0.0, 1.0], [1.0]), "equal rows"),
    (lambda: Sampled([1.0, 0.0], [1.0, 1.0]), "rise"),
    (lambda: Sampled([0.0, 1.0], [1.0, -1.0]), "not negative"),
    (lambda: Sampled([0.0, 1.0], [1.0, math.nan]), "finite"),
    (lambda: Drive(pump_rate=-1.0), "pump_rate = -1 1/s"),
    (lambda: Drive(pump_rate=Steps((0.0,), (1.0, -1.0))), "pump_rate"),
    (lambda: Drive(pump_rate=Square(-1.0, 0.0, 1.0)), "pump_rate"),
    (lambda: Drive(pump_rate=Gaussian(1e15, 0.0, 1.0)), "pump_rate"),
    (lambda: Drive(pump_rate=Sampled([0.0, 1.0], [0.0, 1e15])), "pump_rate"),
    (lambda: Drive(pump_rate=None), "pump_rate: expected a number"),
    (lambda: Drive(pump_rate="fast"), "pump_rate: expected a number"),
    (lambda: Drive(rabi_35=Square(1.0, 0.0, 1.0)), "rabi_35: expected a number"),
    (lambda: Drive(pump_on_at=Steps((0.0,), (0.0, 1.0))), "expected one number"),
    (lambda: Drive(pump_on_at=1.0, pump_off_at=0.5), "lies before"),
    (lambda: Drive(pump_off_at=math.inf), "pump_off_at"),
    (lambda: Drive(frame="resonnant"), "did you mean 'resonant'"),
    (lambda: Drive(frame=3), "frame"),
    (lambda: Drive(frame=Frame(e3=math.nan)), "Frame.e3"),
])
def test_a_drive_that_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_unknown_keyword_is_a_type_error():
    with pytest.raises(TypeError):
        Drive(pump=1.0)
    with pytest.raises(TypeError, match="did you mean 'pump_rate'"):
        Drive().replace(pump_rat=1.0)
