"""How a command ends: every failure becomes one readable paragraph on stderr and the contract's exit code.

    0 ok · 1 an instrument refuses, vanishes or lies (safe state verified) · 2 wrong use
    3 the data do not carry the answer · 4 state unknown · 130 Ctrl-C after a verified safe state
"""

from __future__ import annotations

import os
import sys
import textwrap
import traceback
from collections.abc import Callable

_ADVICE = {
    FileNotFoundError: "look at how the path is written",
    PermissionError: "change its rights, or name a place of your own",
    IsADirectoryError: "name a file",
    NotADirectoryError: "a file stands where a folder is wanted; name another place",
    FileExistsError: "name another place, or take away what is there",
}
"""What to do about what the operating system refuses."""


def exit_code(run: Callable[[], int | None], debug: bool = False) -> int:
    """Call `run` and turn what comes of it into an exit code; the paragraph goes to stderr."""
    try:
        return _flushed(run() or 0)
    except BrokenPipeError:
        # The reader of our stdout has gone (`maserbench simulate ... | head`); that is no failure.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _report("stopped by Ctrl-C", 130, debug)
    except Exception as failure:
        return _report(paragraph(failure), code_of(failure), debug)


def _flushed(code: int) -> int:
    sys.stdout.flush()
    return code


def code_of(failure: Exception) -> int:
    """The contract's exit code of an exception: its own `exit_code`, 2 for values and files, 1 otherwise."""
    if hasattr(failure, "exit_code"):
        return int(failure.exit_code)
    if isinstance(failure, (ValueError, FileNotFoundError, IsADirectoryError, NotADirectoryError,
                            PermissionError, FileExistsError)):
        return 2
    return 1


def paragraph(failure: BaseException) -> str:
    """What went wrong as one paragraph without a traceback."""
    if hasattr(failure, "format_message"):  # the command line's own: unknown option, missing argument
        return f"{failure.format_message().rstrip('.')}. Ask 'maserbench --help'."
    if isinstance(failure, OSError) and failure.strerror and failure.filename:
        advice = next((f"; {text}" for kind, text in _ADVICE.items() if isinstance(failure, kind)), "")
        return f"{failure.filename}: {failure.strerror}{advice}"
    text = " ".join(str(failure).split())
    expected = isinstance(failure, (ValueError, OSError)) or hasattr(failure, "exit_code")
    if expected and text:
        return text
    return f"{type(failure).__name__}: {text}. This should not happen; --debug shows where."


def _report(text: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    width = 110 if sys.stderr.isatty() else 10_000
    print(textwrap.fill(f"maserbench: {text}", width, break_long_words=False, break_on_hyphens=False),
          file=sys.stderr)
    return code
