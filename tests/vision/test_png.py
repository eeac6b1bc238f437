from __future__ import annotations

import io
import zlib

import pytest
from PIL import Image

from finegraft.vision import png
from tests.hostile.pieces import PNG, chunk, png_of, rows
from tests.making import encoded, picture

PACKED = zlib.compress(rows(16, 16))
PLAIN = png_of((16, 16, 8, 2), PACKED)


def test_a_plain_photo_is_handed_on_as_it_is() -> None:
    assert png.without_metadata(PLAIN) is PLAIN


def test_texts_are_taken_away_wherever_they_stand() -> None:
    texts = [chunk(kind, b"Title\0" + b"x" * 40) for kind in (b"tEXt", b"zTXt", b"iTXt")]
    stored = png_of((16, 16, 8, 2), PACKED, texts[0], texts[1])[:-12] + texts[2] + PLAIN[-12:]
    assert png.without_metadata(stored) == PLAIN


def test_a_profile_stays_unless_it_is_a_bomb() -> None:
    small = encoded(picture(1), "PNG", icc_profile=bytes(3000))
    assert png.without_metadata(small) is small
    bomb = chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(2**21)))
    assert png.without_metadata(png_of((16, 16, 8, 2), PACKED, bomb)) == PLAIN
    broken = png_of((16, 16, 8, 2), PACKED, chunk(b"iCCP", b"no zero and nothing packed"))
    assert png.without_metadata(broken) is broken


@pytest.mark.parametrize("end", range(0, len(PLAIN), 5))
def test_what_is_cut_is_handed_on(end: int) -> None:
    assert png.without_metadata(PLAIN[:end]) is not None
    assert PLAIN[:end].startswith(png.without_metadata(PLAIN[:end]))


def test_a_file_of_endless_chunks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^it has more than 131,072 parts$"):
        png.without_metadata(PNG + chunk(b"abCd", b"") * 131_073)


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (64, 64), (3, 500), (17, 9)])
@pytest.mark.parametrize(
    ("mode", "bits"), [("1", 0), ("P", 2), ("P", 4), ("L", 0), ("LA", 0), ("RGB", 0), ("RGBA", 0), ("I;16", 0)]
)
def test_a_whole_photo_has_all_its_rows(mode: str, bits: int, size: tuple[int, int]) -> None:
    image = picture(2, size).convert("L" if mode == "I;16" else mode).convert(mode)
    assert png.missing_rows(encoded(image, "PNG", **({"bits": bits} if bits else {}))) is None


def test_a_stream_that_ends_too_soon() -> None:
    unpacked = rows(16, 16)
    for short in (0, 1, len(unpacked) // 2, len(unpacked) - 1):
        content = png_of((16, 16, 8, 2), zlib.compress(unpacked[:short]))
        assert png.missing_rows(content) == "some of its rows are missing"
    assert png.missing_rows(PLAIN) is None
    assert png.missing_rows(png_of((16, 16, 8, 2), zlib.compress(unpacked + b"more"))) is None


def test_pixels_spread_over_many_chunks_are_counted_together() -> None:
    spread = b"".join(chunk(b"IDAT", PACKED[i : i + 1]) for i in range(len(PACKED)))
    assert png.missing_rows(PLAIN.replace(chunk(b"IDAT", PACKED), spread)) is None


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (5, 3), (8, 8), (33, 17)])
def test_the_passes_of_an_interlaced_photo_are_counted(size: tuple[int, int]) -> None:
    """The oracle is the decoder: of too few bytes for the seven passes it complains or leaves black."""
    width, height = size
    whole = next(
        count
        for count in range(width * height, 3 * width * height + 40)
        if png.missing_rows(png_of((width, height, 8, 0), zlib.compress(bytes(count)), interlaced=True)) is None
    )
    starts = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    passes = [(len(range(x, width, dx)), len(range(y, height, dy))) for x, y, dx, dy in starts]
    assert whole == sum((1 + columns) * lines for columns, lines in passes if columns)
    white = b"".join((b"\0" + b"\xff" * columns) * lines for columns, lines in passes if columns)
    content = png_of((width, height, 8, 0), zlib.compress(white), interlaced=True)
    assert png.is_interlaced(content)
    assert Image.open(io.BytesIO(content)).getextrema() == (255, 255)


def test_a_bomb_is_counted_no_further_than_the_photo_goes() -> None:
    packed = zlib.compress(bytes(50 * 2**20))
    assert png.missing_rows(png_of((16, 16, 8, 2), packed)) is None
