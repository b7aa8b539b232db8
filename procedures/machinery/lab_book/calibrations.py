"""Calibrations: a finished run's answers with a date, in `calibrations/` beside the runs.

Each is a file of its own that is never changed; a later one of the same quantity takes its place. None
changes a bench file: what stands there is what a person has put there (docs/lab_book.md).
"""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import tomlkit

from twin.bench_description import BenchDescription
from twin.quantity import read, show

from ..records.answers import UNITS
from ..records.shot import Origin
from ..storage.run_record import RunRecord
from .calibrated import CALIBRATED, PROCEDURES

FOLDER = "calibrations"
_FORMAT = 1
_MOST = 3.0  # sigma between a calibration and the bench file that are believed to be chance


@dataclass(frozen=True)
class Calibration:
    """What one run has calibrated: {quantity: (value, sigma)} in SI, sigma None where the run gave none.

    `taken` when the run began, `made` when it was made a calibration, `valid_until` until when it is
    believed; all UTC.
    """

    id: str
    run: str
    procedure: str
    origin: Origin
    taken: datetime
    made: datetime
    valid_until: datetime
    values: Mapping[str, tuple[float, float | None]]
    note: str = ""


@dataclass(frozen=True)
class Standing:
    """One quantity of one calibration: whether a later one has `replaced` it, and whether it is `in_date`."""

    calibration: Calibration
    name: str
    value: float
    sigma: float | None
    replaced: bool
    in_date: bool

    @property
    def state(self) -> str:
        """In a word or two."""
        return "replaced" if self.replaced else "in date" if self.in_date else "out of date"

    def deviation(self, bench: BenchDescription) -> float | None:
        """How many sigma above what the bench file declares; None where either is not there."""
        declared = CALIBRATED[self.name].declared(bench)
        if declared is None or not self.sigma:
            return None
        return (self.value - declared) / self.sigma

    def shown(self) -> str:
        """Value, error and unit for a reader."""
        unit = UNITS.get(self.name, "")
        error = f" ± {show(self.sigma, unit, 2)}" if self.sigma is not None else ""
        return show(self.value, unit, 7) + error


def calibrate(record: RunRecord, valid: float, note: str = "") -> Calibration:
    """Make and store a calibration of a run, good for `valid` [s] from the run's start.

    ValueError for a run that has not finished well, or answers nothing that a bench file declares.
    """
    if record.state != "finished":
        raise ValueError(f"{record.name} is {record.state}; a calibration is made of a finished run")
    if record.procedure not in PROCEDURES:
        raise ValueError(f"{record.name} is a {record.procedure}, which calibrates nothing that a bench file "
                         f"declares; those that do: {', '.join(PROCEDURES)}")
    if (verdict := record.result.get("verdict", "OK")) != "OK":
        raise ValueError(f"{record.name} answers {verdict!r} instead of a calibration")
    values = {name: (float(record.result[name]), _sigma(record.result, name))
              for name in PROCEDURES[record.procedure] if name in record.result}
    if not values:
        raise ValueError(f"{record.name} holds no answer; expected {', '.join(PROCEDURES[record.procedure])}")
    if not valid > 0.0:
        raise ValueError(f"--valid: expected a time above zero, found {valid:g} s")
    taken = datetime.fromisoformat(record.started)
    name = f"{taken:%Y%m%d}-{record.procedure}-{secrets.token_hex(2)}"
    made = Calibration(name, record.name, record.procedure, Origin(record.origin), taken,
                       datetime.now(UTC), taken + timedelta(seconds=valid), values, note)
    _write(record.path.parent / FOLDER, made)
    return made


def _sigma(result: Mapping[str, Any], name: str) -> float | None:
    sigma = result.get(f"{name}_sigma")
    return float(sigma) if isinstance(sigma, (int, float)) and sigma > 0.0 else None


def _write(folder: Path, made: Calibration) -> None:
    document = tomlkit.document()
    document.add(tomlkit.comment("A calibration. Never changed after it was made; a later one replaces it."))
    document["format"] = _FORMAT
    for key, text in (("run", made.run), ("procedure", made.procedure), ("origin", made.origin.value),
                       ("made", made.made.isoformat()), ("taken", made.taken.isoformat()),
                       ("valid_until", made.valid_until.isoformat()), ("note", made.note)):
        document[key] = text
    values = tomlkit.table()
    for name, (value, sigma) in made.values.items():
        row: dict[str, Any] = {"value": value, "unit": UNITS.get(name, ""), "bench_key": CALIBRATED[name].key}
        values[name] = row if sigma is None else row | {"sigma": sigma}
    document["values"] = values
    folder.mkdir(exist_ok=True)
    with (folder / f"{made.id}.toml").open("x", encoding="utf-8") as file:
        file.write(tomlkit.dumps(document))


def read_all(runs: Path) -> tuple[list[Calibration], list[str]]:
    """The calibrations beside the runs, oldest first, and a sentence for each file that cannot be read."""
    found, problems = [], []
    for file in sorted((runs / FOLDER).glob("*.toml")):
        try:
            found.append(_read(file))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as wrong:
            problems.append(f"{file} cannot be read and counts for nothing: {type(wrong).__name__}: {wrong}")
    return sorted(found, key=lambda each: (each.taken, each.made)), problems


def _read(file: Path) -> Calibration:
    table = tomllib.loads(file.read_text("utf-8"))
    if table["format"] != _FORMAT:
        raise ValueError(f"its format is {table['format']!r}, this program reads {_FORMAT}")
    values = {name: (float(row["value"]), float(row["sigma"]) if "sigma" in row else None)
              for name, row in table["values"].items() if name in CALIBRATED}
    return Calibration(file.stem, table["run"], table["procedure"], Origin(table["origin"]),
                       datetime.fromisoformat(table["taken"]), datetime.fromisoformat(table["made"]),
                       datetime.fromisoformat(table["valid_until"]),
                       values, str(table.get("note", "")))


def standings(found: Iterable[Calibration], now: datetime | None = None) -> list[Standing]:
    """Every quantity of every calibration (oldest first), real and simulated ones each among their own."""
    now = now or datetime.now(UTC)
    rows = [(calibration, name, *pair) for calibration in found for name, pair in calibration.values.items()]
    last = {(calibration.origin, name): calibration.id for calibration, name, _, _ in rows}
    return [Standing(calibration, name, value, sigma, last[calibration.origin, name] != calibration.id,
                     now <= calibration.valid_until) for calibration, name, value, sigma in rows]


def in_force(runs: Path, origin: Origin) -> tuple[str, ...]:
    """Ids of the calibrations of a kind of bench that are neither replaced nor out of date."""
    rows = standings(read_all(runs)[0])
    return tuple(dict.fromkeys(row.calibration.id for row in rows
                               if row.state == "in date" and row.calibration.origin is origin))


def warnings(runs: Path, bench: BenchDescription, origin: Origin) -> list[str]:
    """What is out of date, disagrees with the bench file by more than 3 sigma, or cannot be read."""
    found, told = read_all(runs)
    current = [row for row in standings(found) if not row.replaced and row.calibration.origin is origin]
    old = {row.calibration.id: row.calibration for row in current if not row.in_date}
    for id, calibration in old.items():
        names = ", ".join(row.name for row in current if row.calibration.id == id)
        told.append(f"the calibration {id} of {names} is out of date since "
                    f"{calibration.valid_until:%Y-%m-%d %H:%M} UTC")
    for row in current:
        away, declared = row.deviation(bench), CALIBRATED[row.name].declared(bench)
        if row.in_date and away is not None and declared is not None and abs(away) > _MOST:
            told.append(f"{row.name} was calibrated as {row.shown()} ({row.calibration.id}); that is "
                        f"{away:+.1f} sigma from the bench file's "
                        f"{show(declared, UNITS.get(row.name, ''), 7)} ({CALIBRATED[row.name].key})")
    return told


def read_validity(text: str) -> float:
    """Seconds of "30d", "8h" or "90min"; a bare number would be seconds, which nobody means."""
    if text.strip().replace(".", "").isdigit():
        raise ValueError(f"--valid {text}: expected a time with its unit, such as {text}d, 8h or 90min")
    return read(text, "s", "--valid")
