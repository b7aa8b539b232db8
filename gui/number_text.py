"""Numbers as a reader wants them: values to the digit of their uncertainty, quantities with SI prefixes."""

from __future__ import annotations

import math

from twin.quantity import show


def decimals(sigma: float) -> int:
    """Decimal places that an uncertainty deserves: two digits when it begins with a 1, otherwise one.

    ValueError for a sigma that is not positive and finite.
    """
    if not (math.isfinite(sigma) and sigma > 0.0):
        raise ValueError(f"an uncertainty must be positive and finite, found {sigma}")
    digits, _, exponent = f"{sigma:.1e}".partition("e")
    return -int(exponent) + (1 if digits[0] == "1" else 0)


def uncertain(value: float, sigma: float | None) -> tuple[str, str]:
    """("39.124", "0.014"): value and uncertainty to the same digit; ("39.12", "") without an uncertainty."""
    if sigma is None or not math.isfinite(sigma) or sigma <= 0.0:
        return f"{value:.4g}", ""
    places = decimals(sigma)
    return _rounded(value, places), _rounded(sigma, places)


def concise(value: float, sigma: float | None) -> str:
    """"39.124(14)": the digits in brackets are the uncertainty of the last digits."""
    text, error = uncertain(value, sigma)
    if not error:
        return text
    places = decimals(sigma or 0.0)
    return f"{text}({round((sigma or 0.0) * 10.0**places)})" if places > 0 else f"{text}({error})"


def engineering(value: float, unit: str, digits: int = 4) -> str:
    """"1.234 mJ"; "–" for what is not a number."""
    if not math.isfinite(value):
        return "–"
    text = show(value, unit, digits)
    return text.replace(" u" + unit, " µ" + unit) if unit else text


def measured(value: float, unit: str) -> str:
    """"5.000 mJ": always four digits, so that a column of measured values stands in line."""
    if not math.isfinite(value) or value == 0.0:
        return engineering(value, unit)
    _, _, prefixed = engineering(value, unit).partition(" ")
    number = engineering(value, unit, 15).split(" ")[0]
    return f"{float(number):#.4g} {prefixed}"


def duration(seconds: float) -> str:
    """"0:07" or "1:02:03" for a wait."""
    whole = max(0, math.ceil(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def _rounded(value: float, places: int) -> str:
    return f"{round(value, places):.{max(0, places)}f}"
