"""Option values that are a number or the word "auto"."""

from __future__ import annotations

import math
from typing import Any

import click


class Automatic(click.ParamType[Any]):
    """`auto`, read as None, or a finite number of one kind within bounds."""

    name = "auto|number"

    def __init__(self, kind: type[int] | type[float], at_least: float = -math.inf, above: float = -math.inf) -> None:
        self._kind = kind
        self._at_least = at_least
        self._above = above

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """None for "auto", else the number. Fails with what was wanted."""
        if value is None or value == "auto":
            return None
        try:
            number = self._kind(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor 'auto'.", param, ctx)
        if not math.isfinite(number) or number < self._at_least or number <= self._above:
            bound = f"above {self._above:g}" if self._above > -math.inf else f"at least {self._at_least:g}"
            self.fail(f"{value!r} must be {bound}.", param, ctx)
        return number
