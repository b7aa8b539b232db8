"""`maserbench discover`: what answers, and which driver a bench file would name for it. Changes nothing."""

from __future__ import annotations

import dataclasses
import json as json_text
from collections.abc import Sequence

from procedures.machinery.failures import BenchFailure
from procedures.machinery.opening import describe_bench
from twin.bench_tables import VISA
from twin.quantity import nearest


def discover(places: Sequence[str], bench: str | None, visa: str | None, timeout: float, json: bool) -> None:
    """Print a line for each resource; BenchFailure (1) when nobody answers."""
    from instruments.discovery import discover as ask

    description = describe_bench(bench) if bench else None
    wanted = [*places, *(role.resource for role in description.roles.values())] if description else [*places]
    library = visa or (description.visa if description else "@py")
    if library not in VISA:
        raise ValueError(f"--visa: {nearest(library, VISA)}")
    found = []
    for answer in ask(wanted, library, timeout):
        found.append(answer)
        if not json:
            print(f"{answer.resource}\n    {answer.identity or answer.problem}")
            for driver in answer.drivers:
                print(f'    driver = "{driver}"')
    answering = [answer for answer in found if answer.identity]
    if json:
        print(json_text.dumps({"verdict": "OK" if answering else "nobody answers",
                               "resources": [dataclasses.asdict(answer) for answer in found]}, indent=1))
    if not answering:
        where = f"at {', '.join(wanted)}" if wanted else f"among the resources that VISA ({library}) lists"
        raise BenchFailure(f"nobody answers {where}; name an instrument's address, as HOST, HOST:PORT or a "
                           "VISA resource, and close other programs that use it")
