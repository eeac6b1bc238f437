"""A picture of a batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from finegraft.errors import StorageError, UsageError
from finegraft.vision import batch_picture
from tests.making import scene


def photos(n: int) -> list[np.ndarray]:
    return [np.asarray(scene(seed, (64, 64))) for seed in range(n)]


@pytest.mark.parametrize(("n", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (5, 3, 2), (16, 4, 4), (40, 4, 4)])
def test_photos_stand_in_rows_of_four_sixteen_at_the_most(tmp_path: Path, n: int, columns: int, rows: int) -> None:
    batch_picture.write(photos(n), ["rose"] * n, tmp_path / "batch.png")
    with Image.open(tmp_path / "batch.png") as made:
        assert made.size == (columns * 240 + 16, rows * 260 + 16)


def test_each_photo_is_where_its_place_is(tmp_path: Path) -> None:
    plain = [np.full((32, 32, 3), 40 * number + 20, np.uint8) for number in range(5)]
    batch_picture.write(plain, ["a"] * 5, tmp_path / "batch.png")
    sheet = np.asarray(Image.open(tmp_path / "batch.png"))
    for number in range(5):
        top, left = 16 + number // 3 * 260, 16 + number % 3 * 240
        assert (sheet[top : top + 224, left : left + 224] == 40 * number + 20).all()
    assert tuple(sheet[0, 0]) == (0xFB, 0xFA, 0xF6)


def test_the_label_is_written_below(tmp_path: Path) -> None:
    for label, path in (("rose", tmp_path / "a.png"), ("", tmp_path / "b.png")):
        batch_picture.write(photos(1), [label], path)
    with_label, without = (np.asarray(Image.open(tmp_path / name)).astype(int) for name in ("a.png", "b.png"))
    assert np.array_equal(with_label[:240], without[:240])
    assert np.abs(with_label[240:] - without[240:]).max() > 100


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("rose", "rose"),
        (("red", "round"), "red, round"),
        ((), ""),
        (3.0, "3"),
        (1234567.0, "1.23457e+06"),
        ("two\nlines\x1b[31m", "two lines [31m"),
        ("  much   room ", "much room"),
        (None, ""),
    ],
)
def test_every_kind_of_label_is_one_line(label: str | tuple[str, ...] | float | None, words: str) -> None:
    assert batch_picture.shown(label) == words


def test_a_long_label_ends_before_the_next_photo(tmp_path: Path) -> None:
    batch_picture.write(photos(2), ["w" * 500, "a"], tmp_path / "batch.png")
    sheet = np.asarray(Image.open(tmp_path / "batch.png")).astype(int)
    gap = sheet[240:262, 242:254]
    assert np.abs(gap - np.array([0xFB, 0xFA, 0xF6])).max() < 8


@pytest.mark.parametrize("name", ["batch.png", "batch.JPG", "batch.jpeg", "batch.webp"])
def test_the_suffix_decides_the_format(tmp_path: Path, name: str) -> None:
    batch_picture.write(photos(1), ["rose"], tmp_path / name)
    with Image.open(tmp_path / name) as made:
        assert (
            made.format == {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "webp": "WEBP"}[name.rsplit(".")[-1].lower()]
        )


@pytest.mark.parametrize("name", ["batch", "batch.gif", "batch.html"])
def test_other_suffixes_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="A picture cannot be written as") as caught:
        batch_picture.write(photos(1), ["rose"], tmp_path / name)
    assert caught.value.mend == "Use .jpeg, .jpg, .png, .webp."
    assert not list(tmp_path.iterdir())


def test_no_photos_make_no_picture(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There are no photos to show"):
        batch_picture.write([], [], tmp_path / "batch.png")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    with pytest.raises(StorageError, match=r"batch\.png"):
        batch_picture.write(photos(1), ["rose"], tmp_path / "a file" / "batch.png")
