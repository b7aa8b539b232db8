"""What a procedure does, in four phrases for people who choose one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """`swept` from point to point, `read` at each, `fitted` to that, and how it is best `drawn`."""

    swept: str
    read: str
    fitted: str
    drawn: str
