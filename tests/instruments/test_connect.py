import contextlib
import importlib.metadata
import pickle
import socket
import subprocess
import sys
import threading

import pytest
from pymeasure.instruments import Instrument

import instruments
from instruments import CannotConnect, DriverRefused, InstrumentError, InstrumentTimeout, ProtocolError
from instruments.roles import PROTOCOLS, missing

SHIPPED = {
    "pump": "instruments.ekspla_nt.EksplaNT", "timing": "instruments.srs_dg645.DG645",
    "digitiser": "instruments.keysight_infiniium.KeysightInfiniium",
    "microwave": "instruments.keysight_e8257d.KeysightE8257D",
    "microwave_45": "instruments.keysight_e8257d.KeysightE8257D",
    "analyser": "instruments.rohde_schwarz_fsv.RohdeSchwarzFSV",
    "energy": "instruments.thorlabs_pm100.ThorlabsPM100", "shutter": "instruments.shutter.Shutter",
    "vna": "instruments.keysight_pna.KeysightPNA", "tuner": "instruments.zaber_stage.ZaberStage",
    "loop": "instruments.zaber_stage.ZaberStage",
    "thermometer": "instruments.lakeshore_224.LakeShore224",
    "interlock": "instruments.keysight_34972a.Keysight34972A",
}


@pytest.fixture
def speaker():
    """speaker(identity) -> resource of an instrument that answers *IDN? so, and nothing else."""
    with contextlib.ExitStack() as stack:

        def start(identity):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            threading.Thread(target=speak, args=(listener, identity), daemon=True).start()
            return f"TCPIP::127.0.0.1::{listener.getsockname()[1]}::SOCKET"

        yield start


def speak(listener, identity):
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=converse, args=(connection, identity), daemon=True).start()


def converse(connection, identity):
    with contextlib.suppress(OSError), connection, connection.makefile("rb") as lines:
        for line in lines:
            if line.strip() == b"*IDN?" and identity:
                connection.sendall(identity + b"\n")


@pytest.mark.parametrize(("role", "path"), [
    *SHIPPED.items(), ("microwave", "instruments.srs_sg384.SG384"),
    ("microwave_45", "instruments.srs_sg384.SG384")])
def test_every_shipped_driver_has_all_verbs_of_its_role(role, path):
    assert issubclass(instruments.load_driver(path, role), Instrument)


def test_every_role_has_a_driver():
    assert set(SHIPPED) == set(PROTOCOLS)


@pytest.mark.parametrize("path", ["os.system", "subprocess.Popen", "evil.Driver", "", "instruments", "Driver",
                                  "mock_devices.shutter.Shutter", "instruments_evil.x.Y",
                                  "pymeasure.instruments.../x", "instruments.shutter.Shutter; import os",
                                  "pymeasure.experiment.Procedure", "instruments..shutter.Shutter"])
def test_a_bench_file_cannot_name_code_of_its_own(path):
    with pytest.raises(DriverRefused, match="may not be loaded"):
        instruments.load_driver(path, "pump")
    assert issubclass(DriverRefused, ValueError)


@pytest.mark.parametrize("path", ["instruments.shutter.Nothing", "instruments.nothing.Shutter"])
def test_a_driver_that_does_not_exist_is_named(path):
    with pytest.raises(DriverRefused, match=f"{path}.*does not exist"):
        instruments.load_driver(path, "shutter")


@pytest.mark.parametrize("path", ["instruments.errors.InstrumentError", "instruments.drivers.importlib"])
def test_what_is_no_driver_is_refused(path):
    with pytest.raises(DriverRefused, match="no instrument driver"):
        instruments.load_driver(path, "shutter")


def test_a_driver_that_lacks_the_verbs_of_its_role_is_refused_by_name():
    with pytest.raises(DriverRefused, match=r"lacks .*make_safe"):
        instruments.load_driver("pymeasure.instruments.srs.SR830", "timing")


def test_a_role_without_verbs_of_its_own_takes_any_driver():
    assert missing(Instrument, "camera") == []


def test_an_installed_package_may_announce_a_driver(tmp_path, monkeypatch):
    (tmp_path / "colleagues_lab.py").write_text("from instruments.shutter import Shutter as Ours\n")
    info = tmp_path / "colleagues_lab-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: colleagues-lab\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[maserbench.drivers]\nours = colleagues_lab:Ours\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    assert instruments.load_driver("ours", "shutter").__name__ == "Shutter"


def test_connecting_says_who_answers(speaker):
    resource = speaker(b"Maserbench,Shutter,SIMULATED-1,1.0")
    shutter = instruments.connect(SHIPPED["shutter"], resource, "shutter")
    assert shutter.identity == "Maserbench,Shutter,SIMULATED-1,1.0"
    assert shutter.simulated
    shutter.disconnect()


def test_a_driver_used_by_hand_is_guarded_too(speaker):
    from instruments.shutter import Shutter

    shutter = Shutter(speaker(b"Maserbench,Shutter,A-1,1.0"), role="shutter", timeout=500)
    assert not shutter.simulated
    assert type(shutter.adapter).__name__ == "GuardedSession"
    shutter.disconnect()


def test_an_upstream_driver_runs_on_the_guarded_session(speaker):
    resource = speaker(b"R&S,FSL-6,1,1")
    path = "pymeasure.instruments.rohdeschwarz.fsseries.FSL"
    analyser = instruments.connect(path, resource, "camera", timeout=0.2)
    assert analyser.id == "R&S,FSL-6,1,1"
    with pytest.raises(InstrumentTimeout, match=f"camera at {resource}"):
        _ = analyser.freq_center
    analyser.adapter.close()


def test_another_model_behind_the_address_is_not_driven(speaker):
    resource = speaker(b"Keysight Technologies,E8257D,MY1,1")
    with pytest.raises(ProtocolError, match=f"timing at {resource}.*E8257D.*expected an instrument .*DG645"):
        instruments.connect(SHIPPED["timing"], resource, "timing")


def test_a_peer_that_says_nothing_is_no_instrument(speaker):
    with pytest.raises(InstrumentTimeout, match="timing"):
        instruments.connect(SHIPPED["timing"], speaker(b""), "timing", timeout=0.2)


def test_a_refused_port_names_role_and_resource():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        resource = f"TCPIP::127.0.0.1::{probe.getsockname()[1]}::SOCKET"
    with pytest.raises(CannotConnect, match=f"digitiser at {resource}: cannot connect .*refused"):
        instruments.connect(SHIPPED["digitiser"], resource, "digitiser")


def test_an_unknown_visa_library_is_an_error_of_the_instrument():
    with pytest.raises(CannotConnect, match="pump"):
        instruments.connect(SHIPPED["pump"], "TCPIP::127.0.0.1::9::SOCKET", "pump", visa_library="@nosuch")


@pytest.mark.parametrize("kind", [CannotConnect, DriverRefused, InstrumentError])
def test_errors_reach_another_process_as_they_are(kind):
    error = kind("pump", "TCPIP::x::1::SOCKET", "it is gone", "a laser", "look")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert str(error) == "pump at TCPIP::x::1::SOCKET: it is gone; expected a laser; look."


LOADED = "import {modules}, sys; print([m for m in {heavy!r} if m in sys.modules])"
HEAVY = ("scipy", "qutip", "PySide6", "qtpy", "twin", "procedures", "gui", "mock_devices")


@pytest.mark.parametrize(("modules", "heavy"), [
    ("instruments", (*HEAVY, "pandas", "pyvisa", "pymeasure")),
    (", ".join(sorted({path.rpartition(".")[0] for path in SHIPPED.values()})), HEAVY)])
def test_importing_loads_nothing_heavy(modules, heavy):
    code = LOADED.format(modules=modules, heavy=heavy)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
