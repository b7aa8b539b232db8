"""The command line: the one place that knows all five packages. Each body lives in its own package.

Imports are made inside the commands, so that `maserbench --help` is quick and the headless path loads no Qt.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

# Our matrices are small: threads of the linear algebra wait for each other and for those of other processes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
                  help="Lab control and digital twin of a room-temperature pentacene maser bench.")

Bench = Annotated[str, typer.Option("--bench", metavar="virtual|FILE.toml", help="the bench to work on")]
Output = Annotated[Path, typer.Option("--output", metavar="DIR", help="where the run's folder is made")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="same seed, same data on a virtual bench")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="value with unit")]
Plain = Annotated[str, typer.Option("--progress", metavar="auto|plain", help="plain: one line per shot")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]
File = Annotated[Path | None, typer.Option("--output", metavar="FILE", help="the file to write")]
TruthLog = Annotated[Path | None, typer.Option("--truth-log", metavar="FILE", help="what the software "
                                                  "instruments really did, for tests only")]
Plot = Annotated[Path | None, typer.Option("--plot", metavar="FILE", help="also draw it")]
Axes = Annotated[list[str] | None, typer.Option("--axis", metavar="NAME=POINTS", help="log:FIRST:LAST:"
                                                "POINTS, lin:FIRST:LAST:POINTS or values parted by commas")]
Columns = Annotated[str | None, typer.Option("--columns", metavar="NAME,...", help="what to print, in order")]
Wish = Annotated[str | None, typer.Option(help="see the system's defaults")]
Count = Annotated[int | None, typer.Option("--points", help="times in a trajectory")]
Collisions = Annotated[int | None, typer.Option("--collisions", min=0, help="qubits through the cavity")]
At = Annotated[str | None, typer.Option("--at", metavar="GRID", help="collisions to print: log:1:1e6:181")]
Levels = Annotated[int | None, typer.Option("--dimension", min=1, help="photon levels; found by itself")]
Places = Annotated[list[str] | None, typer.Argument(metavar="HOST[:PORT]|RESOURCE...")]
Recorder = Annotated[str | None, typer.Option("--bench", metavar="virtual|FILE.toml",
                                              help="a bench file, and the instruments it names")]
Model = Annotated[str, typer.Option("--model", help="rate, mean_field, cumulant, stochastic or exact")]


@app.callback(invoke_without_command=True)
def window(context: typer.Context) -> None:
    """Without a command: the window on the virtual bench."""
    if context.invoked_subcommand is None:
        from procedures.machinery.commands.demo import demo
        demo(show=_window, headless=False, start=False)


@app.command("demo")
def demo_command(headless: Annotated[bool, typer.Option("--headless", help="no window")] = False,
                 shots: Annotated[int, typer.Option(min=1)] = 20, seed: Seed = None,
                 output: Output = Path("runs"), truth_log: TruthLog = None,
                 progress: Plain = "auto") -> None:
    """The main job on software instruments: a pump scan, every burst fitted live."""
    from procedures.machinery.commands.demo import demo
    demo(_window, headless, shots, seed, output, truth_log, progress)


@app.command("run")
def run_command(procedure: str, bench: Bench = "virtual", settings: Settings = None,
                output: Output = Path("runs"), seed: Seed = None, progress: Plain = "auto") -> None:
    """Run a procedure on a bench."""
    from procedures.machinery.commands.run import run_procedure
    run_procedure(procedure, bench, settings or (), output, seed, progress)


@app.command("fly")
def fly_command(procedure: str, bench: Bench = "virtual", settings: Settings = None,
                json: Json = False) -> None:
    """Let the twin fly a run first: levels along the chain, ranges, duration. Touches no instrument."""
    from procedures.machinery.commands.fly import fly
    fly(procedure, bench, settings or (), json)


@app.command("procedures")
def procedures_command(json: Json = False) -> None:
    """List the procedures and their settings."""
    from procedures.machinery.commands.listing import list_procedures
    list_procedures(json)


@app.command("mocks")
def mocks_command(bench: Bench = "virtual", truth_log: TruthLog = None) -> None:
    """Serve the software instruments until Ctrl-C; prints `ready FILE`."""
    from mock_devices.__main__ import main as serve
    from procedures.machinery.bench import bench_file
    raise typer.Exit(serve([str(bench_file(bench)), *(["--truth-log", str(truth_log)] if truth_log else [])]))


@app.command("check")
def check_command(bench: Bench = "virtual", json: Json = False,
                  explain: Annotated[bool, typer.Option("--explain", help="keys a file may have")] = False
                  ) -> None:
    """Ask every instrument who it is and whether it is safe."""
    from procedures.machinery.commands.check import check
    check(bench, json, explain)


@app.command("discover")
def discover_command(places: Places = None, bench: Recorder = None,
                     visa: Annotated[str | None, typer.Option(metavar="@py|@ivi", help="library")] = None,
                     timeout: Annotated[float, typer.Option(min=0.01, help="[s] for each question")] = 1.0,
                     json: Json = False) -> None:
    """List the instruments that answer, and the drivers that fit them."""
    from procedures.machinery.commands.discover import discover
    discover(places or (), bench, visa, timeout, json)


@app.command("safe")
def safe_command(bench: Bench = "virtual") -> None:
    """Drive the bench into its safe state and verify it."""
    from procedures.machinery.commands.check import safe
    safe(bench)


@app.command("simulate")
def simulate_command(system: str, model: Wish = None, duration: Wish = None, points: Count = None,
                     collisions: Collisions = None, dimension: Levels = None, at: At = None,
                     settings: Settings = None, seed: Seed = None, columns: Columns = None,
                     output: File = None) -> None:
    """Solve the twin and print the trajectory as CSV."""
    from procedures.machinery.commands.sweep import simulate
    options = {"model": model, "duration": duration, "points": points, "seed": seed, "collisions": collisions,
               "dimension": dimension, "at": at}
    simulate(system, options, settings or (), columns, output)


@app.command("sweep")
def sweep_command(system: str, axis: Axes = None, model: Wish = None, duration: Wish = None,
                  points: Count = None, collisions: Collisions = None, dimension: Levels = None,
                  at: At = None, settings: Settings = None, seed: Seed = None, columns: Columns = None,
                  output: File = None) -> None:
    """Solve the twin over a grid and print a row for each point as CSV."""
    from procedures.machinery.commands.sweep import sweep
    options = {"model": model, "duration": duration, "points": points, "seed": seed, "collisions": collisions,
               "dimension": dimension, "at": at}
    sweep(system, axis or (), options, settings or (), columns, output)


@app.command("figure")
def figure_command(name: str, output: Annotated[Path, typer.Option("--output", metavar="DIR",
                                                                   help="where PNG and CSV are written")],
                   quick: Annotated[bool, typer.Option("--quick", help="few points")] = False) -> None:
    """Draw a figure of the papers, or all, with its numbers as CSV, claims and verdicts."""
    from procedures.machinery.commands.figure import figure
    figure(name, output, quick)


@app.command("fit")
def fit_command(source: Path, bench: Annotated[str | None, typer.Option("--bench")] = None,
                model: Model = "mean_field", json: Json = False, output: File = None) -> None:
    """Fit the shots of a run, or one burst in a CSV file (seconds, volts)."""
    from procedures.machinery.commands.refit import fit
    raise typer.Exit(fit(source, bench, model, json, output))


@app.command("replay")
def replay_command(run: Path, model: Model = "mean_field", json: Json = False,
                   real_time: Annotated[bool, typer.Option("--real-time", help="at its own pace")] = False
                   ) -> None:
    """Play a stored run through the pipeline of a live one, and compare with what it holds."""
    from procedures.machinery.commands.refit import replay
    raise typer.Exit(replay(run, model, json, real_time))


@app.command("report")
def report_command(run: Path, plot: Plot = None) -> None:
    """Print a stored run as a page to read, and draw its procedure's picture (FILE.png or FILE.svg)."""
    from procedures.machinery.commands.report import print_report
    print_report(run, plot)


@app.command("import")
def import_command(files: Annotated[list[Path], typer.Argument(metavar="FILE...")],
                   bench: Annotated[str, typer.Option("--bench", metavar="FILE.toml",
                                                      help="the bench that recorded them")],
                   output: Output = Path("runs")) -> None:
    """Make a run of bursts that others recorded (CSV: seconds, volts, photodiode volts or not)."""
    from procedures.machinery.commands.bring_in import bring_in
    bring_in(files, bench, output)


@app.command("export")
def export_command(run: Path, format: Annotated[str, typer.Option(metavar="netcdf|csv")],
                   output: File = None) -> None:
    """Write a run as netCDF or CSV."""
    from procedures.machinery.commands.keep import export
    export(run, format, output)


@app.command("recover")
def recover_command(run: Path) -> None:
    """Copy what a killed run has stored into a clean folder."""
    from procedures.machinery.commands.keep import recover
    recover(run)


@app.command("cavity")
def cavity_command(file: Path, kind: str = "reflection", json: Json = False, plot: Plot = None) -> None:
    """Fit a cavity sweep that others measured (CSV or Touchstone)."""
    from procedures.machinery.commands.recordings import cavity
    cavity(file, kind, json, plot)


@app.command("transient")
def transient_command(file: Path, json: Json = False, plot: Plot = None) -> None:
    """Fit a transient with nutation that others measured."""
    from procedures.machinery.commands.recordings import transient
    transient(file, json, plot)


@app.command("gui")
def gui_command(bench: Bench = "virtual", run: Annotated[str | None, typer.Option("--run")] = None,
                replay: Annotated[Path | None, typer.Option("--replay")] = None,
                screenshot: Annotated[Path | None, typer.Option("--screenshot")] = None,
                after: float = 10.0) -> None:
    """Open the window."""
    _window(bench=bench, run=run, replay=replay, screenshot=screenshot, after=after)


def _window(**wishes: Any) -> None:
    from gui.launcher import open_window
    open_window(**wishes)


def main() -> None:
    """Entry point; every failure ends in the contract's exit code and one paragraph on stderr."""
    from procedures.machinery.commands.ending import exit_code
    arguments = [a for a in sys.argv[1:] if a != "--debug"]
    command = typer.main.get_command(app)
    debug = len(arguments) < len(sys.argv) - 1
    sys.exit(exit_code(lambda: command.main(arguments, "maserbench", standalone_mode=False), debug))


if __name__ == "__main__":
    main()
