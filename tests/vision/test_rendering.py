from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from finegraft.errors import UnreadableFile
from finegraft.vision.colour import in_srgb
from finegraft.vision.rendering import thumbnail
from tests.making import encoded, photo, picture
from tests.vision import profiles


def shown(content: bytes, side: int = 160) -> Image.Image:
    image = Image.open(io.BytesIO(thumbnail(content, side)))
    assert image.format == "WEBP"
    return image


@pytest.mark.parametrize(
    ("size", "wanted"),
    [((800, 600), (160, 120)), ((600, 800), (120, 160)), ((64, 48), (64, 48)), ((4000, 1), (160, 1))],
)
def test_the_whole_photo_fits_and_is_never_enlarged(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert shown(photo(1, size)).size == wanted


def test_the_side_can_be_chosen() -> None:
    assert shown(photo(1, (800, 600)), side=80).size == (80, 60)


def test_it_is_upright() -> None:
    image = Image.new("RGB", (400, 200), "red")
    image.paste("blue", (0, 0, 200, 200))  # the left half; tag 6 turns it to the top
    small = np.asarray(shown(encoded(image, "JPEG", orientation=6))).astype(int)
    assert small.shape == (160, 80, 3)
    assert abs(small[20, 40] - (0, 0, 255)).max() < 10
    assert abs(small[140, 40] - (255, 0, 0)).max() < 10


@pytest.mark.parametrize("size", [(100, 80), (800, 600)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_nothing_of_the_file_but_its_pixels_comes_along(kind: str, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"  # the GPS block
    options = {"exif": exif, "icc_profile": b"SecretProfile"}
    if kind == "JPEG":
        options |= {"comment": b"SecretComment"}
    if kind != "PNG":
        options |= {"xmp": b"<x>SecretPlace</x>"}
    content = encoded(picture(1, size), kind, **options)
    assert kind == "PNG" or b"Secret" in content
    small = thumbnail(content)
    assert b"Secret" not in small
    assert b"Exif" not in small
    assert set(Image.open(io.BytesIO(small)).info) <= {"background", "loop"}  # of an animation, were it one


def test_the_colours_are_those_of_the_photo_s_profile() -> None:
    content = encoded(Image.new("RGB", (64, 48), (60, 180, 60)), "PNG", icc_profile=profiles.display())
    wanted = in_srgb(Image.new("RGB", (1, 1), (60, 180, 60)), profiles.display()).getpixel((0, 0))
    seen = np.asarray(shown(content)).astype(int)
    assert abs(seen - wanted).max() <= 4
    assert abs(seen - (60, 180, 60)).max() > 30


def test_what_is_no_photo_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="it looks like a text"):
        thumbnail(b"Hello")
