"""Writes docs/procedures.md: every procedure's text, its report and its picture, made on the virtual bench.

    python docs/examples/procedures_page.py

Two minutes. All procedures run at their default settings with seed 1.
"""

import inspect
import sys
import tempfile
import textwrap
from importlib import import_module
from pathlib import Path

from PIL import Image

from procedures import catalogue, open_bench, open_run, pictures, run
from procedures.machinery.continuing import as_stored, measured_of
from procedures.machinery.drawing.picture_drawing import draw
from procedures.machinery.report import picture_of, report

DOCS = Path(__file__).resolve().parents[1]
SEED = 1
COLOURS = 64
HEAD = """# The procedures

What each sweeps, reads, fits and draws, with its report and its picture as `maserbench run NAME --seed 1` and
`maserbench report RUN --plot FILE.png` give them on the virtual bench. Written by
`docs/examples/procedures_page.py`; the text is the procedures' own. Settings and their bounds:
`maserbench procedures`. What the pictures show is declared in `procedures/pictures/`, without any drawing
library, so that files and windows can show the same.
"""


def paragraphs(text):
    """A docstring as Markdown."""
    return inspect.cleandoc(text or "").replace("*", "\\*")


def section(name, path):
    """Text, report and picture of one run; the picture goes to docs/images."""
    cls = catalogue.procedure(name)
    module = import_module(cls.__module__)
    image = DOCS / "images" / f"procedure-{name}.png"
    with open_run(path) as done:
        measured = measured_of(done, as_stored)
        picture = picture_of(done, measured)
        assert picture is not None, name
        draw(picture, image, f"{done.path.name}, {done.manifest['origin'].upper()}")
        page = report(done, measured)
    Image.open(image).convert("RGB").quantize(COLOURS).save(image, optimize=True)
    answers = vars(cls).get("answer") or vars(cls).get("tell")
    told = [f"**Answers**: {paragraphs(answers.__doc__)}"] if answers and answers.__doc__ else []
    drawn = pictures.function(name).__doc__
    return "\n\n".join([f"## {name}", paragraphs(module.__doc__), *told, f"**Picture**: {paragraphs(drawn)}",
                        f"![{picture.title}](images/{image.name})", f"```text\n{page.rstrip()}\n```"])


def measure(folder):
    """{procedure: folder of its run}."""
    found = {}
    with open_bench("virtual") as bench:
        for name in catalogue.names():
            print(name, file=sys.stderr)
            found[name] = run(name, bench, Path(folder) / "runs", seed=SEED).path
    return found


def main():
    with tempfile.TemporaryDirectory() as folder:
        runs = measure(folder)
        sections = [section(name, runs[name]) for name in catalogue.names()]
    contents = "\n".join(f"- [{name}](#{name}): {catalogue.summary(catalogue.procedure(name))}"
                         for name in catalogue.names())
    text = "\n\n".join([textwrap.dedent(HEAD).strip(), contents, *sections]) + "\n"
    (DOCS / "procedures.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
