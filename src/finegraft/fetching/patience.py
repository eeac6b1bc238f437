"""How long to wait before another try."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from finegraft.fetching.settings import Settings


def asked_to_wait(retry_after: str | None, now: float | None = None) -> float | None:
    """The seconds that a header `Retry-After` asks for, as a number or as a date; None where it says nothing clear.

    >>> asked_to_wait("120")
    120.0
    """
    text = (retry_after or "").strip()
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return max(0.0, moment - (time.time() if now is None else now))


def before_try(number: int, settings: Settings, chance: Callable[[], float] = random.random) -> float:
    """Seconds before the try with this `number`, 1 for the second one: doubled each time, by chance half more or less.

    Without chance, rows that failed together would come back together.
    """
    return float(settings.backoff * 2 ** (number - 1) * (0.5 + chance()))
