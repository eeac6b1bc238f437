"""What kind of content these bytes are, by how they begin. The name of a file is never asked."""

from __future__ import annotations

# Pillow's name of a format we read -> its first bytes. AVIF and WebP need a second look, see `photo_format`.
_PHOTOS: tuple[tuple[str, bytes], ...] = (
    ("JPEG", b"\xff\xd8\xff"),
    ("PNG", b"\x89PNG\r\n\x1a\n"),
    ("GIF", b"GIF87a"),
    ("GIF", b"GIF89a"),
    ("TIFF", b"II*\0"),
    ("TIFF", b"MM\0*"),
    ("TIFF", b"II+\0"),  # BigTIFF
    ("TIFF", b"MM\0+"),
)
# "BM" alone would take a text that begins so; the size of the second header is one of these
# (bmp.h and wingdi.h: core, OS/2 2.x, info, V2, V3, V4, V5).
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})

_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\0", "a program"),
    (b"SQLite format 3\0", "a database"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x80\x04\x95", "pickled Python data"),
    (b"\x80\x05\x95", "pickled Python data"),
    (b"8BPS", "a Photoshop document"),
    (b"\0\0\x01\0", "an icon"),
    (b"\xff\x0a", "a JPEG XL photo, which is not read here; save it as JPEG or PNG"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL photo, which is not read here; save it as JPEG or PNG"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 photo, which is not read here; save it as JPEG or PNG"),
    (b"\x89HDF", "an HDF5 file"),
    (b"ID3", "a sound"),
    (b"OggS", "a sound"),
    (b"fLaC", "a sound"),
    (b"\x1aE\xdf\xa3", "a video"),
)
_BOXES: dict[bytes, str] = {
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"),
        "an HEIC photo, which is not read here; save it as JPEG",
    ),
    **dict.fromkeys((b"M4A ", b"M4B "), "a sound"),
}
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))


def photo_format(content: bytes) -> str | None:
    """Pillow's name of the photo format that `content` begins like, or None when it is no photo we read."""
    for name, start in _PHOTOS:
        if content.startswith(start):
            return name
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "WEBP"
    if content.startswith(b"BM") and int.from_bytes(content[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if content[4:8] == b"ftyp" and _AVIF_BRANDS & set(_brands(content)):
        return "AVIF"
    return None


def what_it_is(content: bytes) -> str:
    """A few words for content that is no photo: "a web page", "a PDF", "no known kind of photo"."""
    for start, words in _OTHERS:
        if content.startswith(start):
            return words
    if content[4:8] == b"ftyp":
        return next((_BOXES[brand] for brand in _brands(content) if brand in _BOXES), "a video")
    if content.startswith(b"RIFF"):
        return "a sound" if content[8:12] == b"WAVE" else "a video"
    start = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start:
        return "a web page"
    if b"<svg" in start:
        return "a drawing (SVG), which is not read here; save it as PNG"
    return "a text" if _is_text(content[:1024]) else "no known kind of photo"


def _brands(content: bytes) -> list[bytes]:
    """The brands of an ISO media file (ISO/IEC 14496-12, 4.3): the major one, then the compatible ones."""
    end = min(int.from_bytes(content[:4], "big"), 256, len(content))
    return [content[8:12], *(content[i : i + 4] for i in range(16, end - 3, 4))]


def _is_text(start: bytes) -> bool:
    """UTF-8 without control signs; the last character may be cut."""
    if start.translate(None, _CONTROL) != start:
        return False
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True
