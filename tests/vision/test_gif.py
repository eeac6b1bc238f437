from __future__ import annotations

import pytest

from finegraft.vision import gif
from tests.hostile.pieces import gif as gif_of
from tests.making import encoded, photo, picture

WHOLE = gif_of((4, 4), (0, 0, 4, 4), b"\0\1")
START = 13 + 768


def with_blocks(count: int, label: bytes = b"\xfe") -> bytes:
    return WHOLE[:START] + b"!" + label + b"\1x" * count + b"\0" + WHOLE[START:]


@pytest.mark.parametrize(
    "content",
    [
        photo(1, kind="GIF"),
        encoded(picture(1), "GIF", save_all=True, append_images=[picture(2)], loop=0, comment=b"c" * 5000),
        WHOLE,
        with_blocks(60_000),
        with_blocks(60_000, b"\xff"),
        b"GIF89a",
        WHOLE[:START],
        with_blocks(10)[: START + 7],
        WHOLE[:START] + b"?" * 1000,
    ],
)
def test_photos_are_modest(content: bytes) -> None:
    gif.must_be_modest(content)


@pytest.mark.parametrize(
    "content",
    [
        with_blocks(70_000),
        with_blocks(70_000, b"\xff"),
        WHOLE[:START] + b"!\xf9\x04\0\0\0\0\0" * 40_000 + WHOLE[START:],
        WHOLE[:START] + b"\0" * 70_000 + WHOLE[START:],
    ],
)
def test_endless_blocks_before_the_picture_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"^more than 65,536 blocks come before its first picture$"):
        gif.must_be_modest(content)


def test_what_comes_after_the_picture_is_not_looked_at() -> None:
    gif.must_be_modest(WHOLE[:-1] + with_blocks(70_000)[START:])
