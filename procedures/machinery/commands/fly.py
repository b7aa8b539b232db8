"""`maserbench fly`: a run as the twin expects it, without touching any instrument."""

from __future__ import annotations

import dataclasses
import json as json_text
from collections.abc import Sequence
from pathlib import Path

from procedures import catalogue
from procedures.machinery.apparatus.bench import check_wishes, describe_bench
from procedures.machinery.apparatus.warm import warm
from procedures.machinery.flight_check import fly as flight_of
from procedures.machinery.flight_check import told
from procedures.machinery.lab_book.before import look_up
from procedures.machinery.records.settings import values
from procedures.machinery.storage.run_notes import Remarks

from .assignments import assignments
from .run import print_progress


def fly(procedure: str, bench: str, settings: Sequence[str], output: Path, sample: str, json: bool) -> None:
    """Print levels, ranges, dose and duration; ValueError (2) for what would be refused."""
    cls, description = catalogue.procedure(procedure), describe_bench(bench)
    given = values(cls, assignments(settings))
    check_wishes(description, procedure, cls, given)
    before = look_up(output, Remarks(sample=sample), description, given)
    warm(print_progress)
    flight = flight_of(description, given, catalogue.duration(procedure, given))
    refused = flight.refused if flight is not None else ()
    if json:
        answer = dataclasses.asdict(flight) if flight is not None else {}
        verdict = "refused" if refused else "OK"
        print(json_text.dumps({"verdict": verdict, **answer, "notices": before.notices}, indent=1))
    else:
        print(told(flight) if flight is not None else f"{procedure} does not fire the laser")
        for text in before.notices:
            print(f"note: {text}")
    if refused:
        raise ValueError("; ".join(refused))
