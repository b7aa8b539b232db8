"""Bench files: what they say, what is refused and how it is told."""

import importlib.resources
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin import pentacene
from twin.bench_description import BenchFileError, describe_keys, parse, without_truth
from twin.bench_roles import ROLES
from twin.bench_text import dump, lines_of, load
from twin.receiver import Receiver

TEXT = importlib.resources.files("procedures").joinpath("benches/virtual.toml").read_text(encoding="utf-8")
BENCH = parse(TEXT, "virtual.toml")


def changed(old, new):
    assert old in TEXT
    return TEXT.replace(old, new, 1)


def line_of(fragment):
    return next(n for n, line in enumerate(TEXT.splitlines(), 1) if fragment in line)


def test_the_virtual_bench_has_its_roles_and_receivers():
    assert set(BENCH.roles) == set(ROLES)
    assert all(role.software and role.address == ("127.0.0.1", 0) for role in BENCH.roles.values())
    assert BENCH.roles["digitiser"].options["channels"] == {"burst": 1, "photodiode": 2, "log": 3}
    assert BENCH.roles["digitiser"].options["points"] == 10_000
    assert BENCH.receivers["burst"].detector == "if" and BENCH.receivers["log"].middle == 1.0
    assert BENCH.expected.parameters == pentacene.parameters("bench_default")
    assert all(0 < error <= 0.02 for error in BENCH.expected.model_error.values())


def test_the_full_pulse_makes_the_triplets_for_minus_10_dbm():
    from twin.optical_pump import triplets_per_molecule

    p = BENCH.expected.parameters
    full, hundredth = (triplets_per_molecule(p, BENCH.drive(energy)) * p.molecules for energy in (5e-3, 5e-5))
    assert full == pytest.approx(1.38e15, rel=0.02)
    assert full / hundredth == pytest.approx(100.0, rel=0.01)


def test_the_full_pulse_bursts_at_minus_10_dbm_and_a_hundredth_of_it_cannot_be_seen():
    import numpy as np

    from twin import simulate

    p, receiver = BENCH.expected.parameters, BENCH.receivers["burst"]
    times = np.linspace(0.0, 37.8e-6, 2000)
    full, hundredth = (simulate(p, BENCH.drive(energy), times, model="mean_field").photons.max()
                       for energy in (5e-3, 5e-5))
    assert 10 * np.log10(receiver.port_power(full) / 1e-3) == pytest.approx(-10.0, abs=1.0)
    assert not receiver.overloaded(1.2 * full) and not BENCH.receivers["log"].overloaded(full)
    assert receiver.amplitude(hundredth) < receiver.envelope_noise(2e-9)


def test_a_bench_travels_between_processes():
    assert pickle.loads(pickle.dumps(BENCH)) == BENCH


@pytest.mark.parametrize(("old", "new", "fragment", "words"), [
    ("sample_rate", "sampel_rate", "sample_rate", ["[digitiser]", "did you mean 'sample_rate'"]),
    ("[shutter]", "[shuttr]", "[shutter]", ["shuttr", "did you mean 'shutter'"]),
    ("0::SOCKET", "70000::SOCKET", "resource = ", ["[pump]", "70000", "65535"]),
    ("0::SOCKET", "-1::SOCKET", "resource = ", ["[pump]", "'-1'"]),
    ("0::SOCKET", "http::SOCKET", "resource = ", ["[pump]", "'http'"]),
    ("TCPIP::127.0.0.1::0::SOCKET", "over there", "resource = ", ["VISA", "over there"]),
    ("bits = 10\nchannels", "bits = 99\nchannels", "bits = 10", ["bits = 99", "1 .. 16"]),
    ("points = 10000", "points = 10000.5", "points", ["whole number"]),
    ("burst = 1, ", "", "channels", ["'burst'"]),
    ("log = 3", "log = 1", "channels", ["distinct"]),
    ("instruments.srs_dg645", "os.srs_dg645", "instruments.srs", ["not allowed", "os.srs_dg645"]),
    ("instruments.srs_dg645.DG645", "rm -rf", "instruments.srs", ["dotted path"]),
    ("efficiency = 0.15", "efficiency = 1.5", "efficiency", ["efficiency = 1.5", "0 .. 1"]),
    ('"5mJ"', '"5 bananas"', "energy_table", ["bananas", "5mJ"]),
    ('"5.5mJ"', '"4mJ"', "energy_table", ["both rise"]),
    ('floor = "-55dBm"', 'floor = "-55MHz"', "floor", ["[receiver.log]", "MHz", "dBm"]),
    ('floor = "-55dBm"', 'floor = "5dBm"', "ceiling", ["ceiling", "above floor"]),
    ("lna = 20.0", 'lna = "20V"', "gains_db", ["gains_db.lna"]),
    ('pump_energy = "6mJ"', 'pump_energy = ["6mJ", "5mJ"]', "pump_energy = ", ["below maximum"]),
    ('pump_energy = "6mJ"', 'pump_energy = "6mW"', "pump_energy = ", ["mW"]),
    ("bench_default", "benchdefault", "benchdefault"[:5], ["did you mean 'bench_default'"]),
    ("seed_photons = 0.02", "seed_photon = 0.02", "seed_photons", ["did you mean 'seed_photons'"]),
    ("seed_photons = 0.02", "seed_photons = -0.02", "seed_photons", ["0 .. 1"]),
    ("richness = 1 ", "richness = 7 ", "richness", ["expected one of (0, 1, 2)"]),
    ("coupling = 0.26796", 'coupling = "x"', "coupling = 0.26796", ["[truth.pentacene]", "'x'"]),
    ("dephasing_35 = 7.107e5", "dephasing_35 = -1", "dephasing_35 = 7", ["dephasing_35 = -1"]),
    ("walk =", "walks =", "walk =", ["[truth.cavity]", "did you mean 'walk'"]),
    ('energy_jitter = "3%"', 'energy_jitter = "300%"', "energy_jitter", ["energy_jitter = 3", "0 .. 1"]),
    ("virtual = true", 'virtual = "yes"', "virtual = true", ["true or false"]),
    ("time_scale = 1.0", "time_scale = 0", "time_scale", ["time_scale = 0"]),
    ("title = ", "title ", "title = ", ["not valid TOML"]),
])
def test_what_is_wrong_is_told_with_its_line(old, new, fragment, words):
    with pytest.raises(BenchFileError) as caught:
        parse(changed(old, new), "mine.toml")
    message = str(caught.value)
    assert message.startswith("mine.toml")
    for word in words:
        assert word in message
    if fragment in TEXT and fragment != "bench":
        assert caught.value.line == line_of(fragment) and f"line {caught.value.line}" in message


@pytest.mark.parametrize("role", ["pump", "timing", "digitiser"])
def test_a_missing_role_is_named(role):
    with pytest.raises(BenchFileError, match=f"role '{role}' is missing") as caught:
        parse(dump({name: table for name, table in load(TEXT, "").items() if name != role}), "mine.toml")
    assert caught.value.role == role


def test_a_recorded_channel_without_a_receiver_is_refused():
    tables = load(TEXT, "")
    del tables["receiver"]["log"]
    del tables["truth"]
    with pytest.raises(BenchFileError, match=r"\[receiver\.log\] is missing"):
        parse(dump(tables), "mine.toml")


def test_receivers_and_digitiser_must_have_the_same_bits():
    with pytest.raises(BenchFileError, match="bits = 12, but the digitiser has bits = 10"):
        parse(changed('bits = 10\nfull_scale = "1.6V"\noffset = "1V"', 'bits = 12\nfull_scale = "1.6V"'), "m")


def test_a_real_bench_has_ports_no_truth_and_no_time_scale():
    tables = load(without_truth(TEXT), "")
    tables["virtual"] = False
    with pytest.raises(BenchFileError, match="port 0"):
        parse(dump(tables), "real.toml")
    for role in ROLES:
        tables[role]["resource"] = "TCPIP::192.168.0.7::5025::SOCKET"
    tables["shutter"]["resource"] = "GPIB0::12::INSTR"
    bench = parse(dump(tables), "real.toml")
    assert bench.truth is None and not any(role.software for role in bench.roles.values())
    assert bench.roles["pump"].address == ("192.168.0.7", 5025) and bench.roles["shutter"].address is None
    with pytest.raises(BenchFileError, match="time_scale = 10"):
        parse(dump({**tables, "time_scale": 10.0}), "real.toml")
    with pytest.raises(BenchFileError, match="no \\[truth\\]"):
        parse(dump({**tables, "truth": {"richness": 1}}), "real.toml")
    with pytest.raises(BenchFileError, match="software instruments"):
        parse(dump({**tables, "mocks": {"console": "127.0.0.1:5"}}), "real.toml")


def test_one_real_role_among_software_forbids_scaled_time():
    text = changed('driver = "instruments.srs_dg645.DG645"\nresource = "TCPIP::127.0.0.1::0::SOCKET"',
                   'driver = "instruments.srs_dg645.DG645"\nresource = "TCPIP::192.168.0.9::5025::SOCKET"')
    bench = parse(text, "mixed.toml")
    assert not bench.roles["timing"].software and bench.roles["pump"].software
    with pytest.raises(BenchFileError, match="timing"):
        parse(text.replace("time_scale = 1.0", "time_scale = 20"), "mixed.toml")
    local = text.replace("192.168.0.9", "127.0.0.1").replace("DG645\"\n", "DG645\"\nreal = true\n")
    assert not parse(local, "mixed.toml").roles["timing"].software


def test_what_is_served_has_ports_and_a_console_and_no_truth():
    ports = {role: 5001 + i for i, role in enumerate(BENCH.roles)}
    text = BENCH.with_ports(ports, "127.0.0.1:7000")
    assert "truth" not in text and "0.26796" not in text
    served = parse(text, "ready.toml")
    assert {role: r.address[1] for role, r in served.roles.items()} == ports
    assert served.console == "127.0.0.1:7000"
    assert served.pump == BENCH.pump and served.receivers == BENCH.receivers
    assert served.expected == BENCH.expected and served.limits == BENCH.limits
    assert served.with_ports({}, None) == text


def test_a_console_must_be_on_this_machine():
    for address in ("192.168.0.1:5000", "127.0.0.1", "127.0.0.1:99999", 5000):
        tables = {**load(TEXT, ""), "mocks": {"console": address}}
        with pytest.raises(BenchFileError, match=r"127\.0\.0\.1:PORT"):
            parse(dump(tables), "m")


def test_limits_are_a_maximum_or_a_pair_and_are_kept():
    bench = parse(changed('repetition_rate = "20Hz"', 'repetition_rate = ["1Hz", "20Hz"]'), "m.toml")
    assert bench.limits["repetition_rate"] == (1.0, 20.0) and bench.limits["pump_energy"] == (0.0, 6e-3)
    assert bench.limit("pump_energy", 5e-3) == 5e-3
    with pytest.raises(ValueError, match=r"pump_energy = 0\.007 J .*\(m\.toml"):
        bench.limit("pump_energy", 7e-3)


def test_the_truth_deviates_in_absolute_numbers_or_in_percent():
    declared = BENCH.expected.parameters
    true = BENCH.truth.parameters(declared)
    assert true.coupling == pytest.approx(1.015 * declared.coupling)
    assert true.cavity_decay == pytest.approx(declared.cavity_frequency / 8330)
    relative = parse(changed("coupling = 0.26796", 'coupling = "+1.5%"'), "m").truth.parameters(declared)
    assert relative.coupling == pytest.approx(true.coupling)
    assert BENCH.truth.receiver("burst", BENCH.receivers["burst"]).loaded_quality == 8330
    assert BENCH.truth.pump(BENCH.pump).energy_jitter == pytest.approx(0.03)
    assert true.replace(coupling=declared.coupling, dephasing_35=declared.dephasing_35,
                        cavity_decay=declared.cavity_decay) == declared


def test_a_receiver_may_deviate_alone_or_with_all_others():
    bench = parse(TEXT + '\n[truth.receiver]\nintercept = "14.5dBm"\n[truth.receiver.burst]\n'
                  'conversion = "-5%"\ngains_db = { attenuator = -19.9 }\n', "m")
    burst, log = (bench.truth.receiver(name, bench.receivers[name]) for name in ("burst", "log"))
    assert burst.conversion == pytest.approx(7.6) and log.conversion == 8.0 and log.intercept == 14.5
    assert burst.gains_db["attenuator"] == -19.9 and burst.gains_db["lna"] == 20.0
    with pytest.raises(BenchFileError, match="conversions"):
        parse(TEXT + "\n[truth.receiver.burst]\nconversions = 1\n", "m")


def test_without_a_truth_table_a_virtual_bench_is_what_it_declares():
    bench = parse(without_truth(TEXT), "m")
    assert bench.truth.parameters(bench.expected.parameters) == bench.expected.parameters
    assert bench.truth.receiver("log", bench.receivers["log"]) == bench.receivers["log"]
    assert bench.truth.pump(bench.pump) == bench.pump


def test_priors_are_read_with_units():
    prior = '\n[expected.prior]\nstart = ["200ns", "1ns"]\nslope = ["-22mV/dB", "0.1mV/dB"]\n'
    bench = parse(TEXT + prior, "m")
    assert bench.expected.prior["start"] == pytest.approx((2e-7, 1e-9))
    assert bench.expected.prior["slope"] == pytest.approx((-0.022, 1e-4))
    for wrong in ('start = "1ns"', 'start = ["1ns", "0ns"]', "begin = [1, 2]"):
        with pytest.raises(BenchFileError, match="line"):
            parse(TEXT + "\n[expected.prior]\n" + wrong + "\n", "m")


def test_the_expected_crystal_may_differ_from_its_named_set():
    bench = parse(TEXT + '\n[expected.pentacene]\ndephasing_35 = "2*pi*0.2MHz"\nbranching_5 = 0.76\n', "m")
    assert bench.expected.parameters.dephasing_35 == pytest.approx(2 * 3.141592653589793 * 0.2e6)


def test_every_key_of_the_virtual_bench_is_explained():
    explained = {key for key, *_ in describe_keys()}
    receiver = {f"receiver.burst|log.{name}" for name in Receiver.quantities()}
    assert receiver <= explained
    assert {"pump.energy_table", "digitiser.channels", "limits.pump_energy", "truth.cavity.walk"} <= explained
    assert all(meaning for _, _, _, meaning in describe_keys())


SCALARS = st.one_of(st.booleans(), st.integers(-10**9, 10**9), st.floats(-1e300, 1e300),
                    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12))
KEYS = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)


TABLES = st.dictionaries(KEYS, st.one_of(SCALARS, st.dictionaries(KEYS, SCALARS)), max_size=4)


@given(st.dictionaries(KEYS, st.one_of(SCALARS, st.lists(SCALARS, max_size=4), TABLES), max_size=6))
@settings(deadline=None, max_examples=150)
def test_a_written_bench_file_reads_back_the_same(tables):
    text = dump(tables)
    assert load(text, "x") == tables
    lines = text.splitlines()
    for path, number in lines_of(text).items():
        assert path[-1] in lines[number - 1]


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=150)
def test_any_text_is_a_bench_or_a_clear_refusal(text):
    try:
        parse(text, "fuzz.toml")
    except BenchFileError as error:
        assert str(error).startswith("fuzz.toml")


NONSENSE = [0, "x", [], {}, {"x": {}}, [1], -1.5, True, None]


@given(st.sampled_from(sorted(load(TEXT, ""))), st.sampled_from(NONSENSE))
@settings(deadline=None, max_examples=120)
def test_any_table_replaced_by_nonsense_is_a_bench_or_a_clear_refusal(key, nonsense):
    tables = load(TEXT, "")
    if nonsense is None:
        del tables[key]
    else:
        tables[key] = nonsense
    try:
        parse(dump(tables), "fuzz.toml")
    except BenchFileError as error:
        assert str(error).startswith("fuzz.toml")


def test_the_visa_library_is_chosen_by_name_and_never_by_a_path():
    assert BENCH.visa == "@py"
    assert parse('visa = "@ivi"\n' + TEXT, "b.toml").visa == "@ivi"
    with pytest.raises(BenchFileError, match=r"visa.*@ivi.*libvisa\.so"):
        parse('visa = "/tmp/libvisa.so"\n' + TEXT, "b.toml")
