from __future__ import annotations

import pytest

from finegraft.vision.signatures import photo_format, what_it_is
from tests.making import SUFFIXES, photo


@pytest.mark.parametrize("kind", sorted(SUFFIXES))
def test_every_format_is_known_by_its_content(kind: str) -> None:
    assert photo_format(photo(0, kind=kind)) == kind


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Hello, w\xc3\xb6rld\n", "a text"),
        (b"x" * 1023 + "ö".encode(), "a text"),  # the last letter is cut where the look ends
        (b"BM is how this text begins, and it is none", "a text"),
        (b"\n<!DOCTYPE html><p>Not found", "a web page"),
        (b"<?xml version='1.0'?><html>", "a web page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a drawing (SVG), which is not read here; save it as PNG"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "an HEIC photo, which is not read here; save it as JPEG"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp41", "a video"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a sound"),
        (b"\x7fELF\x02\x01\x01", "a program"),
        (b"MZ\x90\0\x03\0\0\0", "a program"),
        (b"MZ begins this text", "a text"),
        (b"SQLite format 3\0", "a database"),
        (b"\x80\x04\x95\x10\0\0\0\0\0\0\0", "pickled Python data"),
        (b"\x93NUMPY\x01\0", "a NumPy array"),
        (b"BZh91AY&SY", "a bzip2 archive"),
        (b"\xfd7zXZ\0\0", "an xz archive"),
        (b"RIFF\0\0\0\0AVI LIST", "a video"),
        (b"\x01\x02\x03\xfe\xff", "no known kind of photo"),
        (b"\xe9t\xe9 in latin-1", "no known kind of photo"),
    ],
)
def test_what_is_no_photo_is_named(content: bytes, words: str) -> None:
    assert photo_format(content) is None
    assert what_it_is(content) == words
