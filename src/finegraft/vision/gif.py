"""What lies before the first picture of a GIF, counted before a decoder collects it (GIF89a, sections 12 to 27)."""

from __future__ import annotations

_EXTENSION, _PICTURE, _END = 0x21, 0x2C, 0x3B
# Blocks hold up to 255 bytes; the 100 kB that some programs write about their own settings take a thousand. Pillow
# makes an object of each block of a comment: 20 MB of blocks of one byte would take 900 MB.
MAX_BLOCKS = 2**16


def must_be_modest(content: bytes) -> None:
    """Raises `ValueError` where a GIF has more before its first picture than any photo's."""
    flags = content[10] if len(content) > 10 else 0
    at = 13 + (3 << (flags % 8 + 1) if flags & 0x80 else 0)
    within = False  # an extension: blocks of a length and so many bytes, up to an empty one
    for _ in range(MAX_BLOCKS):
        if at >= len(content) or (not within and content[at] in (_PICTURE, _END)):
            return
        if within:
            within, at = content[at] > 0, at + 1 + content[at]
        else:
            within, at = content[at] == _EXTENSION, at + (2 if content[at] == _EXTENSION else 1)
    raise ValueError(f"more than {MAX_BLOCKS:,} blocks come before its first picture")
