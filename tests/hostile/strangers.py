"""What is no photo at all, whatever its name says."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
import zipfile

from tests.hostile.kind import Kind
from tests.hostile.pieces import box, jpeg
from tests.making import encoded, picture

NOT = "is not a photo"


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("photo.jpg"), jpeg())
    return buffer.getvalue()


def _media(brand: bytes) -> bytes:
    return box(b"ftyp", brand + bytes(4) + brand) + bytes(64)


_SCRIPT = "GIF89a/*" + " " * 40 + "*/=1;alert('photo')//;"

KINDS = (
    Kind("empty.jpg", lambda: b"", "empty", "it holds no bytes"),
    Kind("one-byte.jpg", lambda: b"\xff", "not-a-photo", "no known kind of photo"),
    Kind("blank.jpg", lambda: b"\n\n \n", "not-a-photo", "a text"),
    Kind(
        "not-found.jpg",
        lambda: b"<!DOCTYPE html><html><title>404 Not Found</title></html>",
        "not-a-photo",
        "a web page",
    ),
    Kind("late-page.jpg", lambda: b"\xef\xbb\xbf\n\n<!-- moved -->\n<HTML><body>", "not-a-photo", "a web page"),
    Kind(
        "drawing.jpg", lambda: b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "not-a-photo", "SVG"
    ),
    Kind("notes.png", lambda: "Größe: 3 × 4\n".encode(), "not-a-photo", "a text"),
    Kind("answer.jpg", lambda: json.dumps({"error": {"code": 429}}).encode(), "not-a-photo", "a text"),
    Kind("code.png", lambda: b"#!/bin/sh\nrm -rf /tmp/photo\n", "not-a-photo", "a text"),
    Kind("document.jpg", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + jpeg(), "not-a-photo", "a PDF"),
    Kind("archive.jpg", _zip, "not-a-photo", "a zip archive"),
    Kind("packed.jpg", lambda: gzip.compress(jpeg(), mtime=0), "not-a-photo", "a gzip archive"),
    Kind("program.jpg", lambda: b"\x7fELF\x02\x01\x01" + bytes(57), "not-a-photo", "a program"),
    Kind("program.gif", lambda: b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0" + bytes(48), "not-a-photo", "a program"),
    Kind("object.jpg", lambda: pickle.dumps({"photo": [1, 2, 3]}, protocol=4), "not-a-photo", "pickled Python data"),
    Kind("song.jpg", lambda: b"ID3\x04" + bytes(60), "not-a-photo", "a sound"),
    Kind("film.jpg", lambda: _media(b"isom"), "not-a-photo", "a video"),
    Kind("phone.jpg", lambda: _media(b"heic"), "not-a-photo", "an HEIC photo"),
    Kind("newer.jpg", lambda: b"\xff\x0a" + bytes(60), "not-a-photo", "a JPEG XL photo"),
    Kind("layers.jpg", lambda: b"8BPS\0\x01" + bytes(60), "not-a-photo", "a Photoshop document"),
    Kind("database.jpg", lambda: b"SQLite format 3\0" + bytes(84), "not-a-photo", "a database"),
    Kind("noise.jpg", lambda: struct.pack(">16I", *(i * 2654435761 % 2**32 for i in range(1, 17))), "not-a-photo", NOT),
    Kind("script.gif", lambda: _SCRIPT.encode(), "unreadable", "The GIF is cut off or damaged"),
    Kind("only-says-bitmap.bmp", lambda: b"BM is how this text begins", "not-a-photo", "a text"),
    # A photo with an archive behind it opens as both; it is a photo.
    Kind("photo-and-archive.jpg", lambda: jpeg() + _zip()),
    Kind("photo-in-text.txt", lambda: encoded(picture(3, (64, 48)), "JPEG")),
)
