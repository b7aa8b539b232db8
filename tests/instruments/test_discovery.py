"""Who answers where: `maserbench discover` on real sockets."""

import socket
import subprocess
import sys
import threading
import time

import pytest

from instruments.discovery import PORTS, discover, driver_classes, resources_at


class Speaker:
    """An instrument that answers one question with one line, in a dialect of its own."""

    def __init__(self, question, answer):
        self._question, self._answer = question, answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._speak, args=(connection,), daemon=True).start()

    def _speak(self, connection):
        with connection:
            heard = b""
            while chunk := connection.recv(4096):
                heard += chunk
                if heard.endswith(self._question):
                    connection.sendall(self._answer)
                    heard = b""

    def close(self):
        self._listener.close()


@pytest.fixture
def speaker():
    made = []

    def make(question, answer):
        made.append(Speaker(question, answer))
        return made[-1].place

    yield make
    for one in made:
        one.close()


def answer_at(place, timeout=1.0):
    (answer,) = discover([place], timeout=timeout)
    return answer


@pytest.mark.parametrize("identity, driver", [
    (b"Stanford Research Systems,DG645,s/n001,ver1.14", "instruments.srs_dg645.DG645"),
    (b"Keysight Technologies, E8257D, MY1, C.06", "instruments.keysight_e8257d.KeysightE8257D"),
    (b"Rohde&Schwarz,FSV-13,1,3.60", "instruments.rohde_schwarz_fsv.RohdeSchwarzFSV"),
])
def test_an_instrument_is_named_with_the_driver_that_fits(speaker, identity, driver):
    found = answer_at(speaker(b"*IDN?\n", identity + b"\n"))
    assert found.identity == identity.decode()
    assert found.drivers == (driver,)


def test_a_laser_without_idn_is_asked_in_its_own_dialect(speaker):
    found = answer_at(speaker(b"/CPU8000/16/Serial number\r", b"PGD123\r\n\x03"), timeout=0.2)
    assert found.identity == "PGD123"
    assert "instruments.ekspla_nt.EksplaNT" in found.drivers


def test_the_driver_that_a_bench_file_names_is_tried_first_and_no_time_is_lost(bench_here):
    roles = bench_here.bench.description.roles
    drivers = {bench_here.resource(name): role.driver for name, role in roles.items()}
    began = time.monotonic()
    found = list(discover(drivers, drivers=drivers))
    assert time.monotonic() - began < 1.5  # a single wrong dialect would cost its timeout of 1 s, twelve ten
    assert {answer.resource: answer.drivers for answer in found} == {r: (d,) for r, d in drivers.items()}


def test_another_instrument_than_the_named_one_is_found_all_the_same(speaker):
    place = speaker(b"*IDN?\n", b"Thorlabs,PM100D,P1,2.8\n")
    (resource,) = resources_at(place)
    (found,) = discover([place], timeout=0.2, drivers={resource: "instruments.ekspla_nt.EksplaNT"})
    assert found.drivers == ("instruments.thorlabs_pm100.ThorlabsPM100",)


def test_a_stranger_is_shown_without_a_driver(speaker):
    found = answer_at(speaker(b"*IDN?\n", b"ACME,Toaster,1,1\n"))
    assert (found.identity, found.drivers) == ("ACME,Toaster,1,1", ())


def test_a_place_where_nobody_listens_says_so():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = f"127.0.0.1:{listener.getsockname()[1]}"
    found = answer_at(place)
    assert not found.identity and "cannot connect" in found.problem


def test_a_host_alone_is_asked_at_the_usual_ports():
    assert resources_at("lab-pc.local") == [f"TCPIP::lab-pc.local::{port}::SOCKET" for port in PORTS]
    assert resources_at("10.0.0.2:5024") == ["TCPIP::10.0.0.2::5024::SOCKET"]
    assert resources_at("GPIB0::19::INSTR") == ["GPIB0::19::INSTR"]
    with pytest.raises(ValueError, match="neither"):
        resources_at("not a host")


def test_every_driver_is_known():
    assert {"instruments.ekspla_nt.EksplaNT", "instruments.shutter.Shutter"} < set(driver_classes())


def test_the_command_prints_what_to_write_into_a_bench_file(speaker):
    place = speaker(b"*IDN?\n", b"Thorlabs,PM100D,P1,2.8\n")
    done = subprocess.run([sys.executable, "-m", "maserbench", "discover", place], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    host, port = place.split(":")
    assert done.stdout.splitlines() == [f"TCPIP::{host}::{port}::SOCKET", "    Thorlabs,PM100D,P1,2.8",
                                        '    driver = "instruments.thorlabs_pm100.ThorlabsPM100"']
