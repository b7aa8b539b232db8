"""The window as a command: screenshot, wrong use, and a real run on the virtual bench."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gui.launcher import open_window

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


def test_the_window_runs_a_procedure_on_the_virtual_bench(app, wait, tmp_path):
    from gui import theme
    from gui.bench_window import BenchWindow
    from gui.run_source import BenchConductor, RunSource
    from procedures import open_run
    from procedures.machinery.bench import describe_bench

    bench = describe_bench("virtual")
    source = RunSource(BenchConductor("virtual", tmp_path), bench.receivers["burst"])
    window = BenchWindow(source, theme.LIGHT, "virtual", tuple(bench.roles))
    window.show()
    try:
        window.panel.choose("single_shot", {"shots": 500}, seed=7)
        window.panel.start()
        wait(lambda: window.table.shots.rowCount() >= 3 and window.table.shots.fit(0) is not None, 120.0)
        window.panel.stop_button.click()
        wait(lambda: not source.busy, 30.0)
        (path,) = tmp_path.iterdir()
        with open_run(path) as run:
            assert run.state == "aborted" and len(run.shots) == window.table.shots.rowCount() < 500
        assert window.bench_panel.state_text.startswith("safe, read back: laser off, shutter closed, RF off")
        assert window.plot.badge.text == "SIMULATED" and window.plot.picture.run == path.name
    finally:
        source.stop()
        assert source.close()
        window.hide()
