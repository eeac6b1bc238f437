from __future__ import annotations

import contextlib
import io
import random
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageOps, JpegImagePlugin, features

from finegraft.errors import UnreadableFile
from finegraft.vision.decoding import Limits, decode, describe, frames, open_photo, turned
from tests.hostile.pieces import EOI, first_scan, gif, plain_tiff, png_of, rows
from tests.making import SUFFIXES, encoded, photo, picture


def pixels(content: bytes, shrink: int = 1) -> np.ndarray:
    decoded = decode(open_photo(content), shrink)
    assert decoded.picture.mode == "RGB"
    return np.asarray(turned(decoded.picture, decoded.orientation)).astype(int)


def refused(content: bytes, limits: Limits | None = None) -> tuple[str, str]:
    with pytest.raises(UnreadableFile) as caught:
        decode(open_photo(content, limits) if limits else open_photo(content))
    return caught.value.code, caught.value.reason


def png_header(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    check = zlib.crc32(b"IHDR" + header)
    pixels_to_come = struct.pack(">I", 10**6) + b"IDAT"
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", check) + pixels_to_come


@pytest.mark.parametrize("kind", sorted(SUFFIXES))
def test_every_format_is_read_as_pillow_reads_it(kind: str) -> None:
    content = photo(1, kind=kind)
    wanted = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
    assert (pixels(content) == wanted).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_orientation_tag_is_obeyed(kind: str, orientation: int) -> None:
    content = encoded(picture(2, (40, 24)), kind, orientation=orientation)
    wanted = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    assert wanted.size == ((24, 40) if orientation >= 5 else (40, 24))
    assert (pixels(content) == np.asarray(wanted.convert("RGB"))).all()


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_an_orientation_that_means_nothing_is_upright(orientation: int) -> None:
    image = picture(2)
    assert (pixels(encoded(image, "JPEG", orientation=orientation)) == pixels(encoded(image, "JPEG"))).all()


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + b"\xff" * 40, b"junk"])
def test_broken_metadata_is_upright(exif: bytes) -> None:
    image = picture(3)
    assert (pixels(encoded(image, "JPEG", exif=exif)) == pixels(encoded(image, "JPEG"))).all()


def test_transparent_pixels_lie_on_white() -> None:
    image = picture(4).convert("RGBA")
    image.paste((255, 0, 0, 0), (0, 0, 30, 30))
    image.paste((0, 0, 0, 128), (40, 0, 60, 30))
    seen = pixels(encoded(image, "PNG"))
    assert (seen[:30, :30] == 255).all()
    assert (abs(seen[:30, 40:60] - 127) <= 1).all()


@pytest.mark.parametrize(
    ("mode", "transparency"), [("L", 0), ("P", 0), ("RGB", (255, 0, 0)), ("1", None), ("LA", None), ("P", None)]
)
def test_the_odd_modes_of_png(mode: str, transparency: object) -> None:
    image = Image.new("RGB", (20, 10), "white")
    image.paste((255, 0, 0), (0, 0, 10, 10))
    image = image.quantize(2) if mode == "P" else image.convert(mode)
    options = {} if transparency is None else {"transparency": image.getpixel((0, 0))}
    wanted = np.full((10, 20, 3), 255) if options else np.asarray(image.convert("RGB"))
    assert (pixels(encoded(image, "PNG", **options)) == wanted).all()


def test_cmyk_of_jpeg_keeps_its_colours() -> None:
    image = Image.new("RGB", (32, 32), (200, 40, 40))
    seen = pixels(encoded(image.convert("CMYK"), "JPEG", quality=95))
    assert (abs(seen - (200, 40, 40)) <= 4).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(kind: str) -> None:
    values = np.linspace(0, 65535, 256 * 4).astype(np.uint16).reshape(4, 256)
    seen = pixels(encoded(Image.fromarray(values), kind))
    assert (seen[..., 0] == np.rint(values / 257)).all()
    assert (seen[..., 0] == seen[..., 2]).all()


def test_pixels_without_a_fixed_white_are_refused() -> None:
    assert "have no fixed black and white" in refused(encoded(Image.new("F", (4, 4)), "TIFF"))[1]
    wide = Image.fromarray(np.array([[0, 70000]], dtype=np.int32))
    assert refused(encoded(wide, "TIFF")) == (
        "unreadable",
        "Its grey values (0..70000) do not fit 16 bits. Save the photo as 8-bit grey.",
    )


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_it_is_the_first_frame(kind: str) -> None:
    first, second = picture(5).quantize(64).convert("RGB"), Image.new("RGB", (96, 72), "blue")
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encoded(first, kind, save_all=True, append_images=[second], **options)
    assert (pixels(content) == np.asarray(first)).all()


def test_a_camera_s_double_photo_is_a_jpeg() -> None:
    content = encoded(picture(5), "MPO", save_all=True, append_images=[picture(6)])
    assert (pixels(content) == pixels(photo(5))).all()


@pytest.mark.parametrize("kind", sorted(SUFFIXES))
def test_a_photo_is_one_frame(kind: str) -> None:
    opened = open_photo(photo(5, kind=kind))
    assert frames(opened) == 1
    assert (np.asarray(decode(opened).picture) == pixels(photo(5, kind=kind))).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_more_frames_than_one_are_two(kind: str) -> None:
    """Asked or not, it is the first that is decoded."""
    content = encoded(picture(5), kind, save_all=True, append_images=[picture(6), picture(7)])
    opened = open_photo(content)
    assert frames(opened) == 2
    assert (np.asarray(decode(opened).picture) == pixels(content)).all()


def test_a_second_picture_that_no_one_is_shown_is_no_frame() -> None:
    assert frames(open_photo(encoded(picture(5), "MPO", save_all=True, append_images=[picture(6)]))) == 1
    assert frames(open_photo(plain_tiff(8, 8, next_at=None))) == 2  # a circle of pages
    assert frames(open_photo(plain_tiff(8, 8, next_at=4_000_000_000))) == 1
    broken = encoded(picture(5).quantize(16), "GIF")[:-1] + b",\0\0"
    assert frames(open_photo(broken)) == 1


@pytest.mark.parametrize("shrink", [2, 4, 8])
@pytest.mark.parametrize("size", [(401, 533), (17, 9), (1, 1), (1000, 3)])
def test_a_shrunk_jpeg_says_where_the_photo_lies(shrink: int, size: tuple[int, int]) -> None:
    decoded = decode(open_photo(photo(7, size)), shrink)
    scale = size[0] / decoded.extent[0]
    assert scale in (1, 2, 4, 8)
    assert scale <= max(shrink, 1)
    assert decoded.extent == (size[0] / scale, size[1] / scale)
    assert decoded.picture.size == tuple(-(-side // int(scale)) for side in size)


def test_only_jpeg_is_shrunk() -> None:
    assert decode(open_photo(photo(7, kind="PNG")), 8).extent == (96, 72)


def test_an_empty_file_and_a_text() -> None:
    assert refused(b"") == ("empty", "The file is empty: it holds no bytes.")
    assert refused(b"Hello") == ("not-a-photo", "The content is not a photo: it looks like a text.")


@pytest.mark.parametrize("size", [(9000, 9000), (60000, 60000)])
def test_a_bomb_is_refused_by_its_header_alone(size: tuple[int, int]) -> None:
    code, reason = refused(png_header(*size))
    assert code == "too-large"
    assert reason.endswith("million pixels; at most 64 million are read. Save a smaller copy.")


def test_pillow_s_warnings_are_kept_from_the_user() -> None:
    """In a process of its own: pytest brings its own filters."""
    broken = encoded(picture(3), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    code = (
        "from finegraft.errors import UnreadableFile\n"
        "from finegraft.vision.decoding import decode, open_photo\n"
        f"decode(open_photo({broken!r}))\n"
        f"try:\n    open_photo({png_header(10_000, 10_000)!r})\n"
        "except UnreadableFile as error:\n    print(error.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("too-large\n", "")


def test_limits_can_be_tighter() -> None:
    content = photo(0, (100, 50))
    assert refused(content, Limits(pixels=4999)) == (
        "too-large",
        "The photo has 100 × 50 = 0.005 million pixels; at most 0.005 million are read. Save a smaller copy.",
    )
    assert refused(content, Limits(bytes=10))[0] == "too-large"
    assert open_photo(content, Limits(bytes=len(content), pixels=5000)).size == (100, 50)


@pytest.mark.parametrize("shrink", [1, 8])
@pytest.mark.parametrize("kind", [*sorted(SUFFIXES), "progressive"])
def test_a_photo_cut_anywhere_is_refused_or_lacks_nothing(kind: str, shrink: int) -> None:
    """What is missing is never filled in: grey halves would be learned as if they were there."""
    image = picture(8, (120, 90))
    content = encoded(image, "JPEG", progressive=True) if kind == "progressive" else encoded(image, kind)
    whole = pixels(content, shrink)
    cuts = {*range(1, len(content), max(len(content) // 60, 1)), *range(len(content) - 12, len(content))}
    refusals = 0
    for cut in sorted(cuts):
        try:
            seen = pixels(content[:cut], shrink)
        except UnreadableFile:
            refusals += 1
        else:
            assert seen.shape == whole.shape
            assert (seen == whole).all(), f"{cut} of {len(content)} bytes"
    assert refusals >= len(cuts) - 13


@pytest.mark.parametrize("shrink", [1, 8])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 4}])
def test_a_jpeg_cut_and_closed_again_is_refused(options: dict[str, int], mode: str, shrink: int) -> None:
    """Its decoder takes it, and paints what is missing grey."""
    content = encoded(picture(8, (120, 90)).convert(mode), "JPEG", **options)
    start = first_scan(content)
    for part in (0.1, 0.5, 0.9, 0.98):
        cut = content[: start + int((len(content) - start) * part)].rstrip(b"\xff") + EOI
        with pytest.raises(UnreadableFile, match=r"^The JPEG is cut off or damaged \((premature|some of its scans)"):
            decode(open_photo(cut), shrink)


def test_rows_and_strips_that_never_come_are_refused() -> None:
    assert refused(png_of((64, 64, 8, 2), zlib.compress(rows(64, 20)))) == (
        "unreadable",
        "The PNG is cut off or damaged (some of its rows are missing). Fetch or export it again.",
    )
    assert refused(plain_tiff(20, 20, (278, 4, [10]))) == (
        "unreadable",
        "The TIFF is cut off or damaged (some of its strips are missing). Fetch or export it again.",
    )


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "I;16"])
def test_a_black_photo_is_whole(mode: str) -> None:
    """Where the last row is black, the rows are counted."""
    assert not pixels(encoded(Image.new(mode, (40, 30)), "PNG")).any()


def test_a_frame_that_fills_a_part_of_the_screen() -> None:
    clear_black_end = b"\x00\x01\x04\x0c\x08"  # codes of nine bits: 256, 0, 257
    assert (pixels(gif((3, 2), (1, 1, 1, 1), clear_black_end)) == 0).all()


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("kind", sorted(SUFFIXES))
def test_any_damage_is_an_unreadable_file_and_nothing_else(kind: str) -> None:
    content = photo(9, (48, 36), kind=kind)
    dice = random.Random(kind)
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(dice.randint(1, 8)):
            damaged[dice.randrange(min(len(damaged), 400))] = dice.randrange(256)
        with contextlib.suppress(UnreadableFile):
            decode(open_photo(bytes(damaged)), dice.choice([1, 8]))


def test_a_cut_photo_says_so() -> None:
    content = photo(10)
    code, reason = refused(content[: len(content) // 2])
    assert code == "unreadable"
    assert reason.startswith("The JPEG is cut off or damaged (image file is truncated (")
    assert reason.endswith("Fetch or export it again.")
    assert refused(b"GIF89a, says the text") == (
        "unreadable",
        "The GIF is cut off or damaged (its header makes no sense). Fetch or export it again.",
    )


def test_want_of_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(self: Image.Image) -> None:
        raise MemoryError

    content = photo(10)
    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", none_left)
    assert refused(content) == (
        "unreadable",
        "Decoding this JPEG needs too much memory. Save a smaller copy.",
    )


def test_many_threads_see_the_same_pixels() -> None:
    contents = [photo(i, kind=kind) for i, kind in enumerate(sorted(SUFFIXES) * 6)]
    alone = [pixels(content) for content in contents]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(pixels, contents))
    assert all((a == b).all() for a, b in zip(alone, together, strict=True))


def test_the_decoder_describes_itself() -> None:
    described = describe()
    assert described["decoder"] == "Pillow"
    assert described["rules"] == "2"
    assert described["Pillow"] == Image.__version__
    assert described["simplejpeg"]
    assert described["littlecms2"] == features.version("littlecms2")
    assert features.version("jpg") in described["jpg"] or "turbo" in described["jpg"]
