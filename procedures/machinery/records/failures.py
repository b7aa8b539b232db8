"""What can go wrong with a run, as types that a command line turns into exit codes.

Wrong use that needs no instrument to be known (arguments, units, names, files) is a ValueError or an
OSError and ends with 2; the types below are what only the bench can tell.
"""

from __future__ import annotations

from instruments.errors import InstrumentError


class BenchFailure(Exception):
    """An instrument refuses, vanishes or lies, or the disk is full; the safe state has been verified."""

    exit_code = 1


class NoAnswer(Exception):
    """The data are there but do not carry the answer that was asked for."""

    exit_code = 3


class StateUnknown(BenchFailure):
    """Laser, shutter or RF could not be read back: nobody may rely on the bench being safe."""

    exit_code = 4


class Interrupted(Exception):
    """A person ended the run (Ctrl-C); the safe state has been verified."""

    exit_code = 130


class Stopped(Exception):
    """Inside a procedure: somebody has asked for the end, and no further shot is fired."""


class HoldAsked(Exception):
    """Inside a procedure: a person wants the run to stand still, and no further shot is fired until then."""


class WrongUse(ValueError):
    """Known to be wrong without touching an instrument."""

    exit_code = 2


def failure_of(problem: BaseException) -> str:
    """What ended a run, in one sentence."""
    if isinstance(problem, (InstrumentError, BenchFailure)):
        return str(problem)
    if isinstance(problem, OSError):
        return f"the run's folder cannot be written ({problem.strerror or problem})"
    return f"{type(problem).__name__}: {problem}"
