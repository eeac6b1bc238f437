"""Photos of a page: held once, within a budget, in the order in which they are wanted."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from finegraft.reporting.album import Album
from tests.making import encoded, picture
from tests.reporting.reading import Outline


def small(size: tuple[int, int] = (40, 30)) -> bytes:
    return encoded(picture(1, size), "WEBP", quality=70)


def of(contents: dict[str, bytes]) -> Callable[[str], bytes | None]:
    return contents.get


def test_a_photo_shown_twice_is_held_once() -> None:
    album = Album(of({"a.jpg": small(), "b.jpg": small()}))
    album.prepare(["a.jpg", "b.jpg", "a.jpg"])
    shown = [album.photo("a.jpg", "a") for _ in range(2)]
    assert shown[0] == shown[1]
    assert len(Outline(album.held().text).all("image")) == 1  # b.jpg was made, and is shown nowhere


def test_a_square_is_the_middle_of_the_photo() -> None:
    album = Album(of({"wide.jpg": small((40, 30)), "high.jpg": small((30, 41))}))
    album.prepare(["wide.jpg", "high.jpg"])
    boxes = [
        Outline(album.photo(key, key, square=True).text).all("svg")[0]["viewbox"] for key in ("wide.jpg", "high.jpg")
    ]
    assert boxes == ["5 0 30 30", "0 5.5 30 30"]
    assert Outline(album.photo("wide.jpg", "").text).all("svg")[0]["viewbox"] == "0 0 40 30"


@pytest.mark.parametrize("content", [None, b"", b"GIF89a"])
def test_words_stand_where_there_is_no_picture(content: bytes | None) -> None:
    album = Album(lambda _: content)
    album.prepare(["gone.jpg"])
    assert not album.holds("gone.jpg")
    assert "no picture" in album.photo("gone.jpg", "gone").text
    assert album.held().text == ""


def test_the_budget_is_spent_on_what_is_wanted_first() -> None:
    each = len(small()) * 4 // 3 + 30
    asked: list[str] = []

    def thumbnail(key: str) -> bytes:
        asked.append(key)
        return small()

    album = Album(thumbnail, budget=5 * each)
    album.prepare(f"{i}.jpg" for i in range(1000))
    assert [album.holds(f"{i}.jpg") for i in range(6)] == [True] * 5 + [False]
    assert len(asked) < 40  # and no work is done for the others


def test_what_is_made_does_not_depend_on_which_thread_was_quicker() -> None:
    rng = np.random.default_rng(0)
    contents = {}
    for i in range(40):
        buffer = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (8 + i % 5, 9, 3), dtype=np.uint8)).save(buffer, "PNG")
        contents[f"{i}.jpg"] = buffer.getvalue()
    pages = []
    for _ in range(3):
        album = Album(of(contents), budget=9000)
        album.prepare(contents)
        pages.append([album.photo(key, key).text for key in contents] + [album.held().text])
    assert pages[0] == pages[1] == pages[2]
    assert "no picture" in "".join(pages[0])
