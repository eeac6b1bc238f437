from __future__ import annotations

import random
from pathlib import Path

import pytest

from finegraft.data.encodings import encoding_of, is_text

TEXT = "file,label\nphotos/größe.jpg,Möwe\nb.jpg,Tiger\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("utf-16"), "utf-16"),
        ("\ufeff".encode("utf-16-be") + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("utf-32"), "utf-32"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        ((TEXT + "5 €").encode("cp1252"), "cp1252"),
        (TEXT.encode("latin-1") + b"\x81", "latin-1"),
        (b"a" * 5000 + "ö".encode(), "utf-8"),
        (b"a" * 5000 + "ö".encode()[:1], "cp1252"),
        (b"a" * (2**20 - 1) + "ö".encode(), "utf-8"),
    ],
)
def test_the_encoding_of_a_text(tmp_path: Path, content: bytes, encoding: str) -> None:
    path = tmp_path / "table"
    path.write_bytes(content)
    assert is_text(content[:4096])
    assert encoding_of(path) == encoding
    assert path.read_text(encoding=encoding).startswith(("file,label", "aaa"))


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(100), b"\1\2\3"],
)
def test_what_is_no_text(content: bytes) -> None:
    assert not is_text(content)


def test_random_bytes_are_no_text() -> None:
    rng = random.Random(0)
    assert not any(is_text(rng.randbytes(4096)) for _ in range(100))


def test_a_stray_zero_does_not_make_it_binary() -> None:
    assert is_text(b"a.jpg,rose\0\n" + b"b.jpg,tulip\n" * 100)
