"""Windows without a screen, shots without a bench, and a run folder written by the store itself."""

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import time
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gui import theme
from gui.bench_window import BenchWindow
from gui.qt import QtCore, application
from gui.run_source import RunSource
from instruments.waveform import Waveform
from procedures import Origin, Shot
from procedures.machinery.fitting.shot_fit import fit_shot
from procedures.machinery.records import events
from procedures.machinery.storage import provenance
from procedures.machinery.storage.run_folder import RunFolder, moment
from procedures.machinery.storage.store_block import Channel, Layout
from twin import simulate
from twin.bench_description import parse

POINTS = 8000
TIME = -2e-6 + 4e-9 * np.arange(POINTS)


@pytest.fixture(scope="session")
def app():
    app = application()
    theme.apply(app, theme.LIGHT)
    return app


@pytest.fixture(scope="session")
def wait(app):
    """wait(condition): let the window work until it holds; AssertionError after `seconds`."""
    def wait(condition, seconds=20.0):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come to this"
            app.processEvents()
            time.sleep(0.002)
    return wait


@pytest.fixture(scope="session")
def bench():
    text = (resources.files("procedures") / "benches" / "virtual.toml").read_text("utf-8")
    return parse(text, "virtual.toml")


def recorded(bench, number, energy, origin=Origin.SIMULATED):
    """A shot as a digitiser would have sent it: the mean field through the declared receiver, with noise."""
    rng, receiver, start = np.random.default_rng(number), bench.receivers["burst"], bench.pump.arrival
    after = np.concatenate(([0.0], TIME[start < TIME] - start))
    light = simulate(bench.expected.parameters, bench.drive(energy), after, model="mean_field",
                     seed_photons=9000.0)
    photons = np.concatenate((np.full(POINTS - len(after) + 1, light.photons[0]), light.photons[1:]))
    burst = receiver.carrier(receiver.volts(photons, TIME), TIME, phase=0.3 * number)
    burst = burst + receiver.noise_volts * rng.normal(size=POINTS)
    diode = bench.photodiode.volts(TIME, energy, start) + 1e-4 * rng.normal(size=POINTS)
    waveforms = {"burst": _waveform(receiver.codes(burst), receiver, "CHAN1"),
                 "photodiode": Waveform(np.round(diode / 5e-5).astype(np.int16), 5e-5, 0.0, TIME[0], 4e-9,
                                        "CHAN2", 16)}
    return Shot(number, moment(), {}, waveforms, origin, start=start, energy=energy)


def _waveform(codes, receiver, channel):
    signed = (codes - 2 ** (receiver.bits - 1)).astype(np.int16)
    offset = receiver.middle + receiver.lsb / 2
    return Waveform(signed, receiver.lsb, offset, TIME[0], 4e-9, channel, receiver.bits)


@pytest.fixture(scope="session")
def shots(bench):
    """Four shots from no burst to a strong one."""
    return [recorded(bench, i, energy) for i, energy in enumerate((5e-5, 8e-4, 2e-3, 5e-3))]


@pytest.fixture(scope="session")
def answers(bench, shots):
    """What the twin says about `shots`."""
    return [fit_shot(bench, shot) for shot in shots]


@pytest.fixture(scope="session")
def store(tmp_path_factory, bench):
    """store(shots, rows): a finished run's folder."""

    def make(shots, rows):
        folder = RunFolder(tmp_path_factory.mktemp("runs"), "pump_threshold")
        folder.write_manifest(provenance.manifest(
            folder.path.name, "pump_threshold", moment(), 7, Origin.SIMULATED, {"shots": len(shots)},
            bench.name, bench.text, {"pump": "NT,SIMULATED-1"}))
        layout = {"burst": Channel(POINTS, "CHAN1", 10), "photodiode": Channel(POINTS, "CHAN2", 16)}
        folder.start_store(Layout(layout, {}, tuple(shots[0].settings)), {})
        for shot in shots:
            folder.append(shot)
        for row in rows:
            folder.fitted(row)
        folder.finish({"threshold_energy": 4.4e-5})
        folder.note(events.RunEnded(folder.path, "finished", "", {"threshold_energy": 4.4e-5}))
        folder.close()
        return folder.path

    return make


@pytest.fixture(scope="session")
def stored_run(store, shots, answers):
    """A finished run's folder."""
    return store(shots, [answer.row for answer in answers])


class Script:
    """A conductor that plays shots which are there already, so that the window needs no bench.

    It stops between shots, as a run does, and writes down what it was asked.
    """

    def __init__(self, shots, answers, pause=0.0, repeat=1):
        self.shots, self.answers, self.pause, self.repeat = shots, answers, pause, repeat
        self.asked, self.stopped_at, self.made_safe = [], None, 0

    def conduct(self, procedure, settings, seed, publish, should_stop):
        self.asked.append((procedure, settings, seed))
        total = len(self.shots) * self.repeat
        publish(events.RunStarted(Path("runs/20261122T200000Z-scripted-0001"), procedure, settings,
                                  Origin.SIMULATED, total))
        for number in range(total):
            if self._stopped(should_stop):
                break
            self._shot(number, publish)
            publish(events.Progress(number + 1, total))
        publish(events.SafeState(True, "off", "closed", "off", ""))
        state = "aborted" if self.stopped_at else "finished"
        publish(events.RunEnded(Path("runs/x"), state, "", {}))

    def _shot(self, number, publish):
        from dataclasses import replace
        k = number % len(self.shots)
        publish(events.ShotStored(replace(self.shots[k], number=number)))
        answer = self.answers[k]
        publish(replace(answer, number=number, row=replace(answer.row, shot=number)))

    def _stopped(self, should_stop):
        end = time.monotonic() + self.pause
        while not should_stop() and time.monotonic() < end:
            time.sleep(0.005)
        if should_stop():
            self.stopped_at = time.monotonic()
        return should_stop()

    def make_safe(self, publish):
        self.made_safe += 1
        publish(events.SafeState(True, "off", "closed", "off", ""))

    def close(self):
        pass


@pytest.fixture
def opened(app, bench, shots, answers):
    """opened(**script): a window whose runs are scripted, and the script."""
    windows = []

    def open_it(**script):
        conductor = Script(shots, answers, **script)
        source = RunSource(conductor, bench.receivers["burst"])
        window = BenchWindow(source, theme.LIGHT, "virtual", tuple(bench.roles))
        window.show()
        windows.append(window)
        return SimpleNamespace(window=window, script=conductor, source=source)

    yield open_it
    for window in windows:
        window.source.stop()
        assert window.source.close(), "the bench's thread did not end"
        window.hide()
        window.deleteLater()
    app.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
