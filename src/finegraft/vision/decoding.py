"""The one decoder: file bytes to an RGB picture, the same in checking, training, predicting and serving.

Another decoder gives other pixels (MLPerf saw 0.3 points of ResNet-50's accuracy between Pillow, OpenCV and
TensorFlow), so nothing else in finegraft opens a photo. Every function here is safe to call from many threads.
"""

from __future__ import annotations

import functools
import io
import warnings
from dataclasses import dataclass
from typing import NamedTuple

import PIL
from PIL import Image, features

from finegraft.data.contents import MAX_BYTES, too_many_bytes
from finegraft.errors import UnreadableFile
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
_ORIENTATION = 0x0112

# Pillow warns of what we answer for ourselves: a size (ours is the lower limit), broken metadata (ignored).
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


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
        photo = Image.open(io.BytesIO(content), formats=(kind,))
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(f"more than {limits.pixels / 1e6:.3g}", limits) from error
    except Exception as error:
        raise _damaged(kind, error) from error
    if photo.width * photo.height > limits.pixels:
        raise _too_many_pixels(f"{photo.width} × {photo.height} =", limits, photo.width * photo.height)
    return photo


class Decoded(NamedTuple):
    """A decoded photo: RGB as stored, not yet turned.

    `extent` is the width and height that the photo takes in `picture`: a JPEG of 401 columns decoded at a
    half has 201, of which the photo fills 200.5. `orientation` is the tag for `turned`, 1..8.
    """

    picture: Image.Image
    extent: tuple[float, float]
    orientation: int


def decode(photo: Image.Image, shrink: int = 1) -> Decoded:
    """Decode a photo from `open_photo` to its end.

    `shrink` (1, 2, 4 or 8) lets a JPEG be decoded at that part of its size, which costs less; other formats come
    in full size. Transparent pixels lie on white; 16-bit grey becomes 8-bit; of an animation it is the first frame.
    Raises `UnreadableFile("unreadable", …)` where the content is cut off or damaged: nothing is filled in.
    """
    kind = photo.format or "photo"
    try:
        # Whole numbers of pixels are asked for; Pillow divides back and takes the coarsest scale that fits.
        small = (max(photo.width // shrink, 1), max(photo.height // shrink, 1))
        drafted = photo.draft(None, small) if shrink > 1 else None
        photo.load()
        picture = _to_rgb(photo)
    except UnreadableFile:
        raise
    except Exception as error:
        raise _damaged(kind, error) from error
    extent = (float(picture.width), float(picture.height)) if drafted is None else drafted[1][2:]
    # The tag is asked for only now: Pillow turns a TIFF by itself while loading it, and then takes the tag away.
    return Decoded(picture, extent, _orientation(photo))


def turned(picture: Image.Image, orientation: int) -> Image.Image:
    """`picture` the way the camera was held, by its orientation tag (1..8)."""
    turn = _TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


@functools.cache
def describe() -> dict[str, str]:
    """The decoder and the versions of the libraries that decide on its pixels."""
    found = {"decoder": "Pillow", "Pillow": PIL.__version__}
    for feature in ("jpg", "zlib", "webp", "libtiff", "avif"):
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
    known = str(error) if "object at 0x" not in str(error) else "its header makes no sense"
    return UnreadableFile(
        "unreadable", f"The {kind} is cut off or damaged ({known or type(error).__name__}). Fetch or export it again."
    )


def _orientation(photo: Image.Image) -> int:
    """The orientation tag, 1 (upright) where it is missing, broken or not one of 1..8."""
    try:
        tag = photo.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - metadata is decoration; any way in which it is broken means "upright"
        return 1
    return tag if isinstance(tag, int) and tag in _TURNS else 1


def _to_rgb(photo: Image.Image) -> Image.Image:
    if photo.mode.startswith("I"):
        return _from_16_bit(photo)
    if photo.mode in ("F", "LAB"):
        raise UnreadableFile(
            "unreadable",
            f"Pixels of the kind {photo.mode!r} have no fixed black and white. Save the photo as 8-bit RGB.",
        )
    if photo.has_transparency_data:
        picture = photo.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return photo if photo.mode == "RGB" else photo.convert("RGB")


def _from_16_bit(photo: Image.Image) -> Image.Image:
    """Grey of 16 bits as RGB of 8: divided by 257, so that 65535 is white. Pillow's own `convert` would clip."""
    low, high = photo.convert("I").getextrema()
    if low < 0 or high > 65535:  # type: ignore[operator]
        raise UnreadableFile(
            "unreadable", f"Its grey values ({low}..{high}) do not fit 16 bits. Save the photo as 8-bit grey."
        )
    return photo.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L").convert("RGB")
