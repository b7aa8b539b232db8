"""The plot of one shot: what is measured, what the twin says, and where it comes from."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gui import theme
from gui.markers import stamped
from gui.picture import Picture, fitted_picture, picture_of
from gui.shot_plot import ShotPlot, round_above
from procedures import Origin, Shot

SEEN = 50  # pixels that differ from the ground, at least, for something to count as drawn


@pytest.fixture
def plot(app):
    plot = ShotPlot(theme.LIGHT)
    plot.resize(900, 600)
    plot.show()
    yield plot
    plot.hide()
    plot.deleteLater()


@pytest.fixture
def picture(answers):
    return fitted_picture(answers[3], "a-run", Origin.SIMULATED, 5e-3)


def pixels(widget):
    """(height, width, 3) of what is on screen."""
    image = widget.grab().toImage()
    image = image.convertToFormat(image.Format.Format_RGB888)
    data = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return data[:, :3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def count(widget, colour):
    """How many pixels have about this colour."""
    wanted = [int(colour[i:i + 2], 16) for i in (1, 3, 5)]
    return int(np.sum(np.abs(pixels(widget) - wanted).max(axis=2) < 12))


def shown(plot, picture, wait):
    before = plot.repaints
    plot.show_picture(picture)
    wait(lambda: plot.repaints > before)


def test_three_thousand_repaints_neither_abort_nor_eat_memory():
    found = subprocess.run([sys.executable, str(Path(__file__).with_name("soak.py")), "3000"],
                           capture_output=True, text=True, timeout=280)
    assert found.returncode == 0, f"it ended with {found.returncode}: {found.stderr[-500:]}"
    paints, settled, last = map(float, found.stdout.split())
    assert paints >= 3000
    assert last - settled < 15.0, f"{last - settled:.1f} MB more after 2400 further repaints"


def test_points_line_and_residuals_are_really_drawn(plot, picture, wait):
    assert count(plot, theme.LIGHT.model) < SEEN and count(plot, theme.LIGHT.data) < SEEN
    shown(plot, picture, wait)
    assert count(plot, theme.LIGHT.model) > SEEN
    assert count(plot, theme.LIGHT.data) > 10 * SEEN


def test_the_strip_shows_the_residuals_in_the_sigmas_that_were_given(plot, picture, wait):
    shown(plot, picture, wait)
    _, residuals = plot.spread.getData()
    assert np.array_equal(residuals, (picture.y - picture.model) / picture.sigma)
    shown(plot, replace(picture, sigma=2.0 * picture.sigma), wait)
    assert np.allclose(plot.spread.getData()[1], residuals / 2.0, rtol=1e-12)
    assert plot.band.getRegion() == (-2.0, 2.0)


def test_a_large_residual_is_not_cut_off(plot, picture, wait):
    y = picture.y.copy()
    y[100] += 80.0 * picture.sigma[100]
    shown(plot, replace(picture, y=y), wait)
    low, high = plot.strip.viewRange()[1]
    assert high > plot.spread.getData()[1].max() > 70.0 and low == -high


def test_both_plots_keep_one_time_axis(plot, picture, wait, app):
    shown(plot, picture, wait)
    plot.top.setXRange(1e-6, 3e-6, padding=0.0)
    app.processEvents()
    assert np.allclose(plot.strip.viewRange()[0], plot.top.viewRange()[0], rtol=0.02)


@pytest.mark.parametrize("origin", list(Origin))
def test_the_badge_says_where_the_data_come_from(plot, picture, wait, origin):
    shown(plot, replace(picture, origin=origin), wait)
    assert plot.badge.text == origin.name and plot.badge.isVisible()
    assert count(plot, theme.BADGES[origin][0]) > 20 * SEEN


def test_an_empty_plot_says_what_to_do_and_claims_no_origin(plot):
    assert "Run" in plot._hint.text and not plot.badge.isVisible()


def test_the_title_names_shot_run_and_energy(plot, picture, wait):
    shown(plot, picture, wait)
    assert "Shot 3" in plot._title.text() and "5.000 mJ" in plot._title.text()
    assert plot._subtitle.text() == "a-run"


def test_axes_are_in_microseconds_and_millivolts(plot, picture, wait):
    shown(plot, picture, wait)
    assert "µs" in plot.strip.getAxis("bottom").labelString()
    assert "mV" in plot.top.getAxis("left").labelString()


def test_a_hundred_pictures_a_second_are_painted_at_most_thirty_times(plot, picture, app):
    first, began = plot.repaints, time.monotonic()
    while time.monotonic() - began < 1.0:
        plot.show_picture(picture)
        app.processEvents()
        time.sleep(0.005)
    assert 3 <= plot.repaints - first <= 31


def test_a_shot_without_a_fit_shows_its_envelope_and_says_so(plot, bench, shots, wait):
    raw = picture_of(shots[3], "a-run", bench.receivers["burst"])
    assert raw.residuals is None and len(raw.x) < len(shots[3].waveform) / 2
    shown(plot, raw, wait)
    assert not np.size(plot.line.getData()[0]) and plot._no_line.text == "the twin has not answered"


def test_a_sweep_is_shown_over_frequency(plot, wait):
    frequency = np.linspace(1.448e9, 1.451e9, 121)
    traces = {"frequency": frequency, "reflected_power": np.full(121, -20.0)}
    shot = Shot(0, "", {}, {}, Origin.REAL, traces)
    shown(plot, picture_of(shot, "a-run", None), wait)
    assert "Hz" in plot.strip.getAxis("bottom").labelString()
    assert ">reflected power (dBm)" in plot.top.getAxis("left").labelString()
    assert plot.top.getAxis("left").autoSIPrefixScale == 1.0
    assert np.array_equal(plot.points.getData()[0], frequency)


def test_a_new_theme_reaches_everything_on_the_canvas(plot, picture, wait, app):
    shown(plot, picture, wait)
    plot.set_theme(theme.DARK)
    app.processEvents()
    assert count(plot._canvas, theme.DARK.surface) > 100_000
    assert count(plot, theme.DARK.model) > SEEN


def test_axes_follow_the_shots_until_a_person_zooms_and_again_after_a_reset(plot, picture, wait):
    shown(plot, picture, wait)
    assert plot.top.viewRange()[1][1] == pytest.approx(0.8)
    assert plot.top.viewRange()[0][0] <= picture.x[0] < picture.x[-1] <= plot.top.viewRange()[0][1]
    shown(plot, replace(picture, y=0.1 * picture.y), wait)
    assert plot.top.viewRange()[1][1] == pytest.approx(0.08)
    plot.top.getViewBox().sigRangeChangedManually.emit([True, True])
    plot.top.setXRange(1e-6, 3e-6, padding=0.0)
    shown(plot, picture, wait)
    assert plot.top.viewRange()[0] == pytest.approx([1e-6, 3e-6])
    plot.reset_view()
    assert plot.top.viewRange()[0][1] > 3e-5 and plot.top.viewRange()[1][1] == pytest.approx(0.8)


@pytest.mark.parametrize(("value", "top"), [
    (0.64, 0.8), (0.08, 0.08), (0.0023, 0.003), (0.0, 1e-3), (-1.0, 1e-3)])
def test_the_voltage_axis_ends_at_a_round_number(value, top):
    assert round_above(value) == pytest.approx(top)


def test_markers_land_where_the_points_are():
    pixels = stamped(np.array([10.2, 30.9, -50.0, 99.9]), np.array([5.0, 20.0, 3.0, 39.9]), 100, 40, 4.0)
    assert pixels.shape == (40, 100)
    assert pixels[5, 10] == pixels[20, 30] == pixels[39, 99] == 255
    pixels[3:8, 8:13] = pixels[18:23, 28:33] = 0
    pixels[37:, 97:] = 0
    assert not pixels.any()


def test_points_that_are_no_numbers_are_left_out(plot, picture, wait):
    y = picture.y.copy()
    y[:50] = np.nan
    shown(plot, Picture("a-run", 1, Origin.REAL, float("nan"), picture.x, y), wait)
    assert len(plot.points.getData()[0]) == len(y) - 50
    assert np.isfinite(plot.top.viewRange()).all()
