"""Reads a page or an SVG as a parser sees it, so that a test need not trust its own regular expressions."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser

VOID = {"meta", "img", "br"}


class Outline(HTMLParser):
    """Elements, attributes and text of a document; notes every tag that is closed wrongly."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.errors: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(markup)
        self.close()
        self.errors += [f"<{name}> never closed" for name in self._open]

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.errors.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        """All that can be read, with single spaces."""
        return " ".join(" ".join(self.words).replace("\u00a0", " ").split())

    def all(self, name: str) -> list[dict[str, str | None]]:
        """The attributes of every element called `name`."""
        return [attributes for found, attributes in self.elements if found == name]
