"""The process that fits shots: `python -P -m procedures.machinery.fitting.fit_worker`, spoken to over pipes.

A process of its own, so that neither a slow fit nor a crash in compiled code can hold up or end the bench.
First message: the bench file's text without [truth], and the model. Then one message per shot, each
answered by one. Ends when its stdin ends; ignores Ctrl-C, which is for the controller.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np

from instruments.waveform import Waveform

from ..records.shot import AS_MEASURED, Origin, Shot, finite
from .frames import receive, send

_BEHIND = 10  # in priority: on a crowded machine bench, guard and heartbeat come first, fits may come later
_RECORDS = ("burst", "photodiode")
_AXES = ("scale", "offset", "start", "interval", "channel", "bits")


def request(shot: Shot) -> tuple[dict[str, Any], list[np.ndarray]]:
    """What the fit needs of a shot: numbers for the header, and the raw codes of burst and photodiode."""
    sent = {name: shot.waveforms[name] for name in _RECORDS if name in shot.waveforms}
    axes = {name: {a: getattr(w, a) for a in _AXES} for name, w in sent.items()}
    pulse = finite({"start": shot.start, "energy": shot.energy})
    settings = finite({name: value for name, value in shot.settings.items() if name in AS_MEASURED})
    header = {"number": shot.number, "waveforms": axes, "pulse": pulse, "settings": settings}
    return header, [w.codes for w in sent.values()]


def shot_of(header: Mapping[str, Any], codes: Sequence[np.ndarray]) -> Shot:
    """The shot behind a request, without what the fit does not need."""
    pulse = {"start": np.nan, "energy": np.nan, **header["pulse"]}
    records = {name: Waveform(codes=c, **axis)
               for (name, axis), c in zip(header["waveforms"].items(), codes, strict=True)}
    return Shot(header["number"], "", header["settings"], records, Origin.SIMULATED, **pulse)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer requests until the source ends."""
    from twin.bench_description import parse

    from .shot_fit import fit_shot

    first, _ = receive(source)
    bench = parse(first["bench"], first["name"])
    send(sink, {"ready": True})
    while True:
        try:
            header, codes = receive(source)
        except EOFError:
            return
        try:
            answer = fit_shot(bench, shot_of(header, codes), first["model"])
        except Exception as failure:  # one shot that cannot be fitted must not end the fits of all others
            send(sink, {"shot": header["number"], "failed": f"{type(failure).__name__}: {failure}"})
            continue
        lines = (answer.time, answer.data_volts, answer.model_volts, answer.sigma)
        send(sink, answer.row.as_json(), *(np.asarray(line, float) for line in lines))


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(_BEHIND)
    # Whatever prints to stdout must not land among the messages: they get a descriptor of their own.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        serve(sys.stdin.buffer, sink)
    except (EOFError, BrokenPipeError):
        return


if __name__ == "__main__":
    main()
