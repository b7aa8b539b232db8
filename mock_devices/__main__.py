"""`python -P -m mock_devices FILE [--truth-log FILE] [--parent PID]`: serve a virtual bench's instruments."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .serve import BenchFileError, CannotServe, serve


def main(argv: Sequence[str] | None = None) -> int:
    """Serves until stopped; 0 then, 1 if a port is taken, 2 if the bench file is wrong."""
    arguments = _parser().parse_args(argv)
    try:
        text = arguments.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return _refuse(f"{arguments.file}: cannot be read ({error})", 2)
    try:
        asyncio.run(serve(text, str(arguments.file), arguments.truth_log, arguments.parent,
                          ready=_announce, stopping=_on_signals))
    except BenchFileError as error:
        return _refuse(str(error), 2)
    except (CannotServe, OSError) as error:
        return _refuse(str(error), 1)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mock_devices",
                                     description="Serve the software instruments of a bench.")
    parser.add_argument("file", type=Path, help="bench file with virtual = true")
    parser.add_argument("--truth-log", type=Path, help="JSON lines of the ground truth, for tests")
    parser.add_argument("--parent", type=int, help="process whose death ends this one, 5 s later")
    return parser


def _announce(path: Path) -> None:
    print(f"ready {path}", flush=True)


def _on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopping.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopping.set))


def _refuse(message: str, code: int) -> int:
    print(message, file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
