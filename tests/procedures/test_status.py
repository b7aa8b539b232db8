"""The status stream: what dashboards hear of a run, and that nothing they do or send touches it."""

import json
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from procedures import Origin, Shot, open_bench, open_run, run
from procedures.machinery.commands.status import status
from procedures.machinery.records import events
from procedures.machinery.records.failures import BenchFailure, WrongUse
from procedures.machinery.records.shot import FitRow
from procedures.machinery.status.lines import VERSION, State
from procedures.machinery.status.note import told_ports
from procedures.machinery.status.stream import CLIENTS, WAITING, StatusStream
from twin.fit_result import Verdict

PAGE = Path(__file__).resolve().parents[2] / "docs" / "status.md"


def started(shots=9):
    return events.RunStarted(Path("runs/a"), "single_shot", {"pump_energy": 5e-3}, Origin.SIMULATED, shots)


def shot(number, energy=float("nan")):
    return events.ShotStored(Shot(number, "2026-11-26T18:00:00Z", {}, {}, Origin.SIMULATED, energy=energy))


class Reader:
    """One dashboard."""

    def __init__(self, port):
        self.connection = socket.create_connection(("127.0.0.1", port), 5.0)
        self._lines = self.connection.makefile(encoding="utf-8")

    def line(self):
        text = self._lines.readline()
        return json.loads(text, parse_constant=pytest.fail) if text else None

    def close(self):
        self._lines.close()
        self.connection.close()


@pytest.fixture
def stream():
    with StatusStream() as telling:
        yield telling


@pytest.fixture
def reader_of():
    """Makes readers; hangs up for all of them at the end."""
    readers = []

    def make(stream):
        readers.append(Reader(stream.port))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()


def test_a_reader_begins_with_the_whole_state_wherever_it_comes_in(stream, reader_of):
    early = reader_of(stream)
    assert early.line()["phase"] == "starting"
    stream(started())
    stream(shot(0, 5e-3))
    assert [early.line()["event"] for _ in range(2)] == ["RunStarted", "ShotStored"]
    late = reader_of(stream).line()
    assert (late["version"], late["event"]) == (VERSION, "State")
    assert (late["phase"], late["shots"], late["stored"]) == ("running", 9, 1)
    assert late["run"] == str(Path("runs/a"))
    assert late["last_shot"]["energy"] == 5e-3


def test_lines_are_json_without_nan_and_hold_no_records(stream, reader_of):
    reader, nothing = reader_of(stream), np.empty(0)
    assert reader.line()["event"] == "State"
    row = FitRow(3, Verdict.OK, {"cavity_decay": 1.1e6}, {"cavity_decay": 5e2}, {}, float("nan"), 0.1)
    for event in (started(), shot(3), events.ShotFitted(3, row, nothing, nothing, nothing, nothing),
                  events.Armed("me", "here", "SingleShot", 5e-3, 10.0, {"rf_power": (0.0, float("inf"))}),
                  events.RunEnded(Path("runs/a"), "finished", "", {"mean": float("nan"), "n": np.int64(3)})):
        stream(event)
    lines = [reader.line() for _ in range(5)]
    names = [line["event"] for line in lines]
    assert names == ["RunStarted", "ShotStored", "ShotFitted", "Armed", "RunEnded"]
    assert lines[1]["energy"] is None
    assert (lines[2]["verdict"], lines[2]["parameters"]["cavity_decay"]) == ("OK", 1.1e6)
    assert lines[3]["limits"]["rf_power"] == [0.0, None]
    assert lines[4]["result"] == {"mean": None, "n": 3}


def test_a_reader_that_stands_still_slows_nobody_and_is_told_what_it_lost(stream, reader_of):
    slow, quick = reader_of(stream), reader_of(stream)
    slow.line()
    quick.line()
    text = events.Notice("x" * 30_000)
    count, longest = 1000, 0.0  # more than the kernel holds
    for _ in range(count):
        began = time.perf_counter()
        stream(text)
        longest = max(longest, time.perf_counter() - began)
        assert quick.line()["event"] == "Notice"
    assert longest < 0.5
    heard, lost = 0, None
    while lost is None:
        line = slow.line()
        heard += line["event"] == "Notice"
        lost = line["lines"] if line["event"] == "Dropped" else None
    assert lost > 0 and heard + lost == count
    assert slow.line()["notices"] == count  # and where the run stands now
    stream(shot(7))
    assert slow.line()["shot"] == 7


def test_what_waits_for_dead_readers_is_bounded(stream, reader_of):
    readers = [reader_of(stream) for _ in range(4)]
    for reader in readers:
        assert reader.line()
    for _ in range(3000):
        stream(events.Notice("x" * 4000))
    assert all(client.waiting <= WAITING for client in stream._clients.values())
    for reader in readers:  # gone without a word
        reader.close()
    end = time.monotonic() + 5.0
    while stream._clients and time.monotonic() < end:
        stream(shot(0))
        time.sleep(0.01)
    assert not stream._clients


def test_nothing_that_a_reader_sends_does_anything(stream, reader_of):
    rude = reader_of(stream)
    rude.connection.settimeout(0.2)
    with pytest.raises(OSError):  # nobody reads it, so that in the end the sender waits
        while True:
            rude.connection.sendall(b'{"event": "RunEnded"}\nstop\nGET / HTTP/1.1\r\n\r\n' * 1000)
    stream(started())
    assert reader_of(stream).line()["phase"] == "running"
    assert stream._state == State().after(started())


def test_one_reader_too_many_is_turned_away(stream, reader_of):
    readers = [reader_of(stream) for _ in range(CLIENTS)]
    assert all(reader.line() for reader in readers)
    assert reader_of(stream).line() is None


def test_it_listens_on_loopback_only_and_a_taken_port_is_said(stream):
    assert stream._server.getsockname()[0] == "127.0.0.1"
    with pytest.raises(WrongUse, match=f"--status {stream.port}: .*name another, or 0"):
        StatusStream(stream.port)


def test_a_state_follows_its_run_and_unknown_stays_unknown():
    unsafe = events.SafeState(False, "unknown", "closed", "off", "pump: unknown")
    ended = events.RunEnded(Path("runs/a"), "aborted", "STATE UNKNOWN", {})
    phases, state = [], State()
    armed = events.Armed("me", "here", "SingleShot", 5e-3, 10.0, {})
    for event in (started(), armed, shot(0), events.Notice("hm"), unsafe, ended, started()):
        state = state.after(event)
        phases.append(state.phase)
    assert phases == ["running", "armed", "armed", "armed", "unknown", "unknown", "running"]
    assert (state.stored, state.notices, state.safe) == (0, 0, None)


@pytest.fixture(scope="module")
def followed(served, tmp_path_factory):
    """(run, lines a dashboard heard, what `maserbench status` printed) of one run on the command line."""
    folder, python = tmp_path_factory.mktemp("followed"), [sys.executable, "-m", "maserbench"]
    command = ["run", "single_shot", "--bench", str(served[0]), "--status", "0", "--set", "shots=3",
               "--output", str(folder), "--progress", "plain"]
    ours = subprocess.Popen([*python, *command], stdout=subprocess.PIPE, text=True)
    port = int(re.fullmatch(r"status 127\.0\.0\.1:(\d+)\n", ours.stdout.readline())[1])
    program = re.search(r"```py\n(.*?)```", PAGE.read_text("utf-8"), re.S)[1].replace("PORT", str(port))
    shown = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert port in told_ports()
    with pytest.MonkeyPatch.context() as patch:
        heard = []
        patch.setattr("builtins.print", lambda text, **how: heard.append(text))
        status(port, once=False, json=True)
    said, _ = ours.communicate(timeout=60)
    assert port not in told_ports()
    out, _ = shown.communicate(timeout=60)
    assert (ours.returncode, shown.returncode) == (0, 0)
    with open_run(said.splitlines()[-1].removeprefix("run ")) as done:
        yield done, [json.loads(text) for text in heard], out


def test_a_dashboard_hears_all_of_a_run_until_its_end(followed):
    done, lines, _ = followed
    assert lines[0]["event"] == "State"
    assert lines[-1]["event"] == "RunEnded"
    assert lines[-1]["result"] == done.result
    names = [line["event"] for line in lines]
    assert {"RunStarted", "Armed", "Progress", "ShotStored", "ShotFitted", "SafeState"} <= set(names)
    assert [line["shot"] for line in lines if line["event"] == "ShotStored"] == [0, 1, 2]
    for line in lines:
        if line["event"] == "ShotFitted":
            assert line["parameters"] == done.fits[line["shot"]].parameters


def test_the_client_of_the_page_works(followed):
    assert "shot 2 stored" in followed[2]


def test_the_page_names_every_event_and_field(followed):
    page = PAGE.read_text("utf-8")
    for line in followed[1]:
        assert f"`{line['event']}`" in page
        for name in set(line) - {"version", "moment", "event"}:
            assert f"`{name}`" in page, f"{line['event']}.{name}"


def test_status_without_a_run_says_how_to_start_one(monkeypatch):
    monkeypatch.setattr("procedures.machinery.commands.status.told_ports", list)
    with pytest.raises(WrongUse, match="--status 0"):
        status(None, once=True, json=False)
    monkeypatch.setattr("procedures.machinery.commands.status.told_ports", lambda: [4001, 4002])
    with pytest.raises(WrongUse, match="maserbench status 4001"):
        status(None, once=True, json=False)


def test_what_is_no_status_is_said(served):
    port = served[1]._socket.getpeername()[1]  # the console, which waits to be asked
    with pytest.raises(BenchFailure, match=r"broke off|tells no status"):
        status(port, once=True, json=False)


def test_a_run_with_dashboards_that_never_read_takes_its_shots_as_without(served, tmp_path):
    with StatusStream() as stream, open_bench(served[0]) as bench:
        readers = [socket.create_connection(("127.0.0.1", stream.port)) for _ in range(4)]
        done = run("single_shot", bench, tmp_path, publish=stream, seed=3, shots=3, repetition_rate=20.0)
        for reader in readers:
            reader.close()
    assert (done.state, len(done.shots)) == ("finished", 3)
