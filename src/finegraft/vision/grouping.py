"""Which photos belong together, by a pattern in their paths."""

from __future__ import annotations

import re

from finegraft.errors import UsageError

_FOR_EXAMPLE = r"For patient7_left.jpg write --group '(patient\d+)_'"


class Grouping:
    """Names the group of each key by a regular expression.

    The group is the pattern's first group, else the whole match; a key it does not match stands alone. Raises
    `UsageError` for what is no regular expression.

    >>> Grouping("(patient[0-9]+)_").of("sick/patient7_left.jpg")
    'patient7'
    """

    def __init__(self, pattern: str) -> None:
        try:
            self._pattern = re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise UsageError(f"The group {pattern!r} is no regular expression ({error}).", _FOR_EXAMPLE) from error
        self._names: dict[str, str] = {}

    def of(self, key: str) -> str | None:
        """The group of `key`, None where it stands alone; equal names are one object."""
        match = self._pattern.search(key)
        name = match and (match.group(1) if self._pattern.groups else match.group())
        return self._names.setdefault(name, name) if name else None

    def must_have_matched(self, what: str = "The group") -> None:
        """Raise `UsageError` where no key has a group: photos that belong together would be torn apart unseen."""
        if not self._names:
            raise UsageError(f"{what} {self._pattern.pattern!r} is found in no path.", _FOR_EXAMPLE)
