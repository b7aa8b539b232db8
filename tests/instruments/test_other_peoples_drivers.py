"""Drivers that others wrote, unchanged, on our software instruments: every public property of each.

Where an upstream driver is wrong, the test says so by asserting what it does wrong; our device stays as
the manual has it. Packages that are not installed are skipped by name.
"""

from __future__ import annotations

import numpy as np
import pytest
from pymeasure.instruments import Channel, Instrument, SCPIMixin, SCPIUnknownMixin
from pymeasure.instruments.agilent import Agilent8257D
from pymeasure.instruments.keysight import KeysightPNA
from pymeasure.instruments.lakeshore import LakeShore224
from pymeasure.instruments.rohdeschwarz.fsseries import FSL
from pymeasure.instruments.srs import SG380
from pymeasure.instruments.thorlabs import ThorlabsPM100USB

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture
def connect(bench_here):
    """connect(Driver, role): an upstream driver on a plain VISA session of PyMeasure's own."""
    opened = []

    def start(driver, role, **ends):
        ends = {"read_termination": "\n", "write_termination": "\n"} | ends
        ends = {name: value for name, value in ends.items() if value}
        opened.append(driver(bench_here.resource(role), visa_library="@py", timeout=5000, **ends))
        return opened[-1]

    yield start
    for instrument in opened:
        instrument.adapter.close()


def public(cls):
    """Names of the public properties that a driver adds to PyMeasure's own base classes."""
    shared = {*Instrument.__mro__, *Channel.__mro__, SCPIMixin, SCPIUnknownMixin}
    return {name for base in cls.__mro__ if base not in shared
            for name, member in vars(base).items() if isinstance(member, property) and name[0] != "_"}


def exercise(place, settable, readable):
    """Set and read back, or read, and the names of all that were."""
    for name, value in settable.items():
        setattr(place, name, value)
        found = getattr(place, name)
        assert found == (value if isinstance(value, str) else pytest.approx(value)), name
    for name, expected in readable.items():
        assert getattr(place, name) == expected, name
    return set(settable) | set(readable)


def no_error(instrument):
    return instrument.ask("SYST:ERR?").startswith("+0")


# --- Agilent 8257D ------------------------------------------------------------------------------------

SOURCE = {
    "frequency": 1.4495e9, "power": -12.5, "start_frequency": 1e9, "stop_frequency": 2e9,
    "center_frequency": 1.5e9, "start_power": -20.0, "stop_power": -10.0, "dwell_time": 0.01,
    "step_points": 11, "amplitude_depth": 40.0, "amplitude_source": "external", "pulse_source": "external",
    "pulse_input": "free-run", "pulse_frequency": 1e3, "low_freq_out_amplitude": 1.5,
    "low_freq_out_source": "function", "internal_frequency": 1e3, "internal_shape": "triangle",
}


def test_pymeasures_8257d_runs_all_of_its_properties(connect, bench_here):
    source, settings = connect(Agilent8257D, "microwave"), bench_here.devices["microwave"].settings
    done = exercise(source, SOURCE, {})
    for switch, on, off, held in (
            ("is_enabled", source.enable, source.disable, "output"),
            ("has_modulation", source.enable_modulation, source.disable_modulation, "modulation"),
            ("has_amplitude_modulation", source.enable_amplitude_modulation,
             source.disable_amplitude_modulation, "am"),
            ("has_pulse_modulation", source.enable_pulse_modulation,
             source.disable_pulse_modulation, "pulm")):
        for act, expected in ((on, True), (off, False)):
            act()
            assert (getattr(source, switch), settings[held]) == (expected, expected)
        done.add(switch)
    assert done == public(Agilent8257D) and len(done) == 22
    for act in (source.config_amplitude_modulation, source.config_pulse_modulation,
                source.config_low_freq_out, source.config_step_sweep, source.enable_retrace,
                source.disable_retrace, source.single_sweep,
                source.start_step_sweep, source.stop_step_sweep, source.shutdown):
        act()
    assert no_error(source)
    assert not settings["output"] and not bench_here.cavity.rf_on


def test_bug_pymeasures_8257d_sets_a_frequency_to_seven_digits_only(connect):
    source = connect(Agilent8257D, "microwave")
    source.frequency = 1449500400.0
    assert source.frequency == 1449500000.0     # 400 Hz lost in "%e"


# --- SRS SG384 ----------------------------------------------------------------------------------------


def test_pymeasures_sg380_runs_all_of_its_properties(connect, bench_here):
    source = connect(SG380, "microwave_45", read_termination="\r\n")
    settings = bench_here.devices["microwave_45"].settings
    done = exercise(source, {"frequency": 1449500000.25, "fm_dev": 1e4, "rate": 2e3, "mod_type": "PULSE",
                             "mod_func": "SQUARE"}, {"mod_function": "SQUARE", "has_doubler": True,
                                                     "has_IQ": True})
    assert done == public(SG380) and len(done) == 8
    assert (settings["frequency"], settings["modulation_type"]) == (1449500000.25, 4)
    assert source.ask("LERR?") == "0"


def test_bug_pymeasures_sg380_sees_options_that_are_not_there(connect, bench_here):
    source = connect(SG380, "microwave_45", read_termination="\r\n")
    device = bench_here.devices["microwave_45"]
    installed, device.options = device.options, ()
    assert source.ask("OPTN? 2") == "0"
    assert source.has_doubler and source.has_IQ     # bool("0")
    source.mod_type = "IQ"
    assert source.ask("LERR?") == "16"              # refused by the generator, not by the driver
    device.options = installed


def test_bug_pymeasures_sg380_limits_no_frequency_and_takes_any_function(connect):
    source = connect(SG380, "microwave_45", read_termination="\r\n")
    source.frequency = 9e9                          # its truncated_range is thrown away
    assert source.ask("LERR?") == "10"
    source.mod_func = "NO SUCH FUNCTION"
    assert source.mod_function == "RAMP"
    with pytest.raises(AttributeError):
        source.mod_function = "SINE"                # the setter is called mod_func


# --- Keysight PNA -------------------------------------------------------------------------------------


def test_pymeasures_pna_runs_all_of_its_properties(connect, bench_here):
    device = bench_here.devices["vna"]
    device.settings |= {"points": 51, "bandwidth": 1e5}
    pna = connect(KeysightPNA, "vna", read_termination="")
    done = exercise(pna, {"output_enabled": True, "byte_order_swapped": True},
                    {"measurement_channels": [1], "options": ["419", "S93007B"], "data_format": "real64"})
    channel = pna.channels[1]
    done_channel = exercise(channel, {}, {"number_of_points": 51, "measurements": [1, 2]})
    channel.single()
    assert pna.complete
    trace = channel.traces[1]
    for form in ("real64", "real32", "ascii"):
        pna.data_format = form
        assert pna.data_format == form
        x, s = np.asarray(trace.x_data, float), np.asarray(trace.y_data_complex, float)
        np.testing.assert_allclose(x, device.frequencies(), rtol=1e-6)
        np.testing.assert_allclose(s[:, 0] + 1j * s[:, 1], device.measured["S11"], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(np.asarray(trace.y_data, float), 20 * np.log10(np.hypot(*s.T)), atol=1e-4)
    done_trace = exercise(trace, {}, {"parameter": "S11", "x_unit": "FREQ", "y_unit": "DB"})
    marker = trace.markers[2]
    done_marker = exercise(marker, {"enabled": True, "is_discrete": True, "x": float(round(x[20]))}, {})
    assert marker.y == pytest.approx([20 * np.log10(np.hypot(*s[20])), 0.0], abs=1e-4)
    assert done == public(KeysightPNA) and done_channel == public(type(channel))
    assert done_trace | {"x_data", "y_data", "y_data_complex"} == public(type(trace))
    assert done_marker | {"y"} == public(type(marker))
    for act in (channel.continuous, channel.hold, channel.initiate, pna.abort):
        act()
    pna.load_state("D:/state.csa")
    pna.output_enabled = False
    assert no_error(pna) and not bench_here.cavity.rf_on


def test_pymeasures_pna_leaves_it_radiating_after_a_reset(connect, bench_here):
    """No bug of the driver: a preset turns the output on, and PyMeasure's shutdown does not turn it off."""
    pna = connect(KeysightPNA, "vna", read_termination="")
    pna.reset()
    pna.shutdown()
    assert bench_here.cavity.rf_on
    pna.output_enabled = False


# --- energy meter, analyser, thermometer --------------------------------------------------------------


def test_pymeasures_pm100_runs_all_of_its_properties(connect, bench_here):
    meter = connect(ThorlabsPM100USB, "energy")
    bench_here.cavity._last_energy = 2e-3
    done = exercise(meter, {"wavelength": 592.0}, {"wavelength_min": 185.0, "wavelength_max": 25000.0})
    assert meter.energy == pytest.approx(0.04 * 2e-3, rel=0.06)     # by the pick-off
    bench_here.cavity._last_energy = 0.0
    with pytest.raises(AttributeError, match="not a power sensor"):
        _ = meter.power
    assert done | {"energy", "power"} == public(ThorlabsPM100USB)
    assert no_error(meter)


def test_pymeasures_fsl_runs_all_of_its_properties(connect):
    analyser = connect(FSL, "analyser")
    done = exercise(analyser, {
        "freq_center": 1.4495e9, "freq_span": 5e6, "freq_start": 1.447e9, "freq_stop": 1.452e9,
        "attenuation": 20.0, "res_bandwidth": 3e4, "video_bandwidth": 3e4, "sweep_time": 0.01,
        "continuous_sweep_enabled": False, "trace_mode": "MAXH"}, {})
    assert done == public(FSL) and len(done) == 10
    for automatic in ("res_bandwidth", "video_bandwidth", "sweep_time"):
        setattr(analyser, automatic, "AUTO")
    analyser.freq_span = "4 MHz"
    assert (analyser.freq_span, analyser.res_bandwidth) == (4e6, 4e4)
    analyser.trace_mode = "WRIT"
    analyser.single_sweep()
    analyser.continue_single_sweep()
    frequencies, levels = analyser.read_trace()
    marker = analyser.create_marker(2)
    marker.to_peak()
    assert marker.x == pytest.approx(frequencies[np.argmax(levels)])
    assert marker.y == pytest.approx(levels.max(), abs=1e-5)
    marker.x, marker.peak_excursion = 1.45e9, 10.0
    assert marker.x == 1.45e9
    marker.disable()
    assert no_error(analyser)


def test_pymeasures_lake_shore_runs_all_of_its_inputs(connect, bench_here):
    monitor = connect(LakeShore224, "thermometer", read_termination="")
    kelvin = bench_here.cavity.temperature
    assert monitor.input_A.kelvin == pytest.approx(kelvin, abs=5e-3)
    assert monitor.input_A.celsius == pytest.approx(kelvin - 273.15, abs=5e-3)
    assert 100.0 < monitor.input_A.sensor < 120.0
    assert [place.kelvin for place in (monitor.input_B, monitor.input_C5, monitor.input_D1)] == [0.0] * 3
    assert len(monitor.input_0.kelvin) == 12
    assert int(monitor.ask("*ESR?")) & 0b110000 == 0
