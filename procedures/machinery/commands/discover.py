"""`maserbench discover`: what answers, and which driver a bench file would name for it. Changes nothing."""

from __future__ import annotations

import dataclasses
import json as json_text
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from instruments.discovery import Answer
from procedures.machinery.apparatus.opening import Opening
from procedures.machinery.records.failures import BenchFailure
from twin.bench_description import BenchDescription
from twin.bench_tables import VISA
from twin.quantity import nearest


def discover(places: Sequence[str], bench: str | None, visa: str | None, timeout: float, json: bool) -> None:
    """Print what each resource answers; BenchFailure (1) when nobody does."""
    from instruments.discovery import discover as ask

    found: list[Answer] = []
    with _on_the_bench(bench) as description:
        declared = {role.resource: role for role in description.roles.values()} if description else {}
        wanted, library = [*places, *declared], visa or (description.visa if description else "@py")
        if library not in VISA:
            raise ValueError(f"--visa: {nearest(library, VISA)}")
        drivers = {resource: role.driver for resource, role in declared.items()}
        names = {role.resource: name for name, role in description.roles.items()} if description else {}
        for answer in ask(wanted, library, timeout, drivers):
            found.append(answer)
            if not json:
                _print(answer, names, drivers)
    answering = [answer for answer in found if answer.identity]
    if json:
        print(json_text.dumps({"verdict": "OK" if answering else "nobody answers",
                               "resources": [dataclasses.asdict(answer) for answer in found]}, indent=1))
    if not answering:
        where = f"at {', '.join(wanted)}" if wanted else f"among the resources that VISA ({library}) lists"
        raise BenchFailure(f"nobody answers {where}; name an instrument's address, as HOST, HOST:PORT or a "
                           "VISA resource, and close other programs that use it")


@contextmanager
def _on_the_bench(bench: str | None) -> Iterator[BenchDescription | None]:
    """The bench file with the ports that answer; a virtual bench is served for as long as it takes."""
    description, process = Opening(bench).hand_over() if bench else (None, None)
    try:
        yield description
    finally:
        if process is not None:
            process.close()


def _print(answer: Answer, names: Mapping[str, str], drivers: Mapping[str, str]) -> None:
    """Resource and role; identity; drivers that fit, and what the bench file names where that is another."""
    role, named = names.get(answer.resource, ""), drivers.get(answer.resource, "")
    print(answer.resource + (f"  [{role}]" if role else ""))
    print(f"    {answer.identity or answer.problem}")
    for driver in answer.drivers:
        print(f'    driver = "{driver}"')
    if answer.identity and named and named not in answer.drivers:
        print(f'    but the bench file names driver = "{named}"')
