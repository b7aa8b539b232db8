"""Reports and pictures apart from any run: digits, what is declared, and what loads what."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedures import catalogue, pictures
from procedures.machinery.apparatus.bench import describe_bench
from procedures.machinery.drawing.picture import Axis, Mark, Panel, Picture, Series, line, points
from procedures.machinery.drawing.picture_drawing import draw
from procedures.machinery.records.rows import Rows
from procedures.machinery.report import with_error
from procedures.machinery.storage.measured import Measured


@pytest.mark.parametrize(("value", "sigma", "unit", "told"), [
    (4.41039e-5, 1.386e-7, "J", "44.10 ± 0.14 uJ"), (8947.1, 5916.0, "", "8900 ± 5900"),
    (1.06027e7, 2.146e5, "1/s", "(1.060 ± 0.021)e7 1/s"), (1e14, 1e12, "J", "(1.000 ± 0.010)e14 J"),
    (-0.022000207, 1.28e-7, "V/dB", "-0.02200021 ± 0.00000013 V/dB"),
    (9.10748e9, 1.7e4, "rad/s", "9.107480 ± 0.000017 Grad/s"), (0.0, 0.1, "V", "0.00 ± 0.10 V"),
    (12.0, None, "Hz", "12 Hz"), (3, None, "", "3"), ("OK", None, "", "OK")])
def test_a_value_has_the_digits_that_its_error_allows(value, sigma, unit, told):
    assert with_error(value, sigma, unit) == told


@given(st.floats(1e-12, 1e12), st.floats(1e-9, 0.3), st.sampled_from(["J", "Hz", "1/s", "", "rad/s"]))
def test_rounding_moves_a_value_by_less_than_a_tenth_of_its_error(value, relative, unit):
    text = with_error(value, relative * value, unit).replace("(", "").replace(")", " ")
    found, error = (float(word) for word in text.split()[0:3:2])
    power = round(math.log10(value / found) / 3.0) * 3 if unit in ("J", "Hz", "rad/s") else None
    scale = value / found if power is None else 10.0**power
    assert abs(found - value / scale) <= 0.06 * error
    assert error == pytest.approx(relative * value / scale, rel=0.08)


def test_every_procedure_has_a_picture_that_says_what_it_shows():
    for name in catalogue.names():
        assert pictures.has_picture(name), name
        assert len(pictures.function(name).__doc__) > 20, name


def test_a_run_without_a_shot_has_no_picture():
    nothing = Measured(describe_bench("virtual"), [], Rows())
    assert not any(pictures.picture_of(name, nothing, {}, {}) for name in catalogue.names())


def test_declarations_know_no_drawing_library():
    load = ("import sys\nfrom procedures import catalogue, pictures\n"
            "list(map(pictures.function, catalogue.names()))")
    check = "assert not {'matplotlib', 'pyqtgraph', 'PySide6'} & set(sys.modules)"
    subprocess.run([sys.executable, "-P", "-c", f"{load}\n{check}"], check=True, timeout=60)


def test_all_that_can_be_declared_is_drawn_and_the_same_twice(tmp_path):
    x, at = np.linspace(1e-6, 2e-5, 12), Axis("time", "s")
    panels = (Panel(at, Axis("energy", "J", log=True), (points("a", x, x**2, 0.1 * x**2), line("b", x, x**2)),
                    (Mark("here", x=1e-5, sigma=1e-6), Mark("level", y=1e-9))),
              Panel(at, Axis("number"), (Series("c", "bars", x, np.arange(12.0)),
                                         Series("d", "hollow", x, 1e6 * x),
                                         Series("", "dashed", x, 1e6 * x))))
    for name in ("one.svg", "two.svg", "one.png"):
        draw(Picture("all kinds & <signs>", panels), tmp_path / name, "run 7")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert b"run 7" in (tmp_path / "one.png").read_bytes()
    with pytest.raises(ValueError, match=r"png or \.svg"):
        draw(Picture("", panels), tmp_path / "one.gif")
