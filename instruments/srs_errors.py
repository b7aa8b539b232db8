"""The error queue of Stanford Research Systems: LERR? gives one number at a time, 0 when there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pymeasure.instruments import Instrument


class NumberedErrors:
    """Mixin in front of `Guarded`: its error queue by LERR?; `errors` are the numbers of the manual."""

    errors: ClassVar[Mapping[int, str]] = {}

    next_error = Instrument.measurement(
        "LERR?", """Get the code of the oldest error (int), 0 for none.""", cast=int)

    def _queue_entry(self) -> str:
        code = self.next_error
        return f"{code} ({self.errors.get(code, 'see the manual')})" if code else ""
