"""The bench as a process: ready file, console, plugs, ends; and drivers that nobody here wrote."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib

import numpy as np
import pytest

from mock_devices.__main__ import main
from mock_devices.serve import serve
from twin.bench_description import parse
from twin.bench_roles import ROLES


def test_the_ready_file_is_a_bench_without_truth_and_with_real_ports(served):
    assert "truth" not in served.bench
    bench = parse(served.ready.read_text(encoding="utf-8"), "ready")
    assert bench.truth is None or bench.truth.pentacene == {}
    ports = [served.port(role) for role in (*bench.roles, "console")]
    assert 0 not in ports and len(set(ports)) == len(ROLES) + 1 and bench.console == f"127.0.0.1:{ports[-1]}"


def test_a_shot_over_plain_sockets_is_the_shot_in_this_process(served, desk):
    console, pump, timing = served.client("console"), served.client("pump"), served.client("timing")
    shutter, digitiser = served.client("shutter"), served.client("digitiser")
    shutter.send("SHUT:STAT OPEN")
    while shutter.ask("SHUT:SENS?") != "OPEN":
        time.sleep(0.005)
    assert pump.ask("/M_CPU800/18/Output Energy level/MAX") == pump.ask("/M_CPU800/18/Power/ON") == ""
    timing.send("DLAY 4,2,207e-6;DLAY 6,4,0;INHB 0;TSRC 5")
    assert timing.ask("LERR?") == "0"
    digitiser.send(":ACQ:SRAT 500e6;POIN 20000;:TIM:REF LEFT;POS -2e-6;RANG 40e-6")
    digitiser.send(":WAV:FORM WORD;BYT LSBF;:CHAN2:OFFS 0.7;:CHAN3:OFFS 1.0")
    assert console.ask("begin run 7") == "ok" and console.ask("repetition 10") == "ok"
    assert console.ask("gate cavity") == "ok" and console.ask("gate microwave") == "ok"
    assert console.ask("gate shutter") == "error gate: unknown name 'shutter'; known: cavity, microwave"
    desk.prepare(seed=7)
    for _ in range(2):
        digitiser.send(":SING")
        assert digitiser.ask(":AER?") == "1"
        timing.send("*TRG")
        while digitiser.ask(":ADER?") != "1":
            time.sleep(0.01)
        expected = desk.shot()
        for channel in (1, 2, 3):
            digitiser.send(f":WAV:SOUR CHAN{channel}")
            assert np.array_equal(np.frombuffer(digitiser.block(":WAV:DATA?"), "<i2"), expected[channel])
    state = json.loads(console.ask("state"))
    assert (state["laser"], state["shutter"], state["shots"]) == ("emitting", "open", 2)
    lines = [json.loads(line) for line in served.truth_log.read_text(encoding="utf-8").splitlines()]
    assert [line["shot"] for line in lines if line["run"] == "run"] == [None, 0, 1]


def test_an_unplugged_role_is_gone_and_comes_back(served):
    console, microwave = served.client("console"), served.client("microwave")
    assert microwave.ask("*OPC?") == "1"
    assert console.ask("unplug microwave") == "ok"
    with pytest.raises((EOFError, ConnectionError)):
        microwave.ask("*OPC?")
    with pytest.raises(OSError):
        served.client("microwave")
    assert console.ask("plug microwave") == "ok"
    assert served.client("microwave").ask("*OPC?") == "1"
    assert served.client("shutter").ask("*OPC?") == "1"


def test_stdin_speaks_the_console_s_lines(served):
    served.process.stdin.write("inject list\n")
    served.process.stdin.flush()
    assert json.loads(served.process.stdout.readline())["names"][0] == "cavity_drift"


def test_a_laser_left_alone_stops_by_itself(served):
    console = served.client("console")
    pump = served.client("pump")
    pump.ask("/M_CPU800/18/Output Energy level/MAX")
    pump.ask("/M_CPU800/18/Power/ON")
    assert json.loads(console.ask("state"))["laser"] in ("armed", "emitting")
    for client in served.clients:
        if client is not console:
            client.close()
    time.sleep(2.3)
    assert json.loads(console.ask("state"))["laser"] == "standby"


def test_pymeasure_s_own_drivers_work_unchanged(served):
    from pymeasure.instruments.agilent import Agilent8257D
    from pymeasure.instruments.rohdeschwarz.fsseries import FSL
    from pymeasure.instruments.thorlabs import ThorlabsPM100USB

    def resource(role: str) -> dict:
        return dict(
            adapter=f"TCPIP::127.0.0.1::{served.port(role)}::SOCKET",
            visa_library="@py",
            read_termination="\n",
            write_termination="\n",
            timeout=5000,
        )

    source = Agilent8257D(**resource("microwave"))
    for name, value in {
        "frequency": 1.4495e9,
        "power": -12.5,
        "start_frequency": 1e9,
        "stop_frequency": 2e9,
        "center_frequency": 1.5e9,
        "start_power": -20.0,
        "stop_power": -10.0,
        "dwell_time": 0.01,
        "step_points": 11,
        "amplitude_depth": 40.0,
        "amplitude_source": "external",
        "pulse_source": "external",
        "pulse_input": "free-run",
        "pulse_frequency": 1e3,
        "low_freq_out_amplitude": 1.5,
        "low_freq_out_source": "function",
        "internal_frequency": 1e3,
        "internal_shape": "triangle",
    }.items():
        setattr(source, name, value)
        found = getattr(source, name)
        assert found == value if isinstance(value, str) else found == pytest.approx(value), name
    source.enable()
    assert source.is_enabled
    source.disable()
    assert not source.is_enabled
    analyser = FSL(**resource("analyser"))
    analyser.freq_center, analyser.freq_span = 1.4495e9, "5 MHz"
    analyser.res_bandwidth = 3e4
    assert analyser.freq_span == 5e6 and analyser.res_bandwidth == 3e4
    analyser.continuous_sweep = False
    analyser.single_sweep()
    frequency, level = analyser.read_trace()
    assert len(frequency) == len(level) == 691
    meter = ThorlabsPM100USB(**resource("energy"))
    assert meter.is_energy_sensor and meter.energy >= 0.0
    meter.wavelength = 592.0
    assert meter.wavelength == 592.0
    for instrument in (source, analyser, meter):
        assert instrument.ask("SYST:ERR?").startswith("+0")
        instrument.adapter.connection.close()


def test_a_signal_ends_it_with_0_and_leaves_no_file(served):
    served.process.stdin.close()
    time.sleep(0.3)
    assert served.process.poll() is None  # the end of stdin changes nothing
    assert served.client("shutter").ask("*OPC?") == "1"
    assert served.end() == 0 and not served.ready.exists()


# --- other processes ------------------------------------------------------------------------------------


def test_stop_on_the_console_ends_it_and_the_answer_still_comes(virtual_text, client_of):
    ready: queue.Queue[tuple[str, dict]] = queue.Queue()

    def look(path):
        ready.put((path, tomllib.loads(path.read_text(encoding="utf-8"))))

    thread = threading.Thread(target=lambda: asyncio.run(serve(virtual_text, "virtual.toml", ready=look)))
    thread.start()
    path, bench = ready.get(timeout=120)
    console = client_of(int(bench["mocks"]["console"].rpartition(":")[2]))
    assert console.ask("stop") == "ok"
    thread.join(20)
    console.close()
    assert not thread.is_alive() and not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed by signals here")
def test_it_outlives_a_killed_controller_by_five_seconds(serve_file, tmp_path, virtual_text):
    (tmp_path / "bench.toml").write_text(virtual_text, encoding="utf-8")
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as controller:
        bench = serve_file(tmp_path / "bench.toml", "--parent", str(controller.pid))
        console = bench.client("console")
        assert console.ask("state")
        os.kill(controller.pid, signal.SIGKILL)
    start = time.monotonic()
    time.sleep(3.0)
    assert console.ask("state")
    assert bench.process.wait(10) == 0 and 4.5 < time.monotonic() - start < 8.0
    bench.end()


def test_a_taken_port_is_told_in_one_line(tmp_path, virtual_text, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = virtual_text.replace("::0::", f"::{port}::", 1)
        (tmp_path / "bench.toml").write_text(text, encoding="utf-8")
        assert main([str(tmp_path / "bench.toml")]) == 1
    told = capsys.readouterr()
    assert told.out == "" and len(told.err.strip().splitlines()) == 1 and f"pump: port {port}" in told.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("virtual = true", "virtual = false"), "virtual bench"),
        (("[timing]", "[teapot]"), "teapot"),
        (("bits = 10\nchannels", "bits = 'many'\nchannels"), "bits"),
    ],
)
def test_a_wrong_bench_file_is_refused_with_2(tmp_path, virtual_text, capsys, change, words):
    (tmp_path / "bench.toml").write_text(virtual_text.replace(*change), encoding="utf-8")
    assert main([str(tmp_path / "bench.toml")]) == 2
    assert words in capsys.readouterr().err


def test_a_missing_file_is_refused_with_2(tmp_path, capsys):
    assert main([str(tmp_path / "none.toml")]) == 2
    assert "none.toml" in capsys.readouterr().err


def test_the_ready_file_is_toml_that_the_process_itself_would_take(served, virtual_text):
    declared = tomllib.loads(virtual_text)
    assert set(served.bench) == set(declared) - {"truth"} | {"mocks"}
