"""Lines without columns: `label address`, `address label`, or an address alone."""

from __future__ import annotations

import re

# Any scheme: that ftp:// and data: are not fetched is said of their row.
_ADDRESS = re.compile(r"(?<![a-z0-9])(?:[a-z][a-z0-9+.-]{0,20}://|data:)", re.IGNORECASE)
_WHOLE = re.compile(r"[a-z][a-z0-9+.-]{0,20}://\S+", re.IGNORECASE)
_BETWEEN = " \t,;|"
_OF_ADDRESS = re.compile(r"[/=&?]|\.\w{2,5}$")


def has_address(text: str) -> bool:
    """Whether `text` holds what looks like an address."""
    return _ADDRESS.search(text) is not None


def is_comment(line: str) -> bool:
    """Whether a line speaks to people: `# so`, `#so`; not the `#label,url` with which some tables begin."""
    start = line.lstrip()
    return start.startswith("#") and not has_address(line) and (start[1:2].isspace() or not re.search(r"[\t,;|]", line))


def is_address(cell: str) -> bool:
    """Whether all of `cell` looks like one address."""
    return _WHOLE.fullmatch(cell) is not None


def is_label(text: str) -> bool:
    """Whether `text` behind an address can be a label, and not a part of the address that held a blank or a comma."""
    return bool(text) and not _OF_ADDRESS.search(text)


def split_line(line: str) -> tuple[str | None, str]:
    """Label (None where there is none) and address of a line.

    >>> split_line("brown bear http://example.org/a,b.jpg")
    ('brown bear', 'http://example.org/a,b.jpg')
    >>> split_line("http://example.org/1.jpg grizzly")
    ('grizzly', 'http://example.org/1.jpg')
    >>> split_line("http://example.org/my photo.jpg")
    (None, 'http://example.org/my photo.jpg')
    """
    line = line.strip().strip("\"'")
    found = _ADDRESS.search(line)
    if found is None:
        label, _, rest = line.rpartition(" ")
        return label.strip(_BETWEEN) or None, rest
    if found.start() > 0:
        return line[: found.start()].strip(_BETWEEN + "\"'") or None, line[found.start() :]
    first = re.split(r"[ \t]+", line, maxsplit=1)
    rest = first[1].strip(_BETWEEN + "\"'") if len(first) > 1 else ""
    return (rest, first[0].rstrip(_BETWEEN)) if is_label(rest) else (None, line)
