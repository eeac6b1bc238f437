from __future__ import annotations

import pytest

from finegraft.vision import bmp
from tests.hostile.pieces import bmp as bmp_of
from tests.making import photo


@pytest.mark.parametrize(
    "content",
    [
        photo(1, kind="BMP"),
        bmp_of((2000, 2000), 8, b"", compression=1),
        bmp_of((60_000, 60_000), 24, b""),
        bmp_of((60_000, 60_000), 16, b"", compression=3),
        b"BM" + bytes(12) + b"\x0c\0\0\0" + b"\xff" * 8,
        b"BM",
    ],
)
def test_photos_are_modest(content: bytes) -> None:
    bmp.must_be_modest(content)


@pytest.mark.parametrize("size", [(2001, 2000), (2001, -2000), (-64_000, 1000)])
@pytest.mark.parametrize("compression", [1, 2])
def test_many_pixels_in_runs_are_refused(compression: int, size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"^it is made of runs, which are read up to 4 million pixels$"):
        bmp.must_be_modest(bmp_of(size, 8, b"", compression=compression))
