"""The one decoder: file bytes to an RGB picture, the same in checking, training, predicting and serving.

Another decoder gives other pixels (MLPerf saw 0.3 points of ResNet-50's accuracy between Pillow, OpenCV and
TensorFlow), so nothing else in finegraft opens a photo. Every function here is safe to call from many threads.
"""

from __future__ import annotations

import functools
import io
import logging
import warnings
from dataclasses import dataclass
from typing import NamedTuple, cast

import PIL
import simplejpeg
from PIL import Image, features
from PIL.ImageFile import ImageFile

from finegraft.data.contents import MAX_BYTES, too_many_bytes
from finegraft.errors import UnreadableFile
from finegraft.vision import bmp, exif, gif, jpeg, png, tiff
from finegraft.vision.colour import in_srgb
from finegraft.vision.modes import plain
from finegraft.vision.signatures import photo_format, what_it_is


@dataclass(frozen=True, slots=True)
class Limits:
    """What a photo may cost before it is refused: bytes of the file, pixels once decoded.

    64 million pixels are 192 MB as RGB, and above what phones and most cameras take.
    """

    bytes: int = MAX_BYTES
    pixels: int = 64_000_000


LIMITS = Limits()

# What an orientation tag asks for (Exif 2.3, tag 0x0112).
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = {5, 6, 7, 8}
# To be raised whenever the code of this package makes other pixels of some photo, or takes another one: stored
# features and remembered checks are then made anew.
_RULES = 2

# What a format's decoder would spend much time or memory on, besides pixels, is refused before it begins.
_MODEST = {"BMP": bmp.must_be_modest, "GIF": gif.must_be_modest, "TIFF": tiff.must_be_modest}

# Pillow warns of what we answer for ourselves: a size (ours is the lower limit), broken metadata (ignored).
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
# What it logs goes to those who listen; without this, to the terminal where nobody does.
logging.getLogger("PIL").addHandler(logging.NullHandler())


def open_photo(content: bytes, limits: Limits = LIMITS) -> Image.Image:
    """The photo in `content`, its header read and its limits checked, no pixel decoded yet.

    Raises `UnreadableFile` with the code "empty", "not-a-photo", "too-large" or "unreadable".
    """
    if not content:
        raise UnreadableFile("empty", "The file is empty: it holds no bytes.")
    if len(content) > limits.bytes:
        raise too_many_bytes(len(content), limits.bytes)
    kind = photo_format(content)
    if kind is None:
        raise UnreadableFile("not-a-photo", f"The content is not a photo: it looks like {what_it_is(content)}.")
    try:
        pixels, exif_block = _without_metadata(kind, content)
        photo = Image.open(io.BytesIO(pixels), formats=(kind,))
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(f"more than {limits.pixels / 1e6:.3g}", limits) from error
    except Exception as error:
        raise _damaged(kind, error) from error
    if photo.width * photo.height > limits.pixels:
        raise _too_many_pixels(f"{photo.width} × {photo.height} =", limits, photo.width * photo.height)
    if exif_block:
        photo.info["exif"] = exif_block
    return photo


def frames(photo: Image.Image) -> int:
    """How many pictures a photo from `open_photo` holds, of which only the first is ever decoded: 1, or 2 for more.

    To be asked before `decode`. Nothing is decoded for it, and no more frames are looked for than two. The second
    picture that phones hide in a JPEG is none, nor are the smaller copies in a TIFF.
    """
    if photo.format == "TIFF":
        return 2 if tiff.has_more_pages(_content(photo)) else 1
    try:
        # A GIF goes to its second frame to know, and would not come back the same.
        opened = Image.open(io.BytesIO(_content(photo)), formats=("GIF",)) if photo.format == "GIF" else photo
        return 2 if getattr(opened, "is_animated", False) else 1
    except Exception:  # noqa: BLE001 - whatever is wrong behind the first frame, it is the only one then
        return 1


class Decoded(NamedTuple):
    """A decoded photo: sRGB, not yet turned.

    `extent` is the width and height that the photo takes in `picture`: a JPEG of 401 columns decoded at a
    half has 201, of which the photo fills 200.5. `orientation` is the tag for `turned`, 1..8.
    """

    picture: Image.Image
    extent: tuple[float, float]
    orientation: int


def decode(photo: Image.Image, shrink: int = 1) -> Decoded:
    """Decode a photo from `open_photo` to its end.

    `shrink` (1, 2, 4 or 8) lets a JPEG be decoded at that part of its size, which costs less; other formats come
    in full size. An embedded colour profile is turned into sRGB; transparent pixels lie on white; 16-bit grey
    becomes 8-bit; of an animation it is the first frame.
    Raises `UnreadableFile("unreadable", …)` where the content is cut off or damaged: nothing is filled in.
    """
    kind = photo.format or "photo"
    try:
        # Whole numbers of pixels are asked for; Pillow divides back and takes the coarsest scale that fits.
        small = (max(photo.width // shrink, 1), max(photo.height // shrink, 1))
        drafted = photo.draft(None, small) if shrink > 1 else None
        _load(photo, kind)
        picture = _in_srgb(photo)
    except UnreadableFile:
        raise
    except Exception as error:
        raise _damaged(kind, error) from error
    extent = (float(picture.width), float(picture.height)) if drafted is None else drafted[1][2:]
    # Pillow turns a TIFF by itself while loading it.
    tag = exif.UPRIGHT if kind == "TIFF" else exif.orientation(photo.info.get("exif", b""))
    return Decoded(picture, extent, tag)


def upright_size(photo: Image.Image) -> tuple[int, int]:
    """Width and height of a photo from `open_photo`, not yet decoded, the way the camera was held."""
    if photo.format == "TIFF":  # its size is told as it will be turned
        return photo.size
    lies = exif.orientation(photo.info.get("exif", b"")) in _ON_ITS_SIDE
    return (photo.height, photo.width) if lies else photo.size


def turned(picture: Image.Image, orientation: int) -> Image.Image:
    """`picture` the way the camera was held, by its orientation tag (1..8)."""
    turn = _TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


@functools.cache
def describe() -> dict[str, str]:
    """The decoder, the version of our own rules, and those of the libraries that decide on its pixels."""
    found = {"decoder": "Pillow", "rules": str(_RULES), "Pillow": PIL.__version__, "simplejpeg": simplejpeg.__version__}
    for feature in ("jpg", "zlib", "webp", "libtiff", "avif", "littlecms2"):
        if version := features.version(feature):
            found[feature] = version
    if turbo := features.version("libjpeg_turbo"):
        found["jpg"] = f"libjpeg-turbo {turbo}"
    return found


def _too_many_pixels(size: str, limits: Limits, pixels: int | None = None) -> UnreadableFile:
    count = "" if pixels is None else f" {pixels / 1e6:.3g}"
    return UnreadableFile(
        "too-large",
        f"The photo has {size}{count} million pixels; at most {limits.pixels / 1e6:.3g} million are read. "
        "Save a smaller copy.",
    )


def _damaged(kind: str, error: Exception) -> UnreadableFile:
    if isinstance(error, MemoryError):
        return UnreadableFile("unreadable", f"Decoding this {kind} needs too much memory. Save a smaller copy.")
    # Pillow names the buffer by its address; two reads of one file must give one reason.
    known = "".join(c if c.isprintable() else " " for c in str(error))
    known = "its header makes no sense" if "object at 0x" in known else known
    return UnreadableFile(
        "unreadable", f"The {kind} is cut off or damaged ({known or type(error).__name__}). Fetch or export it again."
    )


def _without_metadata(kind: str, content: bytes) -> tuple[bytes, bytes]:
    """What Pillow gets to see of a file, and its block of EXIF where that is not part of it.

    Raises `ValueError` where something other than pixels would cost much time or memory.
    """
    if kind == "JPEG":
        return jpeg.split(content)
    if kind == "PNG":
        return png.without_metadata(content), b""
    if kind == "TIFF":
        tiff.silence()
    if kind in _MODEST:
        _MODEST[kind](content)
    return content, b""


def _load(photo: Image.Image, kind: str) -> None:
    """Have Pillow decode `photo`. Raises `ValueError` where it filled in what is missing, and said nothing."""
    content = _content(photo)
    problem = _missing_by_header(kind, content)
    if problem is None:
        photo.load()
        problem = _missing_by_data(kind, content, photo)
    if problem is not None:
        raise ValueError(problem)


def _missing_by_header(kind: str, content: bytes) -> str | None:
    if kind == "JPEG":
        return jpeg.missing_scans(content)
    return tiff.missing_strips(content) if kind == "TIFF" else None


def _missing_by_data(kind: str, content: bytes, photo: Image.Image) -> str | None:
    if kind == "JPEG":
        return jpeg.missing_data(content)
    if kind == "PNG" and (png.is_interlaced(content) or _is_last_row_black(photo)):
        return png.missing_rows(content)
    return None


def _is_last_row_black(photo: Image.Image) -> bool:
    row = photo.crop((0, photo.height - 1, photo.width, photo.height))
    return row.getbbox(alpha_only=False) is None


def _in_srgb(photo: Image.Image) -> Image.Image:
    profile = photo.info.get("icc_profile")
    return in_srgb(plain(photo), profile if isinstance(profile, bytes) else None)


def _content(photo: Image.Image) -> bytes:
    return cast(io.BytesIO, cast(ImageFile, photo).fp).getvalue()
