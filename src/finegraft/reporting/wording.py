"""Numbers as people read them: percentages with intervals, counts with nouns, rates, durations."""

from __future__ import annotations

import math

_THIN = "\u00a0"  # a space that does not break: a number and its unit stay on one line
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def percent(share: float) -> str:
    """0.9342 -> "93.4 %". Only a share of exactly 1 or 0 is written as 100.0 or 0.0."""
    if not math.isfinite(share):
        return "–"
    return f"{_tenths(share):.1f}{_THIN}%"


def percent_range(interval: tuple[float, float]) -> str:
    """(0.915, 0.951) -> "91.5–95.1 %"."""
    low, high = interval
    return f"{_tenths(low):.1f}–{_tenths(high):.1f}{_THIN}%"


def decimal(value: float) -> str:
    """0.01234 -> "0.012": three decimals, a dash for what is not a number."""
    return f"{value:.3f}" if math.isfinite(value) else "–"


def count(number: int, noun: str) -> str:
    """(3068, "photo") -> "3,068 photos"; the plural takes an s (or es after s)."""
    plural = noun if number == 1 else noun + ("es" if noun.endswith("s") else "s")
    return f"{number:,}{_THIN}{plural}"


def rate(value: float) -> str:
    """A learning rate to two figures: 0.0032, or 3.2 × 10⁻⁶ where zeros would have to be counted."""
    if not math.isfinite(value) or value <= 0:
        return "–"
    if 1e-4 <= value < 1000:
        return f"{float(f'{value:.2g}'):.6f}".rstrip("0").rstrip(".")
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}{_THIN}×{_THIN}{power_of_ten(int(exponent))}"


def power_of_ten(exponent: int) -> str:
    """-5 -> "10⁻⁵"."""
    return "10" + str(exponent).translate(_SUPERSCRIPT)


def duration(seconds: float) -> str:
    """73.2 -> "1 min 13 s"; below ten seconds one decimal."""
    if seconds < 9.95:
        return f"{seconds:.1f}{_THIN}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{_THIN}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}{_THIN}min{_THIN}{rest}{_THIN}s"
    return f"{minutes // 60}{_THIN}h{_THIN}{minutes % 60}{_THIN}min"


def _tenths(share: float) -> float:
    """Percent to one decimal, without rounding an imperfect share up to 100 or a real one down to 0."""
    value = round(100 * share, 1)
    if value >= 100 and share < 1:
        return 99.9
    if value <= 0 and share > 0:
        return 0.1
    return value
