"""The photos of a page: each is made small once, held once in the file, and shown wherever it is asked for."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from finegraft.reporting.markup import Html, tag
from finegraft.reporting.page import kind_of

SIDE = 192  # pixels: sharp enough at the 176 CSS pixels it is shown at, 3 to 4 kB as WebP
# Characters of base64 in one page. The rest of a report with 37 classes takes less than 1 MB, and 5 MB is the limit.
BUDGET = 3_600_000
_WORKERS, _BATCH = 2, 16  # photos are decoded and encoded outside Python's lock

# The bytes of a small picture of the record with this key, None where there is none.
Thumbnail = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class _Picture:
    """A small picture as a data URL, `width` × `height` pixels."""

    source: str
    width: int
    height: int


class Album:
    """Small pictures by key, at most `budget` characters of them, each held once however often it is shown."""

    def __init__(self, thumbnail: Thumbnail, budget: int = BUDGET) -> None:
        self._thumbnail = thumbnail
        self._left = budget
        self._pictures: dict[str, _Picture | None] = {}
        self._shown: dict[str, str] = {}

    def prepare(self, keys: Iterable[str]) -> None:
        """Make the pictures of `keys`, the most wanted first, several at once, until the budget is spent."""
        todo = iter([key for key in dict.fromkeys(keys) if key not in self._pictures])
        with ThreadPoolExecutor(_WORKERS) as pool:
            while self._left > 0 and (batch := list(islice(todo, _BATCH))):
                for key, content in zip(batch, pool.map(self._thumbnail, batch), strict=True):
                    self._keep(key, content)

    def holds(self, key: str) -> bool:
        """Whether there is a picture of this record to show."""
        return self._pictures.get(key) is not None

    def photo(self, key: str, described: str, square: bool = False) -> Html:
        """The picture of a record that was prepared, in a square of its own; words where there is none.

        With `square` only its middle, which fills the square.
        """
        found = self._pictures.get(key)
        if found is None:
            return tag("span", "no picture", class_="missing")
        name = self._shown.setdefault(key, f"photo-{len(self._shown)}")
        side = min(found.width, found.height)
        left, top = ((found.width - side) / 2, (found.height - side) / 2) if square else (0, 0)
        box = f"{left:g} {top:g} {side} {side}" if square else f"0 0 {found.width} {found.height}"
        return tag(
            "svg",
            tag("use", href=f"#{name}"),
            class_="photo",
            viewBox=box,
            preserveAspectRatio="xMinYMax",
            role="img",
            aria_label=described,
        )

    def held(self) -> Html:
        """The pictures that are shown somewhere, for the end of the page. They take no place there."""
        found = ((name, self._pictures[key]) for key, name in self._shown.items())
        images = [tag("image", id=i, width=p.width, height=p.height, href=p.source) for i, p in found if p]
        drawn = tag("svg", tag("defs", *images), width=0, height=0, aria_hidden="true", focusable="false")
        return tag("div", drawn, class_="held") if self._shown else Html("")

    def _keep(self, key: str, content: bytes | None) -> None:
        found = _picture(content) if content else None
        self._left -= len(found.source) if found else 0
        if self._left >= 0:
            self._pictures[key] = found


def _picture(content: bytes) -> _Picture | None:
    """None where `content` is no picture that a browser shows."""
    kind = kind_of(content)
    if kind is None:
        return None
    from PIL import Image

    width, height = Image.open(io.BytesIO(content)).size  # reads the head only; we have just written these bytes
    return _Picture(f"data:image/{kind};base64,{base64.b64encode(content).decode()}", width, height)
