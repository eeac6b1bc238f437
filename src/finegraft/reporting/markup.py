"""HTML and SVG built so that nothing is left unescaped.

`tag` escapes every child and attribute that is not `Html` already, so a class called `<script>` or a file name full of
quotes cannot become markup. There is no other way to make `Html` here than `tag`, `join` and a literal of our own.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

# Control characters, halves of surrogate pairs (file names that are not UTF-8) and direction overrides: a browser
# would hide them, refuse them or let them turn the neighbouring text round.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\ufffe\uffff]")
_VOID = frozenset({"meta", "img", "br"})


@dataclass(frozen=True, slots=True)
class Html:
    """Markup that is safe as it stands."""

    text: str

    def __str__(self) -> str:
        return self.text


Child = Html | str  # what an element may hold, or a cell of a table


def clean(text: str) -> str:
    """`text` with everything that cannot be shown replaced by U+FFFD."""
    return _UNSHOWABLE.sub("\ufffd", text)


def isolated(name: str) -> str:
    """A name inside plain text, whose direction cannot disturb the words around it (U+2068 … U+2069)."""
    return f"\u2068{clean(name)}\u2069" if not name.isascii() else clean(name)


def tag(name: str, /, *children: Child, **attributes: str | float | None) -> Html:
    """One element. An attribute's `_` becomes `-`, a last one falls away; None leaves the attribute out.

    >>> tag("td", "a < b", class_="number").text
    '<td class="number">a &lt; b</td>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escaped(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{written}>" if name in _VOID else f"<{name}{written}>{join(children)}</{name}>")


def join(parts: Iterable[Child], between: str = "") -> Html:
    """Parts one after the other, those that are plain text escaped."""
    return Html(_escaped(between).join(p.text if isinstance(p, Html) else _escaped(p) for p in parts))


def name(label: str) -> Html:
    """A name that came from outside (class, file): isolated, whatever direction it is written in."""
    return tag("bdi", label)


def _escaped(text: str) -> str:
    return html.escape(clean(text), quote=True)


def _plain(value: str | float) -> str:
    """Coordinates with at most two decimals: a picture needs no more, and the file stays small."""
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
