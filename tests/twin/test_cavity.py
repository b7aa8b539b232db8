"""Sweeps of the cavity: what is told, with which error, and what is refused."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.cavity import fit_cavity, fit_cavity_power, fit_sweep, read_sweep

MEASURED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cavity"


def measured(name):
    path = MEASURED / name
    if not path.exists():
        pytest.skip("the measured sweeps are not beside this checkout")
    return path.read_text()


def sweep(kind="reflection", frequency=1.4493e9, quality=8500.0, k=0.2, delay=3e-9, noise=1e-3, span=8.0,
          points=601, slope=0.02, offset=0.3, leak=0.0, seed=0):
    """A sweep of `span` line widths around a mode, with cable loss, slope and noise; its axis and s."""
    f = frequency * (1 + (np.linspace(-0.5, 0.5, points) * span + offset) / quality)
    x = np.linspace(-1, 1, points)
    mode = 1 / (1 + 2j * quality * (f - frequency) / frequency)
    core = 1 - 2 * k / (1 + k) * mode if kind == "reflection" else (0.1 * mode + leak) * np.exp(0.4j)
    s = 0.8 * np.exp(0.7j) * (1 + slope * x) * np.exp(-2j * np.pi * f * delay) * core
    rng = np.random.default_rng(seed)
    return f, s + noise * (rng.normal(size=points) + 1j * rng.normal(size=points))


def test_the_measured_sweep_gives_its_known_numbers():
    fit = fit_sweep(read_sweep(measured("mines_rt_zpin0p0485.csv")))
    assert fit.verdict == "OK"
    assert fit.parameters["frequency"] == pytest.approx(4.43054e9, abs=5e4)
    assert fit.parameters["loaded_quality"] == pytest.approx(2280, rel=0.05)
    assert fit.parameters["coupling_factor"] == pytest.approx(0.030, abs=0.003)
    assert fit.parameters["cable_delay"] == pytest.approx(-2.90e-9, abs=3e-11)
    # Its background bends, which noise alone does not explain: the errors are those of the misfit.
    assert fit.chi2_per_dof > 10 and 5 < fit.sigma["loaded_quality"] < 100


def test_the_fitted_line_is_a_modulus_where_only_power_was_measured():
    f, s = sweep(noise=1e-4)
    fit = fit_cavity_power(f, 20 * np.log10(np.abs(s)))
    np.testing.assert_allclose(fit.model, np.abs(s), atol=1e-3)


def test_a_header_a_touchstone_file_and_a_long_cable_change_nothing():
    text = measured("mines_rt_zpin0p0485.csv")
    plain = read_sweep(text)
    wanted = fit_sweep(plain)
    f, s = plain.frequency, plain.s
    forms = [("reflection", "frequency [Hz],S11 [dB],phase [deg]\n" + text)]
    for unit, scale in (("Hz", 1.0), ("GHz", 1e9)):
        ri = "".join(f"{a / scale:.12g} {z.real:.8g} {z.imag:.8g}\n" for a, z in zip(f, s, strict=True))
        ma = "".join(f"{a / scale:.12g} {abs(z):.8g} {np.degrees(np.angle(z)):.7g}\n"
                     for a, z in zip(f, s, strict=True))
        forms += [("reflection", f"! a comment\n# {unit} S RI R 50\n{ri}"),
                  ("reflection", f"# {unit} S MA R 50\n{ma}")]
    db = "".join(f"{a:.12g} {20 * np.log10(abs(z)):.8g} {np.degrees(np.angle(z)):.7g} 0 0 0 0 0 0\n"
                 for a, z in zip(f, s, strict=True))
    forms.append(("reflection", "# Hz S DB R 50\n" + db))
    fits = [fit_sweep(read_sweep(form, kind), kind) for kind, form in forms]
    for fit in fits:
        for name, value in wanted.parameters.items():
            assert fit.parameters[name] == pytest.approx(value, abs=0.1 * wanted.sigma[name])
    for delay in (50e-9, -30e-9):
        fit = fit_cavity(f, s * np.exp(-2j * np.pi * f * delay))
        for name, value in wanted.parameters.items():
            shift = delay if name == "cable_delay" else 0.0
            assert fit.parameters[name] - shift == pytest.approx(value, abs=wanted.sigma[name])


def test_a_dip_smaller_than_the_ripple_is_refused():
    for fit in (fit_sweep(read_sweep(measured("mines_rt_zpin0.csv"))),
                fit_cavity_power(*_decibels(read_sweep(measured("mines_rt_zpin0.csv"))))):
        assert fit.verdict != "OK" and "ripple" in fit.verdict
        assert fit.parameters == {} and fit.sigma == {}


def _decibels(measured_sweep):
    return measured_sweep.frequency, 20 * np.log10(np.abs(measured_sweep.s))


CASES = [dict(), dict(k=1.0, quality=3600, delay=30e-9, span=12),
         dict(k=4.0, quality=5000, delay=60e-9, span=5),
         dict(quality=20_000, frequency=9.4e9, k=0.5, delay=-120e-9, span=20),
         dict(quality=500, k=2.0, span=3), dict(quality=152, k=1.0, span=4, delay=5e-9),
         dict(quality=2000, frequency=4.43e9, k=0.03, span=8),
         dict(kind="transmission", noise=1e-4),
         dict(kind="transmission", noise=1e-4, quality=800, delay=200e-9),
         dict(kind="transmission", noise=1e-5, leak=0.02, slope=0.0)]


@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_coupling_is_told_within_its_errors(case):
    truth = {"frequency": 1.4493e9, "quality": 8500.0, "k": 0.2, "delay": 3e-9, **case}
    kind = case.get("kind", "reflection")
    named = {"frequency": truth["frequency"], "loaded_quality": truth["quality"],
             "cable_delay": truth["delay"]}
    if kind == "reflection":
        named |= {"coupling_factor": truth["k"], "unloaded_quality": truth["quality"] * (1 + truth["k"])}
    pulls = []
    for seed in range(5):
        fit = fit_cavity(*sweep(**case, seed=seed), kind)
        assert fit.verdict == "OK" and fit.parameters.keys() == named.keys()
        assert 0.7 < fit.chi2_per_dof < 1.4
        pulls.append([(fit.parameters[n] - named[n]) / fit.sigma[n] for n in named])
    assert np.max(np.abs(pulls)) < 4.5
    assert np.sqrt(np.mean(np.square(pulls))) < 1.5


@pytest.mark.parametrize("k", [0.1, 0.5, 3.0])
def test_power_alone_tells_all_but_the_delay_once_the_side_of_coupling_is_known(k):
    f, s = sweep(k=k, noise=2e-4)
    fit = fit_cavity_power(f, 20 * np.log10(np.abs(s)), overcoupled=k > 1)
    assert fit.verdict == "OK" and "cable_delay" not in fit.parameters
    assert fit.parameters["loaded_quality"] == pytest.approx(8500, rel=0.01)
    assert fit.parameters["coupling_factor"] == pytest.approx(k, rel=0.02)
    other = fit_cavity_power(f, 20 * np.log10(np.abs(s)), overcoupled=k < 1)
    assert other.parameters["coupling_factor"] == pytest.approx(1 / k, rel=0.02)


def test_a_scalar_sweep_in_transmission_tells_frequency_and_quality():
    f, s = sweep(kind="transmission", noise=1e-4)
    text = "".join(f"{a},{20 * math.log10(abs(z))}\n" for a, z in zip(f, s, strict=True))
    fit = fit_sweep(read_sweep(text), "transmission")
    assert fit.parameters.keys() == {"frequency", "loaded_quality"}
    assert fit.parameters["loaded_quality"] == pytest.approx(8500, rel=0.01)


@given(quality=st.floats(300, 3e4), k=st.floats(0.05, 5.0), delay=st.floats(-3e-7, 3e-7),
       span=st.floats(3, 40), offset=st.floats(-1.0, 1.0))
@settings(deadline=None, max_examples=15)
def test_a_clean_sweep_is_always_read(quality, k, delay, span, offset):
    fit = fit_cavity(*sweep(quality=quality, k=k, delay=delay, span=span, offset=offset, noise=1e-5))
    assert fit.verdict == "OK"
    assert fit.parameters["loaded_quality"] == pytest.approx(quality, rel=1e-2)
    assert fit.parameters["coupling_factor"] == pytest.approx(k, rel=1e-2)


def test_noise_and_ripple_without_a_mode_are_refused():
    for seed in range(4):
        rng = np.random.default_rng(seed)
        f = np.linspace(1.0e9, 1.01e9, 801)
        noise = 1e-3 * (rng.normal(size=801) + 1j * rng.normal(size=801))
        flat = 0.7 * np.exp(-2j * np.pi * f * 2e-8) + noise
        rippled = flat * (1 + 0.02 * np.cos(2 * np.pi * (f - f[0]) / 4e6 + seed))
        for s in (flat, rippled):
            assert fit_cavity(f, s).parameters == {}
            assert fit_cavity_power(f, 20 * np.log10(np.abs(s))).parameters == {}


def test_a_peak_in_reflection_is_not_called_a_cavity():
    f, s = sweep(kind="transmission", noise=1e-4)
    assert "transmission" in fit_cavity_power(f, 20 * np.log10(np.abs(s)), "reflection").verdict


@pytest.mark.parametrize(("text", "message"), [
    ("", "found 0 points"), ("1e9,-1,0\n" * 30, "all different"), ("f,db\n1e9,-1,0\nstop", "line 3"),
    ("1e9,1\n2e9,1,0\n", "line 2"), ("# GHz Z RI R 50\n1 0 0\n", "scattering"),
    ("# GHz S RI R 50\n1 0 0 0\n", "line 2"), ("".join(f"{-i} 0 0\n" for i in range(30)), "positive"),
    ("".join(f"{i + 1} nan 0\n" for i in range(30)), "not finite")])
def test_a_text_that_is_no_sweep_is_refused_with_its_line(text, message):
    with pytest.raises(ValueError, match=message):
        read_sweep(text)


def test_the_unit_of_a_header_is_honoured():
    f, s = sweep()
    rows = "".join(f"{a / 1e9:.12g};{20 * np.log10(abs(z)):.9g};{np.degrees(np.angle(z)):.9g}\n"
                   for a, z in zip(f, s, strict=True))
    assert read_sweep("Freq_GHz;dB;deg\n" + rows).frequency == pytest.approx(f)


def test_wrong_arrays_and_kinds_are_refused():
    f, s = sweep()
    with pytest.raises(ValueError, match="did you mean 'reflection'"):
        fit_cavity(f, s, "reflexion")
    with pytest.raises(ValueError, match="equal rows"):
        fit_cavity(f[:-1], s)
    with pytest.raises(ValueError, match="rise"):
        fit_cavity(f[::-1], s)
