from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from finegraft.vision.exif import orientation
from tests.hostile.pieces import exif
from tests.making import encoded, picture


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_pillow_writes_is_read_as_pillow_reads_it(kind: str, tag: int) -> None:
    opened = Image.open(io.BytesIO(encoded(picture(1), kind, orientation=tag)))
    assert orientation(opened.info["exif"]) == opened.getexif()[0x0112] == tag


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "packing"), [(1, "B3x"), (3, "H2x"), (4, "I")])
def test_any_whole_number_in_either_order_of_bytes(order: str, kind: int, packing: str) -> None:
    entry = (0x0112, kind, 1, struct.pack(order + packing, 8))
    assert orientation(exif((0x0100, 3, 1, bytes(4)), entry, order=order)) == 8


def test_of_two_tags_the_first_counts() -> None:
    assert orientation(exif((0x0112, 3, 1, b"\3\0\0\0"), (0x0112, 3, 1, b"\6\0\0\0"))) == 3


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"Exif\0\0",
        b"Exif\0\0II*\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0" + b"\xff" * 40,
        b"junk",
        exif(),
        exif((0x0112, 3, 1, b"\0\0\0\0")),
        exif((0x0112, 3, 1, b"\x09\0\0\0")),
        exif((0x0112, 3, 2, b"\6\0\6\0")),
        exif((0x0112, 5, 1, b"\x08\0\0\0")),
        exif((0x0112, 2, 1, b"6\0\0\0")),
        exif((0x0112, 3, 1, b"\6\0\0\0"))[:-6],
        exif((0x0112, 3, 1, b"\6\0\0\0"))[:22],
    ],
)
def test_what_is_broken_or_means_nothing_is_upright(block: bytes) -> None:
    assert orientation(block) == 1


def test_a_block_of_many_tags_is_looked_through_no_further_than_it_goes() -> None:
    claims = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(60)
    assert orientation(claims) == 1
