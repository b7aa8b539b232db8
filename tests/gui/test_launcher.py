"""The window as a command: screenshot, wrong use, and a real run on the virtual bench."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gui import theme
from gui.bench_window import BenchWindow
from gui.launcher import open_window
from gui.run_source import BenchConductor, RunSource
from procedures import open_run
from procedures.machinery.apparatus.bench import describe_bench

ROOT = Path(__file__).resolve().parents[2]


def maserbench(*words):
    """The command in a process of its own, without a display."""
    screen = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    known = {name: value for name, value in os.environ.items() if name not in screen}
    return subprocess.run([sys.executable, "-m", "maserbench", *map(str, words)], capture_output=True,
                          text=True, timeout=120, cwd=ROOT, env=known)


def test_a_screenshot_of_a_stored_run_needs_no_display(stored_run, tmp_path):
    file = tmp_path / "window.png"
    found = maserbench("gui", "--replay", stored_run, "--screenshot", file, "--after", "3")
    assert found.returncode == 0, found.stderr
    assert file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and file.stat().st_size > 30_000


def test_without_a_display_it_says_so_in_one_line_and_ends_with_two():
    found = maserbench("gui")
    assert found.returncode == 2
    assert "DISPLAY" in found.stderr and found.stderr.count("\n") == 1


@pytest.mark.parametrize(("wishes", "told"), [
    ({"replay": "no/such/run"}, "no run"),
    ({"bench": "no/such/bench.toml"}, "no bench file"),
    ({"run": "pump_treshold"}, "did you mean 'pump_threshold'"),
    ({"run": "single_shot", "settings": {"pump_energy": "5 bananas"}}, "bananas"),
    ({"run": "single_shot", "replay": "runs/x"}, "exclude each other"),
    ({"theme": "drak"}, "did you mean 'dark'"),
    ({"screenshot": "no/such/folder/x.png"}, "there is no folder")])
def test_wrong_use_is_told_before_a_window_is_opened(wishes, told):
    with pytest.raises((ValueError, FileNotFoundError), match=told):
        open_window(**wishes)


@pytest.fixture(scope="module")
def virtual(app, tmp_path_factory):
    """A window on the real virtual bench: software instruments over TCP."""
    bench = describe_bench("virtual")
    conductor = BenchConductor("virtual", tmp_path_factory.mktemp("runs"))
    source = RunSource(conductor, bench.receivers["burst"])
    window = BenchWindow(source, theme.LIGHT, "virtual", tuple(bench.roles))
    window.conductor = conductor
    window.show()
    yield window
    source.stop()
    assert source.close()
    window.hide()


def start(window, wait, **settings):
    """Begin a run and wait until the twin has answered; returns the run's folder."""
    window.panel.choose("single_shot", {"shots": 500, **settings}, seed=7)
    last = window.status.path.text()
    window.panel.start()
    wait(lambda: not window.source.busy or window.status.path.text() != last, 120.0)
    wait(lambda: not window.source.busy or window.table.shots.fit(0) is not None, 60.0)
    assert window.source.busy, window.banner.text
    return Path(window.status.path.text())


def test_a_run_on_the_virtual_bench_is_seen_and_stopped_safely(virtual, wait):
    path = start(virtual, wait)
    wait(lambda: virtual.plot.picture is not None and virtual.plot.picture.model is not None)
    assert virtual.plot.picture.run == path.name
    virtual.panel.stop_button.click()
    wait(lambda: not virtual.source.busy, 30.0)
    with open_run(path) as run:
        assert run.state == "aborted" and len(run.shots) == virtual.table.shots.rowCount() < 500
    assert virtual.bench_panel.state_text == "safe, read back: laser off, shutter closed, RF off"
    assert virtual.plot.badge.text == "SIMULATED"


def test_a_shot_that_memory_has_lost_is_read_back_from_disk(virtual, wait):
    path = start(virtual, wait)
    virtual.stop_safe()
    wait(lambda: not virtual.source.busy, 30.0)
    live = virtual.source.gallery.picture(0)
    virtual.source.gallery.begin(path.name, live.origin, None)
    virtual.table.selectRow(1)
    virtual.table.selectRow(0)
    wait(lambda: "Shot 0" in virtual.plot._title.text(), 60.0)
    assert virtual.plot.picture is not live and np.array_equal(virtual.plot.picture.y, live.y)


def test_a_lost_instrument_is_named_in_the_window_and_the_next_run_works(virtual, wait):
    start(virtual, wait)
    console = virtual.conductor._bench.console
    console.ask("unplug digitiser")
    wait(lambda: not virtual.source.busy, 60.0)
    assert "digitiser" in virtual.banner.text and virtual.banner.property("severity") == "error"
    assert virtual.bench_panel.state_text.startswith("safe, read back: laser off")
    assert virtual.unknown_state == ""
    start(virtual, wait)
    virtual.stop_safe()
    wait(lambda: not virtual.source.busy, 30.0)
