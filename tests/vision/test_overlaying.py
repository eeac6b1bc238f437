"""A heat map lies where the model looked, whatever was cut away, and turned as the photo is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from finegraft.vision.overlaying import overlay
from finegraft.vision.preprocess import Preprocess, Resize

TOP_LEFT = np.zeros((4, 4), np.float32)
TOP_LEFT[0, 0] = 1


def content(width: int, height: int, orientation: int | None = None, kind: str = "JPEG") -> bytes:
    picture, exif = Image.new("RGB", (width, height), "grey"), Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    buffer = io.BytesIO()
    picture.save(buffer, kind, exif=exif.tobytes())
    return buffer.getvalue()


def alpha(png: bytes) -> np.ndarray:
    """float (height, width), 0 to 1 where fully opaque."""
    picture = Image.open(io.BytesIO(png))
    assert (picture.format, picture.mode) == ("PNG", "RGBA")
    return np.asarray(picture)[..., 3] / 255


@pytest.mark.parametrize(
    ("resize", "size", "place", "middle"),
    [
        ("squish", (200, 100), (0, 0), (25, 12)),
        ("crop", (200, 100), (0, 0), (62, 12)),
        ("crop", (100, 200), (0, 0), (12, 62)),
        ("pad", (200, 100), (1, 0), (25, 25)),  # row 0 is of the border, as column 0 is of the next
        ("pad", (100, 200), (0, 1), (25, 25)),
    ],
)
def test_it_lies_over_what_the_model_saw(
    resize: Resize, size: tuple[int, int], place: tuple[int, int], middle: tuple[int, int]
) -> None:
    heat = np.zeros((4, 4))
    heat[place] = 1
    shown = alpha(overlay(content(*size), Preprocess(64, resize, 1.0), heat))
    assert shown.shape == size[::-1]
    y, x = np.argwhere(shown > 0.8 * shown.max()).mean(axis=0)
    assert abs(x - middle[0]) < 12
    assert abs(y - middle[1]) < 12


def test_what_was_cut_away_is_transparent() -> None:
    shown = alpha(overlay(content(200, 100), Preprocess(64, "crop", 0.8), np.ones((3, 3))))
    assert not shown[:, :58].any()
    assert not shown[:8].any()
    assert shown[15:85, 65:135].min() > 0.8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_has_the_shape_of_the_upright_photo(orientation: int) -> None:
    shown = alpha(overlay(content(120, 80, orientation), Preprocess(64, "squish"), TOP_LEFT))
    assert shown.shape == ((120, 80) if orientation > 4 else (80, 120))
    assert shown[:15, :15].max() > 0.7
    assert shown[40:, 40:].max() < 0.1


def test_a_turned_tiff_is_told_upright_by_its_decoder() -> None:
    given = content(120, 80, 6, "TIFF")
    upright = Preprocess(64, "squish").load(given)
    assert upright.shape == (64, 64, 3)
    picture = Image.open(io.BytesIO(overlay(given, Preprocess(64, "squish"), TOP_LEFT)))
    assert picture.size == (80, 120)


def test_large_photos_have_small_maps_and_tiny_ones_their_own_size() -> None:
    assert alpha(overlay(content(3000, 1500), Preprocess(64), TOP_LEFT)).shape == (160, 320)
    assert alpha(overlay(content(1, 30, kind="PNG"), Preprocess(64, "squish"), TOP_LEFT)).shape == (30, 1)
    assert alpha(overlay(content(1, 3000, kind="PNG"), Preprocess(64, "crop"), TOP_LEFT)).shape == (320, 1)
