"""`maserbench fly`: a run as the twin expects it, without touching any instrument."""

from __future__ import annotations

import dataclasses
import json as json_text
from collections.abc import Sequence

from procedures import catalogue
from procedures.machinery.bench import check_wishes, describe_bench
from procedures.machinery.flight_check import fly as flight_of
from procedures.machinery.flight_check import told
from procedures.machinery.settings import values
from procedures.machinery.warm import warm

from .assignments import assignments
from .run import print_progress


def fly(procedure: str, bench: str, settings: Sequence[str], json: bool) -> None:
    """Print levels, ranges, dose and duration; ValueError (2) for what would be refused."""
    cls, description = catalogue.procedure(procedure), describe_bench(bench)
    given = values(cls, assignments(settings))
    check_wishes(description, procedure, cls, given)
    warm(print_progress)
    flight = flight_of(description, given, catalogue.duration(procedure, given))
    if flight is None:
        print(f"{procedure} does not fire the laser" if not json else '{"verdict": "OK"}')
        return
    if json:
        answer = {"verdict": "refused" if flight.refused else "OK", **dataclasses.asdict(flight)}
        print(json_text.dumps(answer, indent=1))
    else:
        print(told(flight))
    if flight.refused:
        raise ValueError("; ".join(flight.refused))
