"""Archives made on the spot, honest and hostile."""

from __future__ import annotations

import io
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

CENTRAL = struct.Struct("<4s6H3L5H2L")  # an entry of a zip's directory, before its name
LINK = 0o120777 << 16  # external attributes of a link


def zipped(path: Path, entries: Mapping[str, bytes] | Iterable[tuple[str, bytes]], *, packed: bool = False) -> Path:
    """A zip with these entries, names as given; repeated names are written repeatedly."""
    pairs = entries.items() if isinstance(entries, Mapping) else entries
    kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, content in pairs:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name  # the constructor would mend it
            info.compress_type = kind
            with warnings.catch_warnings(action="ignore"):  # of a name twice
                archive.writestr(info, content)
    return path


def patched(path: Path, name: str, **fields: int) -> Path:
    """The zip with fields of one directory entry changed: flags, attributes, sizes, offset, method."""
    places = {"flags": 3, "method": 4, "crc": 7, "packed": 8, "size": 9, "attributes": 15, "offset": 16}
    content = bytearray(path.read_bytes())
    at = content.rfind(name.encode()) - CENTRAL.size  # the directory comes last
    record = list(CENTRAL.unpack_from(content, at))
    for field, value in fields.items():
        record[places[field]] = value
    CENTRAL.pack_into(content, at, *record)
    path.write_bytes(content)
    return path


def overlapping(path: Path, entries: int, size: int) -> Path:
    """A zip in which every entry is the same piece of packed data: counted many times, stored once."""
    zipped(path, {"0.jpg": bytes(size)}, packed=True)
    content = path.read_bytes()
    end = content.rfind(b"PK\5\6")
    start = content.rfind(b"PK\1\2")
    record = content[start:end]
    directory = record * entries
    path.write_bytes(
        content[:start]
        + directory
        + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, entries, entries, len(directory), start, 0)
    )
    return path


def tarred(path: Path, entries: Iterable[tuple[str, bytes] | tarfile.TarInfo], mode: str = "w", **options: Any) -> Path:
    """A tar with these files, and with entries of any kind where a header is given instead of content."""
    with tarfile.open(path, mode, **options) as archive:  # type: ignore[call-overload]
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
            else:
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1])
                archive.addfile(info, io.BytesIO(entry[1]))
    return path


def header(name: str, kind: bytes = tarfile.REGTYPE, *, leads_to: str = "", size: int = 0) -> tarfile.TarInfo:
    """The header of one entry without content."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, leads_to, size
    return info


def raw_header(name: str, size_field: bytes, kind: bytes = b"0") -> bytes:
    """One block of a tar with any twelve bytes as the size, and a right checksum."""
    block = bytearray(512)
    block[: len(name)] = name.encode()
    block[100:108] = b"0000644\0"
    block[124:136] = size_field
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    return bytes(block)
