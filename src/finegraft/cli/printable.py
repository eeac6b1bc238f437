"""Names from outside on a terminal: a file name may hold line feeds, colours or bytes that are no text."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` on one line, with escapes for everything that would not show as itself.

    >>> printable("red\\x1b[31m rose")
    'red\\\\x1b[31m rose'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
