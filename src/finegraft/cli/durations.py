"""Option values that are a time: `90s`, `6m`, `1h30m`."""

from __future__ import annotations

import re
from typing import Any

import click

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_WRITTEN = re.compile(r"(?:\d+(?:\.\d+)?[hms])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([hms])")


class Duration(click.ParamType[Any]):
    """A time above 0 with its units, as seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Seconds. Fails with what was wanted."""
        if value is None or isinstance(value, float):
            return value
        text = str(value).strip().lower()
        if not _WRITTEN.fullmatch(text):
            self.fail(f"{value!r} is no time: write 90s, 6m or 1h30m.", param, ctx)
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
        if not 0 < seconds < float("inf"):
            self.fail(f"{value!r} is no time to do anything in.", param, ctx)
        return seconds
