from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from finegraft.vision import jpeg
from tests.hostile.pieces import EOI, exif, first_scan, segment, with_segments
from tests.making import encoded, picture

WHOLE = encoded(picture(1, (112, 84)))
PROGRESSIVE = encoded(picture(1, (112, 84)), progressive=True)
RESTARTS = encoded(picture(1, (112, 84)), restart_marker_blocks=3)


def problem(content: bytes) -> str | None:
    return jpeg.missing_scans(content) or jpeg.missing_data(content)


def seen(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def test_a_plain_photo_is_handed_on_as_it_is() -> None:
    assert jpeg.split(WHOLE) == (WHOLE, b"")
    assert jpeg.split(WHOLE).pixels is WHOLE


def test_what_decides_no_pixel_is_taken_away() -> None:
    tags = exif((0x0112, 3, 1, b"\6\0\0\0"))
    stored = with_segments(
        segment(0xE1, tags),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<xmp/>"),
        segment(0xE1, exif()),
        segment(0xE2, b"MPF\0" + bytes(30)),
        segment(0xED, b"Photoshop 3.0\0"),
        segment(0xFE, b"comment"),
        content=WHOLE,
    )
    assert jpeg.split(stored) == (WHOLE, tags)


def test_what_decides_on_colours_stays() -> None:
    stored = encoded(picture(1).convert("CMYK"), "JPEG", icc_profile=b"p" * 100_000)
    assert jpeg.split(stored).pixels is stored
    assert stored.count(b"ICC_PROFILE") == 2
    assert b"Adobe" in stored


def test_the_thumbnail_in_exif_is_no_scan_of_the_photo() -> None:
    stored = with_segments(segment(0xE1, exif() + encoded(picture(2, (16, 16)))), content=WHOLE)
    assert jpeg.split(stored).pixels == WHOLE


def test_junk_between_the_segments_goes_and_the_pixels_stay() -> None:
    at = WHOLE.index(b"\xff\xdb")
    stored = WHOLE[:at] + b"junk\xff\x00\xff\xff" + WHOLE[at:]
    assert (seen(jpeg.split(stored).pixels) == seen(WHOLE)).all()


@pytest.mark.parametrize("end", [1, 2, 3, 4, 11, 40, 200])
def test_what_cannot_be_understood_is_handed_on(end: int) -> None:
    assert jpeg.split(WHOLE[:end]).pixels == WHOLE[:end]
    assert jpeg.split(b"\xff\xd8\xff\xf0" + WHOLE[2:]).pixels == b"\xff\xd8\xff\xf0" + WHOLE[2:]


def test_a_header_of_endless_parts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^its header has more than 4,096 parts$"):
        jpeg.split(b"\xff\xd8" + segment(0xFE, b"") * 4097)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"progressive": True},
        {"optimize": True},
        {"quality": 100, "subsampling": 0},
        {"restart_marker_blocks": 1},
        {"keep_rgb": True},
        {"progressive": True, "restart_marker_rows": 1},
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("size", [(112, 84), (1, 1), (3, 500)])
def test_nothing_is_missing_from_a_whole_photo(mode: str, options: dict[str, int], size: tuple[int, int]) -> None:
    assert problem(encoded(picture(3, size).convert(mode), "JPEG", **options)) is None


@pytest.mark.parametrize("whole", [WHOLE, PROGRESSIVE, RESTARTS], ids=["plain", "progressive", "restarts"])
def test_a_photo_cut_anywhere_and_closed_lacks_something_or_nothing_that_shows(whole: bytes) -> None:
    first, missed = first_scan(whole), 0
    for end in range(first, len(whole) - 2, 37):
        cut = whole[:end].rstrip(b"\xff") + EOI
        if problem(cut) is None:
            missed += 1
            assert (seen(cut) == seen(whole)).all()
    assert missed <= 1


def test_every_scan_of_a_progressive_photo_is_missed() -> None:
    starts = [at for at in range(len(PROGRESSIVE)) if PROGRESSIVE.startswith(b"\xff\xda", at)]
    assert len(starts) == 10
    for start in starts:
        assert jpeg.missing_scans(PROGRESSIVE[:start] + EOI) == "some of its scans are missing"


def test_a_colour_in_a_scan_of_its_own_is_missed() -> None:
    """A photo of three scans, put together from three grey ones: its last is left out."""
    grey = encoded(Image.new("L", (8, 8), 90), "JPEG")
    frame, scan = grey.index(b"\xff\xc0"), grey.index(b"\xff\xda")
    tables = grey[2:frame] + grey[grey.index(b"\xff\xc4") : scan]
    head = b"\xff\xd8" + tables + segment(0xC0, b"\x08\0\x08\0\x08\x03" + b"\1\x11\0\2\x11\0\3\x11\0")
    scans = [segment(0xDA, bytes([1, number, 0, 0, 63, 0])) + grey[first_scan(grey) : -2] for number in (1, 2, 3)]
    assert problem(head + b"".join(scans) + EOI) is None
    assert jpeg.missing_scans(head + b"".join(scans[:2]) + EOI) == "some of its scans are missing"


def test_a_list_of_scans_that_costs_too_much() -> None:
    last = PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2]
    assert jpeg.missing_scans(PROGRESSIVE[:-2] + last * 90 + EOI) is None
    assert jpeg.missing_scans(PROGRESSIVE[:-2] + last * 91 + EOI) == "it has more than 100 scans"


@pytest.mark.parametrize("content", [b"\xff\xd8", b"\xff\xd8" + EOI, WHOLE[:50], WHOLE[: first_scan(WHOLE) - 3]])
def test_where_there_is_no_scan_the_decoder_speaks(content: bytes) -> None:
    assert jpeg.missing_scans(content) in (None, "some of its scans are missing")


def test_what_the_second_decoder_says_is_handed_on() -> None:
    middle = len(WHOLE) // 2
    assert jpeg.missing_data(WHOLE[:middle] + EOI) == "premature end of data segment"
    assert jpeg.missing_data(WHOLE[:middle] + b"\xff\x4a" + WHOLE[middle:]) == "Unsupported marker type 0x4a"
    hole = PROGRESSIVE[: first_scan(PROGRESSIVE)] + bytes(3000) + PROGRESSIVE[first_scan(PROGRESSIVE) :]
    assert "extraneous bytes before marker" in str(jpeg.missing_data(hole))


def test_harmless_remarks_are_let_pass() -> None:
    assert jpeg.missing_data(WHOLE[:-2] + bytes(60) + EOI) is None
    assert jpeg.missing_data(RESTARTS.replace(b"\xff\xd2", b"\0\0\0\xff\xd2", 1)) is None
    assert jpeg.missing_data(WHOLE.replace(b"JFIF\0\1", b"JFIF\0\x09")) is None
    assert jpeg.missing_data(WHOLE + b"\xff\xd8" + bytes(500)) is None
