"""`maserbench fit`: the twin asked again about the shots of a run, or about one burst in a CSV file."""

from __future__ import annotations

import csv
import json as json_text
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from procedures.machinery.bench import describe_bench
from procedures.machinery.events import ShotFitted, ShotStored
from procedures.machinery.runs import open_run
from procedures.machinery.shot import Origin, Shot
from twin.bench_description import parse
from twin.quantity import nearest

from .run import print_progress
from .watch import Watcher


def fit(source: Path, bench: str | None, model: str, json: bool, output: Path | None) -> int:
    """Fit and print; 0, or 3 when no shot is OK. ValueError and FileNotFoundError for wrong use."""
    from twin.fit import MODELS

    if model not in MODELS:
        raise ValueError(f"--model: {nearest(model, MODELS)}")
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
    if output is not None:
        output.write_text("".join(json_text.dumps(row) + "\n" for row in rows), "utf-8")
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
    from procedures.machinery.shot_fit import fit_shot
    from procedures.machinery.warm import warm

    with open_run(path) as run:
        text = run.bench_text
        description = describe_bench(bench) if bench else parse(text, f"the bench file of {path.name}")
        if not len(run.shots):
            raise ValueError(f"run {path} holds no shots to fit")
        if not run.shots[0].waveforms:
            raise ValueError(f"run {path} is a {run.procedure}, which holds sweeps and no bursts to fit")
        warm(print_progress)
        for shot in run.shots:
            yield shot, fit_shot(description, shot, model)


def _file(path: Path, bench: str | None, model: str) -> Iterator[tuple[Shot, ShotFitted]]:
    from procedures.machinery.shot_fit import fit_envelope
    from procedures.machinery.warm import warm

    if bench is None:
        raise ValueError(f"{path} holds volts only; name the bench that recorded them with --bench FILE")
    description = describe_bench(bench)
    time, volts = read_burst(path)
    warm(print_progress)
    energy, fitted = fit_envelope(description, time, volts, model)
    yield Shot(0, "", {}, {}, Origin.REAL, start=description.pump.arrival, energy=energy), fitted


def read_burst(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Time [s] and volts (T,) of a CSV file with or without a header; ValueError with the line."""
    rows: list[tuple[float, float]] = []
    with path.open(newline="", encoding="utf-8", errors="replace") as f:
        for number, row in enumerate(csv.reader(f), start=1):
            if not row or row[0].lstrip().startswith("#"):
                continue
            try:
                rows.append((float(row[0]), float(row[1])))
            except (ValueError, IndexError):
                if rows:
                    raise ValueError(f"{path}, line {number}: expected seconds,volts, found {row}") from None
    if len(rows) < 50:
        raise ValueError(f"{path}: found {len(rows)} samples; expected lines 'seconds,volts', at least 50")
    table: Any = np.array(rows)
    if not np.all(np.isfinite(table)) or np.any(np.diff(table[:, 0]) <= 0.0):
        raise ValueError(f"{path}: times must rise, and all numbers must be finite")
    return table[:, 0], table[:, 1]
