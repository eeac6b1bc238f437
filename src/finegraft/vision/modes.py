"""Every kind of pixel that photos are made of, as one that a colour profile may be made for."""

from __future__ import annotations

from PIL import Image

from finegraft.errors import UnreadableFile

_PLAIN = frozenset({"L", "RGB", "CMYK", "LAB"})
_GREY = frozenset({"1", "L", "LA", "La"})
_BAND = 512  # rows laid on white at a time: a whole photo of 64 million pixels would take 700 MB more


def plain(photo: Image.Image) -> Image.Image:
    """A loaded photo in the mode L, RGB, CMYK or LAB.

    Transparent pixels lie on white; grey of 16 bits becomes grey of 8. Raises `UnreadableFile("unreadable", …)` for
    pixels that have no fixed black and white.
    """
    if photo.mode == "F":
        raise UnreadableFile(
            "unreadable", "Pixels of the kind 'F' have no fixed black and white. Save the photo as 8-bit RGB."
        )
    if photo.mode.startswith("I"):
        return _from_16_bit(photo)
    grey = photo.mode in _GREY
    if photo.has_transparency_data:
        return _on_white(photo, "L" if grey else "RGB")
    if photo.mode in _PLAIN:
        return photo
    return photo.convert("L" if grey else "RGB")


def _on_white(photo: Image.Image, mode: str) -> Image.Image:
    flat = Image.new(mode, photo.size)
    for top in range(0, photo.height, _BAND):
        band = photo.crop((0, top, photo.width, min(top + _BAND, photo.height))).convert("RGBA")
        white = Image.new("RGBA", band.size, "white")
        flat.paste(Image.alpha_composite(white, band).convert("RGB").convert(mode), (0, top))
    return flat


def _from_16_bit(photo: Image.Image) -> Image.Image:
    """Grey of 16 bits as grey of 8: divided by 257, so that 65535 is white. Pillow's own `convert` would clip."""
    low, high = photo.convert("I").getextrema()
    if low < 0 or high > 65535:  # type: ignore[operator]
        raise UnreadableFile(
            "unreadable", f"Its grey values ({low}..{high}) do not fit 16 bits. Save the photo as 8-bit grey."
        )
    return photo.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
