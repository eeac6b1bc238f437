"""Small colour profiles, made on the spot (ICC.1:2022): a display's, a scanner's for grey, a printer's."""

from __future__ import annotations

import struct
from collections.abc import Mapping

# XYZ of the primaries red, green and blue for the white D50, as a profile stores them.
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
WHITE = (0.9642, 1.0, 0.8249)


def display(primaries: tuple[tuple[float, float, float], ...] = ADOBE, gamma: float = 2.2) -> bytes:
    """The profile of an RGB display: a power and a matrix."""
    names = ((b"rXYZ", b"rTRC"), (b"gXYZ", b"gTRC"), (b"bXYZ", b"bTRC"))
    tags = {b"wtpt": _xyz(WHITE)}
    for (colour, curve), primary in zip(names, primaries, strict=True):
        tags |= {colour: _xyz(primary), curve: _power(gamma)}
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def grey(gamma: float = 1.0) -> bytes:
    """The profile of a scanner for grey."""
    return _profile(b"scnr", b"GRAY", b"XYZ ", {b"wtpt": _xyz(WHITE), b"kTRC": _power(gamma)})


def press() -> bytes:
    """The profile of a press whose four inks all darken alike, whatever their colour: no naive formula says so."""
    lightness = [max(255 - 64 * number.bit_count(), 0) for number in range(16)]
    table = b"".join(bytes([light, 128, 128]) for light in lightness)
    ramp = bytes(range(256))
    body = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"wtpt": _xyz(WHITE), b"A2B0": body + ramp * 4 + table + ramp * 3})


def _profile(device: bytes, space: bytes, between: bytes, tags: Mapping[bytes, bytes]) -> bytes:
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78), **tags}
    at, table, data = 128 + 4 + 12 * len(tags), b"", b""
    for name, body in tags.items():
        table += name + struct.pack(">II", at + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    head = struct.pack(">I4xI4s4s4s", at + len(data), 0x02400000, device, space, between)
    head = head.ljust(36, b"\0") + b"acsp" + bytes(28) + struct.pack(">3i", *(round(v * 65536) for v in WHITE))
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _power(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
