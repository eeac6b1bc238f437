from __future__ import annotations

import subprocess
import sys

import pytest

from finegraft.vision import tiff
from tests.hostile.pieces import plain_tiff
from tests.making import encoded, picture


def pages(*kinds: int) -> bytes:
    """A first page, and others of these subfile types."""
    more = []
    for kind in kinds:
        page = picture(2, (20, 20))
        page.encoderinfo = {"tiffinfo": {254: kind}}  # type: ignore[attr-defined]
        more.append(page)
    return encoded(picture(1), "TIFF", save_all=True, append_images=more)


@pytest.mark.parametrize("options", [{}, {"big_tiff": True}, {"compression": "jpeg"}, {"compression": "tiff_lzw"}])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("size", [(96, 72), (1, 1), (300, 400)])
def test_whole_photos_are_modest_and_miss_nothing(mode: str, options: dict[str, object], size: tuple[int, int]) -> None:
    if options.get("compression") == "jpeg" and mode not in ("L", "RGB"):
        options = {}
    content = encoded(picture(1, size).convert("L" if mode == "I;16" else mode).convert(mode), "TIFF", **options)
    tiff.must_be_modest(content)
    assert tiff.missing_strips(content) is None
    assert not tiff.has_more_pages(content)


def test_absurd_counts_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^its tag 273 has 131,073 values$"):
        tiff.must_be_modest(plain_tiff(8, 8, (273, 4, [8] * 131_073)))
    fractions = plain_tiff(8, 8, (50_000, 4, [1] * 5000)).replace(b"\x50\xc3\x04\0", b"\x50\xc3\x05\0")
    with pytest.raises(ValueError, match=r"^its tag 50000 has 5,000 values$"):
        tiff.must_be_modest(fractions)
    with pytest.raises(ValueError, match=r"^it has more than 4,096 tags$"):
        tiff.must_be_modest(plain_tiff(8, 8, *((tag, 4, [1]) for tag in range(1000, 6000))))


def test_a_directory_that_is_cut_is_looked_at_as_far_as_it_goes() -> None:
    whole = plain_tiff(8, 8, (273, 4, [8] * 131_073))
    with pytest.raises(ValueError, match="its tag 273"):
        tiff.must_be_modest(whole[: 8 + 2 + 12 * 9])
    for end in range(0, 120, 7):
        tiff.must_be_modest(plain_tiff(8, 8)[:end])
        tiff.missing_strips(plain_tiff(8, 8)[:end])


@pytest.mark.parametrize(
    "more",
    [
        [(278, 4, [3])],  # three rows in each strip, and one strip
        [(257, 4, [9])],
        [(284, 3, [2])],  # each colour in strips of its own
    ],
)
def test_strips_that_are_not_named(more: list[tuple[int, int, list[int]]]) -> None:
    strip_of_eight = (278, 4, [8])
    content = plain_tiff(8, 8, *[strip_of_eight, *more])
    assert tiff.missing_strips(content) == "some of its strips are missing"


def test_strips_enough() -> None:
    assert tiff.missing_strips(plain_tiff(8, 8, (278, 4, [2**32 - 1]))) is None
    assert tiff.missing_strips(plain_tiff(8, 8, (278, 4, [3]), (273, 4, [8, 8, 8]))) is None
    assert tiff.missing_strips(plain_tiff(8, 8, (278, 4, [0]))) == "some of its strips are missing"


def test_tiles_are_counted_across_and_down() -> None:
    def tiled(count: int) -> bytes:
        tiles = [(322, 4, [16]), (323, 4, [16]), (324, 4, [8] * count)]
        content = plain_tiff(40, 20, *tiles)
        for tag in (273, 278, 279):
            content = content.replace(
                tag.to_bytes(2, "little") + b"\4\0", (60_000 + tag).to_bytes(2, "little") + b"\4\0"
            )
        return content

    assert tiff.missing_strips(tiled(6)) is None
    assert tiff.missing_strips(tiled(5)) == "some of its strips are missing"


def test_pages_are_told_from_copies_and_masks() -> None:
    assert tiff.has_more_pages(pages(0))
    assert tiff.has_more_pages(pages(2))
    assert not tiff.has_more_pages(pages(1))
    assert not tiff.has_more_pages(pages(4))
    assert not tiff.has_more_pages(plain_tiff(8, 8, next_at=4_000_000_000))


def test_libtiff_is_kept_from_the_terminal() -> None:
    """In a process of its own: what libtiff writes goes past Python."""
    content = bytearray(encoded(picture(1), "TIFF", compression="tiff_lzw"))
    content[2000:4000] = bytes(2000)
    code = (
        "from finegraft.errors import UnreadableFile\n"
        "from finegraft.vision.decoding import decode, open_photo\n"
        f"try:\n    decode(open_photo({bytes(content)!r}))\n"
        "except UnreadableFile as error:\n    print(error.code)\n"
    )
    done = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("unreadable\n", "")
