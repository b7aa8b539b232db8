"""The error queue of Stanford Research Systems: LERR? gives one number at a time from the manual's list."""

from __future__ import annotations

from .scpi_device import Session

CODES: dict[int, int] = {
    -113: 111, -222: 10, -224: 10, -109: 116, -108: 115, -104: 118, -121: 118, -131: 118, -138: 118,
    -363: 171, -221: 12, -213: 11, -300: 13,
}
"""SCPI code -> what the manuals call it."""
SYNTAX, NOT_ALLOWED = 126, 15


def next_error(session: Session, codes: dict[int, int] = CODES) -> str:
    """The oldest error's number, 0 for none; unlisted command errors are syntax errors."""
    if not session.status.errors:
        return "0"
    code, _ = session.status.errors.popleft()
    return str(codes.get(code, SYNTAX if -200 < code <= -100 else NOT_ALLOWED))
