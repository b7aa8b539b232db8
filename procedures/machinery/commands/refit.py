"""`maserbench fit` and `replay`: the twin asked again about a run, or about one burst in a CSV file."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from procedures.machinery.apparatus.opening import describe_bench
from procedures.machinery.records.events import ShotFitted, ShotStored
from procedures.machinery.records.failures import NoAnswer
from procedures.machinery.records.shot import Shot
from procedures.machinery.storage.places import for_file
from procedures.machinery.storage.runs import open_run
from twin.bench_description import parse
from twin.quantity import nearest

from .run import print_progress
from .watch import Watcher, show_result


def fit(source: Path, bench: str | None, model: str, json: bool, output: Path | None) -> int:
    """Fit and print; 0, or 3 when no shot is OK. ValueError and FileNotFoundError for wrong use."""
    from twin.fit import MODELS

    if model not in MODELS:
        raise ValueError(f"--model: {nearest(model, MODELS)}")
    if output is not None:
        for_file(output)
    if source.is_dir():
        fitted = _run(source, bench, model)
    elif source.is_file():
        fitted = _file(source, bench, model)
    else:
        raise FileNotFoundError(f"there is neither a run nor a file at {source}")
    rows = [event.row.as_json() for event in _shown(fitted, json)]
    ok = any(row["verdict"] == "OK" for row in rows)
    if json:
        print(json_text.dumps(_answer(rows, model, ok, source.is_dir()), indent=1))
    elif not rows:
        raise NoAnswer(f"run {source} holds no free burst: in every shot a source feeds the cavity, or "
                       "the gate spoils it, which the fit's model does not know")
    if output is not None:
        output.write_text("".join(json_text.dumps(row) + "\n" for row in rows), "utf-8")
    return 0 if ok else 3


def replay(path: Path, model: str, json: bool, real_time: bool) -> int:
    """Play a run through the pipeline, print table and answers; 0, or 3 when it has bursts and none is OK."""
    from procedures.machinery.apparatus.warm import warm
    from procedures.machinery.records import events
    from procedures.machinery.replay import replay as play
    from procedures.machinery.replay import same
    from twin.fit import MODELS

    if model not in MODELS:
        raise ValueError(f"--model: {nearest(model, MODELS)}")
    with open_run(path) as run:
        watcher, fits, stored, result = Watcher(), [], run.fits, {}
        if len(run.shots):  # what is damaged is told before anything is compiled
            warm(print_progress)
        with nullcontext() if json else watcher:
            for event in play(run, model, real_time=real_time):
                if not json:
                    watcher(event)
                if isinstance(event, events.ShotFitted):
                    fits.append(event.row)
                elif isinstance(event, events.RunEnded):
                    result = dict(event.result)
        alike = sum(fit.shot in stored and same(fit, stored[fit.shot]) for fit in fits)
    ok = not fits or any(fit.verdict.name == "OK" for fit in fits)
    if json:
        rows = [fit.as_json() for fit in fits]
        answer = _answer(rows, model, ok, True) | {"result": result, "identical": alike}
        print(json_text.dumps(answer, indent=1))
    else:
        watcher.summary()
        print(show_result(result))
        print(f"{alike} of {len(fits)} fits are those that the run holds, to the last digit")
    return 0 if ok else 3


def _answer(rows: list[dict[str, Any]], model: str, ok: bool, is_run: bool) -> dict[str, Any]:
    """All shots of a run; of one record the numbers themselves, none unless the fit is OK."""
    if is_run:
        return {"verdict": "OK" if ok else "no shot is OK", "model": model, "shots": rows}
    kept = {name: rows[0][name] for name in ("verdict", "parameters", "sigma", "sigma_model", "chi2_per_dof")}
    return kept if ok else kept | {"parameters": {}, "sigma": {}, "sigma_model": {}}


def _shown(fitted: Iterator[tuple[Shot, ShotFitted]], json: bool) -> Iterator[ShotFitted]:
    watcher = None if json else Watcher()
    for shot, event in fitted:
        if watcher is not None:
            watcher(ShotStored(shot))
            watcher(event)
        yield event


def _run(path: Path, bench: str | None, model: str) -> Iterator[tuple[Shot, ShotFitted]]:
    from procedures.machinery.apparatus.warm import warm
    from procedures.machinery.fitting.shot_checks import is_free_burst
    from procedures.machinery.fitting.shot_fit import fit_shot

    with open_run(path) as run:
        text = run.bench_text
        description = describe_bench(bench) if bench else parse(text, f"the bench file of {path.name}")
        if not len(run.shots):
            raise ValueError(f"run {path} holds no shots to fit")
        if not run.shots[0].waveforms:
            raise ValueError(f"run {path} is a {run.procedure}, which holds sweeps and no bursts to fit")
        warm(print_progress)
        for shot in run.shots:
            if is_free_burst(description, shot):
                yield shot, fit_shot(description, shot, model)


def _file(path: Path, bench: str | None, model: str) -> Iterator[tuple[Shot, ShotFitted]]:
    from procedures.machinery.apparatus.warm import warm
    from procedures.machinery.fitting.recorded_burst import recorded_shot
    from procedures.machinery.fitting.shot_fit import fit_shot

    if bench is None:
        raise ValueError(f"{path} holds volts only; name the bench that recorded them with --bench FILE")
    description = describe_bench(bench)
    shot = recorded_shot(description, path)
    warm(print_progress)
    yield shot, fit_shot(description, shot, model)
