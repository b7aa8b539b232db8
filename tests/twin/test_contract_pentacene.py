"""Every call that the contract's section on pentacene promises, with odd parameters, and every refusal."""

import dataclasses
import math

import numpy as np
import pytest

from twin import pentacene, simulate, simulate_ensemble
from twin.drive import Drive, Frame, Gaussian, Sampled, Square, Steps

PI2 = 2.0 * math.pi
P = pentacene.Parameters()
ODD = P.replace(molecules=1.7e16, coupling=0.31, cavity_decay=3.3e6, cavity_frequency=P.frequency_35 - 4.4e5,
                thermal_photons=777.0, branching=(0.1, 0.2, 0.7), spin_lattice_34=5e4, dephasing_45=1.9e6)
EXPECTED = dict(
    molecules=3e16, coupling=PI2 * 0.042, cavity_decay=PI2 * 1.4495e9 / 4300, frequency_35=PI2 * 1.4495e9,
    frequency_45=PI2 * 0.107e9, frequency_34=PI2 * 1.3425e9, cavity_frequency=PI2 * 1.4495e9,
    thermal_photons=4312.0, spontaneous_emission=4.2e7, intersystem_crossing=6.9e7,
    branching=(0.08, 0.16, 0.76), triplet_decay=(0.2e4, 0.6e4, 2.8e4), spin_lattice_35=1.1e4,
    spin_lattice_34=2.2e4, spin_lattice_45=0.4e4, dephasing_34=PI2 * 0.11e6, dephasing_35=PI2 * 0.11e6,
    dephasing_45=PI2 * 0.11e6, dephasing_operator="pure")


def test_the_defaults_are_exact_and_replacing_one_field_moves_no_other():
    assert dataclasses.asdict(P) == EXPECTED
    assert Drive().pump_rate == 6.2e7
    for name in pentacene.NAMES:
        other = "branching_3" if name == "branching_5" else "branching_5"
        change = {name: P.value(name) * 0.99}
        if name.startswith("branching"):
            change[other] = P.value(other) + 0.01 * P.value(name)
        moved = P.replace(**change)
        assert {n for n in pentacene.NAMES if moved.value(n) != P.value(n)} == set(change)
    with pytest.raises(dataclasses.FrozenInstanceError):
        P.coupling = 1.0


def test_named_sets_differ_only_where_the_contract_says():
    assert pentacene.parameters("battery2025") == P == pentacene.parameters("wu2019")
    differ = lambda q: {n: getattr(q, n) for n in EXPECTED if getattr(q, n) != getattr(P, n)}  # noqa: E731
    assert differ(pentacene.parameters("wu2020")) == dict(
        triplet_decay=(0.2e4, 1.4e4, 2.2e4), spin_lattice_34=2.8e4, coupling=0.23,
        cavity_decay=PI2 * 1.4495e9 / 3600, dephasing_34=1.1e6, dephasing_35=1.1e6, dephasing_45=1.1e6,
        molecules=1e17)
    assert differ(pentacene.parameters("breeze2017")) == dict(
        coupling=0.264, cavity_decay=PI2 * 1.4495e9 / 8500, dephasing_34=6.9e5, dephasing_35=6.9e5,
        dephasing_45=6.9e5, molecules=1e15)
    pentacene.parameters("bench_default")
    with pytest.raises(ValueError, match="breeze2017"):
        pentacene.parameters("breze2017")


def test_temperature_sets_thermal_photons_alone():
    warm = P.at_temperature(300.0)
    assert warm.thermal_photons == pytest.approx(4312.0, rel=1e-3)
    assert warm.replace(thermal_photons=P.thermal_photons) == P
    assert P.at_temperature(0.0).thermal_photons == 0.0


@pytest.mark.parametrize("model", ["rate", "mean_field", "cumulant", "stochastic"])
def test_every_reading_returns_the_same_shapes(model):
    times = np.array([1.3e-8, 2e-7, 5.1e-7])
    t = simulate(ODD, Drive(pump_rate=3e7, pulse_photons=1e17), times, model=model, seed=4)
    assert t.populations.shape == (3, 5) and t.photons.shape == (3,) and t.field.shape == (3,)
    assert t.status == "ok" and len(t.warnings) == 0 and np.iscomplexobj(t.field)
    assert t.populations.sum(axis=1) == pytest.approx(1.0, abs=1e-9)


def test_the_undriven_mean_field_starts_from_the_root_of_the_thermal_photons():
    t = simulate(ODD, Drive(), [0.0, 1e-7], model="mean_field")
    assert t.photons[0] == pytest.approx(777.0) and t.field[0] == pytest.approx(math.sqrt(777.0))
    assert simulate(ODD, Drive(), [0.0]).photons[0] == pytest.approx(777.0)
    assert simulate(ODD, Drive(), [0.0]).field[0] == 0.0


DRIVES = {
    "plain": Drive(pump_rate=5e7), "gated": Drive(pump_on_at=6e-8, pump_off_at=3.1e-7),
    "steps": Drive(pump_rate=Steps((1.1e-7, 2.9e-7), (3e7, 0.0, 8e7))),
    "square": Drive(pump_rate=Square(7e7, 4e-8, 2.5e-7)),
    "gaussian": Drive(pump_rate=Gaussian(2e8, 1.5e-7, 4e-8)),
    "sampled": Drive(pump_rate=Sampled([0.0, 1e-7, 3e-7], [1e7, 9e7, 0.0])),
    "switched": Drive(cavity_decay=Steps((2.2e-7, 4e-7), (3e6, 2e7, 1e6)))}


@pytest.mark.parametrize("name", DRIVES)
@pytest.mark.parametrize("model", ["rate", "mean_field", "cumulant"])
def test_two_halves_are_one_run(name, model):
    times = np.linspace(0.0, 6e-7, 61)
    whole = simulate(ODD, DRIVES[name], times, model=model, rtol=1e-12)
    for cut in (1, 22, 29):  # before, on and between the edges
        first = simulate(ODD, DRIVES[name], times[:cut + 1], model=model, rtol=1e-12)
        second = simulate(ODD, DRIVES[name], times[cut:], model=model, rtol=1e-12, initial=first)
        assert second.photons == pytest.approx(whole.photons[cut:], abs=1e-8 * whole.photons.max())
        assert second.populations == pytest.approx(whole.populations[cut:], abs=1e-9)


def test_two_halves_are_one_run_under_a_tone():
    times = np.linspace(0.0, 4e-7, 41)
    d = Drive(rabi_35=Steps((1e-7, 2.5e-7), (0.0, 3e6, 0.0)))
    for model in ("mean_field", "cumulant"):
        whole = simulate(ODD, d, times, model=model, rtol=1e-12)
        first = simulate(ODD, d, times[:18], model=model, rtol=1e-12)
        second = simulate(ODD, d, times[17:], model=model, rtol=1e-12, initial=first)
        assert second.photons == pytest.approx(whole.photons[17:], abs=1e-7 * whole.photons.max())
        assert second.field == pytest.approx(whole.field[17:], abs=1e-7 * np.abs(whole.field).max())


def test_the_clock_is_absolute_and_a_later_pump_only_shifts_everything():
    p = P.replace(thermal_photons=0.0)  # so that nothing happens before the pump
    times = np.linspace(0.0, 7e-7, 71)
    now = simulate(p, Drive(pump_rate=Square(6e7, 0.0, 4e-7)), times, rtol=1e-11)
    later = simulate(p, Drive(pump_rate=Square(6e7, 2e-6, 2.4e-6)), times + 2e-6, rtol=1e-11)
    assert later.photons == pytest.approx(now.photons, abs=1e-8 * now.photons.max())
    a, b = now.charging(), later.charging()
    assert b.latency - a.latency == pytest.approx(2e-6, abs=1e-12)
    assert b.maximum_energy == pytest.approx(a.maximum_energy, rel=1e-8)


def test_the_output_grid_does_not_matter():
    coarse = simulate(ODD, Drive(), [3e-7, 9e-7], rtol=1e-11)
    fine = simulate(ODD, Drive(), np.linspace(0.0, 9e-7, 901), rtol=1e-11)
    assert coarse.photons == pytest.approx(fine.photons[[300, 900]], rel=1e-8)


def test_frames():
    printed = Drive(rabi_45=1e7, frame="printed")
    w = P.frequency_35 - P.frequency_45
    frame = Frame(e3=-w / 2, e4=0.0, e5=w / 2, cavity=P.cavity_frequency - P.frequency_45)
    by_hand = Drive(rabi_45=1e7, frame=frame)
    times = [1e-8, 2e-8]
    a, b = simulate(P, printed, times, model="mean_field"), simulate(P, by_hand, times, model="mean_field")
    assert a.populations == pytest.approx(b.populations, abs=1e-9)
    resonant = simulate(P, Drive(rabi_45=1e7), [3e-7], model="mean_field").populations
    assert np.abs(resonant - simulate(P, printed, [3e-7], model="mean_field").populations).max() > 0.05
    for rabi in (dict(rabi_35=1e6), {}):
        one, two = (simulate(P, Drive(**rabi, frame=f), [3e-7], model="mean_field")
                    for f in ("printed", "resonant"))
        assert one.photons == pytest.approx(two.photons, rel=1e-9)
    with pytest.raises(ValueError, match="printed"):
        simulate(P, Drive(rabi_35=1e6, rabi_45=1e6, frame="printed"), times)
    # cavity_frequency is ignored under a frame by hand
    off = P.replace(cavity_frequency=P.frequency_35 + 1e7)
    c, d = (simulate(q, Drive(frame=Frame(cavity=2e6)), [5e-7]) for q in (P, off))
    assert c.photons == pytest.approx(d.photons, rel=1e-12)


@pytest.mark.parametrize("mode", [0.0, 9e5, -2e6])  # of the mode from the line, whose frame the field is in
def test_a_driven_empty_cavity_rings_up_and_down_as_it_must(mode):
    kappa, turn, eps = 2e6, 1.5e6, 3e8 - 2e8j
    p = P.replace(coupling=0.0, cavity_decay=kappa, cavity_frequency=P.frequency_35 + mode)
    times = np.linspace(0.0, 4e-6, 50)
    t = simulate(p, Drive(pump_rate=0.0, cavity_drive=eps, cavity_drive_detuning=turn), times, rtol=1e-11)
    expected = -1j * eps * (np.exp(-1j * turn * times) - np.exp(-kappa * times / 2)) / (kappa / 2 - 1j * turn)
    expected *= np.exp(-1j * mode * times)
    assert np.abs(t.field - expected).max() < 1e-8 * np.abs(expected).max()
    assert t.photons == pytest.approx(np.abs(expected) ** 2 + 4312.0, rel=1e-8)


WRONG = [
    (dict(molecules=-1.0), "molecules"), (dict(coupling=float("nan")), "coupling"),
    (dict(cavity_decay=float("inf")), "cavity_decay"), (dict(cavity_decay=-2e6), "cavity_decay"),
    (dict(frequency_35=1.4495e9), r"frequency_35.*2 ?\*? ?pi"), (dict(cavity_frequency=1.4495e9), "2 pi"),
    (dict(frequency_34=1.3e9), "2 pi"), (dict(frequency_45=1.07e8), "2 pi"),
    (dict(branching=(0.1, 0.2, 0.8)), "branching"), (dict(triplet_decay_51=-1.0), "triplet_decay_51"),
    (dict(dephasing_operator="pur"), "pure"), (dict(thermal_photons=-0.1), "thermal_photons"),
    (dict(coupling="strong"), "coupling")]


@pytest.mark.parametrize("change, words", WRONG, ids=lambda v: next(iter(v)) if isinstance(v, dict) else "")
def test_parameters_out_of_range_are_refused_by_name(change, words):
    with pytest.raises(ValueError, match=words):
        P.replace(**change)


@pytest.mark.parametrize("change, words", [
    (dict(pump_rate=-1.0), "pump_rate"), (dict(pump_rate=float("nan")), "pump_rate"),
    (dict(rabi_35=float("inf")), "rabi_35"), (dict(pump_on_at=float("nan")), "pump_on_at"),
    (dict(pump_on_at=2e-6, pump_off_at=1e-6), "pump_off_at"), (dict(frame="resonnant"), "resonant"),
    (dict(cavity_drive=complex(0, float("nan"))), "cavity_drive"), (dict(rabi_45=None), "rabi_45"),
    (dict(cavity_decay=Steps((1e-6,), (1e6, -1e6))), "cavity_decay")])
def test_drives_out_of_range_are_refused_by_name(change, words):
    with pytest.raises(ValueError, match=words):
        Drive(**change)


def test_unknown_keywords_are_type_errors_and_unknown_names_in_text_value_errors():
    for call in (lambda: pentacene.Parameters(molecule=1e16), lambda: P.replace(couplin=1.0),
                 lambda: Drive(pump=1e7), lambda: simulate(P, Drive(), [0.0], modell="rate")):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(ValueError, match="cumulant"):
        simulate(P, Drive(), [0.0], model="cumulants")


@pytest.mark.parametrize("times", [[1e-7, 0.0], [0.0, 0.0], [0.0, float("nan")], [], [[0.0]], [-1e-9, 1e-9],
                                   [0.0, float("inf")]])
@pytest.mark.parametrize("model", ["cumulant", "stochastic"])
def test_impossible_times_are_refused(times, model):
    with pytest.raises(ValueError, match="times"):
        simulate(P, Drive(), times, model=model, seed=1)


def test_what_a_reading_cannot_carry_is_refused():
    for d in (Drive(rabi_35=1.0), Drive(rabi_45=Steps((1e-7,), (0.0, 1e6))), Drive(cavity_drive=1j)):
        with pytest.raises(ValueError, match="rate"):
            simulate(P, d, [0.0, 1e-7], model="rate")
    for model in ("stochastic", "exact"):
        p = P.replace(molecules=1, thermal_photons=0.0) if model == "exact" else P
        with pytest.raises(ValueError, match=model):
            simulate(p, Drive(), [0.0, 1e-9], model=model, seed=1).sensitivity("coupling")
    with pytest.raises(ValueError, match="rtol"):
        simulate(P, Drive(), [0.0, 1e-7], rtol=0.0)
    with pytest.raises(ValueError, match="initial"):
        simulate(P, Drive(), [1e-7], model="rate", initial=simulate(P, Drive(), [0.0, 1e-8]))


@pytest.mark.parametrize("change", [dict(coupling=0.0), dict(cavity_decay=0.0), dict(thermal_photons=0.0),
                                    dict(molecules=1.0, coupling=1e6), dict(intersystem_crossing=0.0)])
@pytest.mark.parametrize("model", ["rate", "mean_field", "cumulant", "stochastic"])
def test_extreme_but_legal_crystals_end_in_numbers(change, model):
    t = simulate(P.replace(**change), Drive(), np.linspace(0.0, 1e-6, 11), model=model, seed=1)
    assert t.status == "ok" and np.all(np.isfinite(t.photons)) and t.populations.min() >= -1e-9
    assert np.abs(t.populations.sum(axis=1) - 1.0).max() < 1e-9


def test_one_time_zero_alone_and_a_dark_crystal():
    assert simulate(P, Drive(), [0.0]).populations.tolist() == [[1.0, 0.0, 0.0, 0.0, 0.0]]
    assert simulate(P, Drive(), [7e-7]).photons.shape == (1,)
    dark = simulate(P, Drive(pump_rate=0.0), [0.0, 1e-3])
    assert dark.photons == pytest.approx(4312.0) and dark.populations[:, 0] == pytest.approx(1.0)
    ensemble = simulate_ensemble(P, Drive(), [0.0], 2, seed=1)
    assert ensemble.photons.shape == (2, 1)


def test_figures_of_a_continued_trajectory_count_from_the_beginning():
    p, d = pentacene.Parameters(), Drive(pump_rate=5e7)
    whole = simulate(p, d, np.linspace(0.0, 2e-6, 50)).charging()
    first = simulate(p, d, np.linspace(0.0, 4.4e-7, 10))
    second = simulate(p, d, np.linspace(4.4e-7, 2e-6, 50), initial=first).charging()
    for name in ("maximum_energy", "maximum_energy_time", "minimum_energy_time", "maximum_power",
                 "emitted_energy", "latency", "energy_in_cavity"):
        assert getattr(second, name) == pytest.approx(getattr(whole, name), rel=1e-6), name


def test_molecules_do_not_come_and_go_between_two_parts_of_a_shot():
    p, times = pentacene.Parameters(), np.linspace(0.0, 1e-7, 5)
    first = simulate(p, Drive(), times)
    with pytest.raises(ValueError, match="molecules"):
        simulate(p.replace(molecules=2e16), Drive(), times + 1e-7, initial=first)


def test_one_line_has_three_widths_with_factors_of_two_between_them():
    for name in pentacene.SETS:
        p = pentacene.parameters(name)
        w = p.line_widths()
        assert w.pure_dephasing == p.dephasing_35 and w.coherence_decay == p.coherence_decay_35
        assert w.full_width == 2.0 * w.coherence_decay == pytest.approx(2.0 / w.coherence_time, rel=1e-14)
        assert w.full_width_hertz == pytest.approx(w.full_width / (2.0 * np.pi), rel=1e-14)
        kappa_s = w.full_width  # the literature's form of the one cooperativity
        assert p.cooperativity(0.5) == pytest.approx(
            4.0 * p.coupling**2 * p.molecules * 0.5 / (p.cavity_decay * kappa_s), rel=1e-13)
