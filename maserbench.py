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
Seed = Annotated[int | None, typer.Option("--seed", min=0, max=2**63 - 1,
                                          help="same seed, same data on a virtual bench")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="value with unit")]
Plain = Annotated[str, typer.Option("--progress", metavar="auto|plain", help="plain: one line per shot")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]
File = Annotated[Path | None, typer.Option("--output", metavar="FILE", help="the file to write")]
TruthLog = Annotated[Path | None, typer.Option("--truth-log", metavar="FILE", help="what the software "
                                                  "instruments really did, for tests only")]
Status = Annotated[int | None, typer.Option("--status", min=0, max=65535, metavar="PORT",
                                            help="tell dashboards on this loopback port; 0: a free one")]
Continues = Annotated[Path | None, typer.Option("--continue", metavar="RUN", help="take what is missing "
                                                "in a run that ended early")]
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
Runs = Annotated[Path, typer.Argument(metavar="DIR", help="the folder of runs")]
Wished = Annotated[str | None, typer.Option(help="exactly this one")]
Date = Annotated[str | None, typer.Option(metavar="DATE", help="2026-11-26, with T18:00 (UTC), or 7d ago")]
Where = Annotated[list[str] | None, typer.Option("--where", metavar="COMPARISON", help="a setting or an "
                                                "answer: 'pump_energy>1mJ', 'result.loaded_quality<8400'")]
State = Annotated[str | None, typer.Option(help="finished, aborted, running, killed or broken")]
Text = Annotated[str, typer.Option(metavar="WORDS", help="that all stand in notes, tags and names")]
Compared = Annotated[str | None, typer.Option("--bench", metavar="virtual|FILE.toml", help="to compare")]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="WORD", help="to find the run by")]
Operator = Annotated[str, typer.Option("--operator", metavar="NAME", help="who runs it")]
SampleId = Annotated[str, typer.Option("--sample", metavar="ID", help="the crystal, see 'samples'")]
Said = Annotated[str, typer.Option("--note", metavar="TEXT", help="what should be known about it")]
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
                 progress: Plain = "auto", status: Status = None) -> None:
    """The main job on software instruments: a pump scan, every burst fitted live."""
    from procedures.machinery.commands.demo import demo
    demo(_window, headless, shots, seed, output, truth_log, progress, status=status)


@app.command("run")
def run_command(procedure: Annotated[str | None, typer.Argument()] = None, bench: Bench = "virtual",
                settings: Settings = None, output: Output = Path("runs"), seed: Seed = None,
                progress: Plain = "auto", operator: Operator = "", sample: SampleId = "", tag: Tags = None,
                note: Said = "", status: Status = None, continues: Continues = None) -> None:
    """Run a procedure on a bench. Ctrl-C ends it, Ctrl-Z holds it; the bench is safe either way."""
    from procedures.machinery.apparatus.opening import Opening
    with Opening(bench) as opening:  # software instruments start while the rest is loaded
        from procedures.machinery.commands.run import run_procedure
        from procedures.machinery.storage.run_notes import Remarks
        remarks = Remarks(operator, sample, tuple(tag or ()), note)
        run_procedure(procedure, opening, settings or (), output, seed, progress, remarks, status, continues)


@app.command("sequence")
def sequence_command(plan: Annotated[Path | None, typer.Argument(metavar="FILE.toml")] = None,
                     bench: Bench = "virtual", output: Output = Path("runs"), seed: Seed = None,
                     dry_run: Annotated[bool, typer.Option("--dry-run", help="print the plan, touch nothing")]
                     = False, progress: Plain = "auto", continues: Annotated[Path | None, typer.Option(
                         "--continue", metavar="DIR", help="make what a sequence still lacks")] = None
                     ) -> None:
    """Make several runs one after another, as a plan says."""
    from procedures.machinery.commands.sequence import sequence
    sequence(plan, continues, bench, output, seed, dry_run, progress)


@app.command("align")
def align_command(kind: Annotated[str, typer.Argument(metavar="peak|frequency|quality")],
                  bench: Bench = "virtual", settings: Settings = None,
                  seconds: Annotated[str | None, typer.Option("--seconds", metavar="T", help="end by itself")]
                  = None, progress: Plain = "auto") -> None:
    """Show one number and its trend while hands are on the bench. Stores nothing; Ctrl-C ends it."""
    from procedures.machinery.commands.align import align
    align(kind, bench, settings or (), seconds, progress)


@app.command("runs")
def runs_command(folder: Runs = Path("runs"), procedure: Wished = None, since: Date = None,
                 until: Date = None, tag: Wished = None, sample: Wished = None, operator: Wished = None,
                 state: State = None, where: Where = None, text: Text = "", json: Json = False) -> None:
    """Find runs by who, what, when and by what they measured."""
    from procedures.machinery.commands.runs import runs
    runs(folder, json, procedure=procedure, since=since, until=until, tag=tag, sample=sample,
         operator=operator, state=state, where=where or (), text=text)


@app.command("note")
def note_command(run: Path, text: Annotated[str, typer.Argument()] = "", tag: Tags = None) -> None:
    """Add a note or tags to a run, at any time; its manifest stays as it is."""
    from procedures.machinery.commands.runs import note
    note(run, text, tag or ())


@app.command("samples")
def samples_command(folder: Runs = Path("runs"), json: Json = False) -> None:
    """List the samples with the dose of all their runs."""
    from procedures.machinery.commands.samples import samples
    samples(folder, json)


@app.command("calibrate")
def calibrate_command(run: Path, note: Said = "",
                      valid: Annotated[str, typer.Option(metavar="TIME", help="from the run's start")] = "30d"
                      ) -> None:
    """Keep a run's answers as a dated calibration. The bench file stays as it is."""
    from procedures.machinery.commands.calibrations import calibrate
    calibrate(run, valid, note)


@app.command("calibrations")
def calibrations_command(folder: Runs = Path("runs"), bench: Compared = None, json: Json = False) -> None:
    """List calibrations beside what the bench file says."""
    from procedures.machinery.commands.calibrations import calibrations
    calibrations(folder, bench, json)


@app.command("settings")
def settings_command(run: Path, bench: Compared = None) -> None:
    """Print the bench as a run found it, or how a bench differs from that now."""
    from procedures.machinery.commands.settings import settings
    settings(run, bench)


@app.command("restore")
def restore_command(run: Path, bench: Bench) -> None:
    """Put the settings of a run back. Never an output, emission, shutter or arming."""
    from procedures.machinery.commands.settings import restore
    restore(run, bench)


@app.command("status")
def status_command(port: Annotated[int | None, typer.Argument(min=1, max=65535)] = None,
                   once: Annotated[bool, typer.Option("--once", help="the state now, then end")] = False,
                   json: Annotated[bool, typer.Option("--json", help="the lines as they come")] = False
                   ) -> None:
    """Follow a run that was started with --status."""
    from procedures.machinery.commands.status import status
    status(port, once, json)


@app.command("fly")
def fly_command(procedure: str, bench: Bench = "virtual", settings: Settings = None,
                output: Output = Path("runs"), sample: SampleId = "", json: Json = False) -> None:
    """Let the twin fly a run first: levels, ranges, dose, calibrations, duration. Touches no instrument."""
    from procedures.machinery.commands.fly import fly
    fly(procedure, bench, settings or (), output, sample, json)


@app.command("procedures")
def procedures_command(name: Annotated[str | None, typer.Argument()] = None, json: Json = False) -> None:
    """List the procedures and their settings, or all about one."""
    from procedures.machinery.commands.listing import list_procedures
    list_procedures(name, json)


@app.command("mocks")
def mocks_command(bench: Bench = "virtual", truth_log: TruthLog = None) -> None:
    """Serve the software instruments until Ctrl-C; prints `ready FILE`."""
    from mock_devices.__main__ import main as serve
    from procedures.machinery.apparatus.opening import bench_file
    from procedures.machinery.storage.places import for_file
    if truth_log is not None:
        for_file(truth_log, "--truth-log")
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
                   output: Output = Path("runs"), operator: Operator = "", sample: SampleId = "",
                   tag: Tags = None, note: Said = "") -> None:
    """Make a run of bursts that others recorded (CSV: seconds, volts, photodiode volts or not)."""
    from procedures.machinery.commands.bring_in import bring_in
    from procedures.machinery.storage.run_notes import Remarks
    bring_in(files, bench, output, Remarks(operator, sample, tuple(tag or ()), note))


@app.command("export")
def export_command(run: Path, format: Annotated[str, typer.Option(metavar="netcdf|csv|igor")],
                   output: File = None) -> None:
    """Write a run as netCDF, CSV or Igor text."""
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
                after: float = 10.0, status: Status = None) -> None:
    """Open the window."""
    _window(bench=bench, run=run, replay=replay, screenshot=screenshot, after=after, status=status)


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
