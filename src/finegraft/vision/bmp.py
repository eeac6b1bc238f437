"""A BMP of runs, looked at before its decoder unpacks them (Windows GDI, "Bitmap Compression")."""

from __future__ import annotations

_RUNS = frozenset({1, 2})  # of 8 and of 4 bits
# Pillow unpacks runs in Python, at a tenth of a microsecond for a pixel and with no other thread at work meanwhile:
# a file of 5 kB may ask for 64 million. Nobody keeps photos in runs; they are for drawings of few colours.
MAX_PIXELS = 4_000_000


def must_be_modest(content: bytes) -> None:
    """Raises `ValueError` where a BMP of runs has more pixels than can be unpacked in half a second."""
    header = int.from_bytes(content[14:18], "little")
    if header < 40 or int.from_bytes(content[30:34], "little") not in _RUNS:
        return
    width, height = (int.from_bytes(content[at : at + 4], "little", signed=True) for at in (18, 22))
    if abs(width * height) > MAX_PIXELS:
        raise ValueError(f"it is made of runs, which are read up to {MAX_PIXELS / 1e6:g} million pixels")
