from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from finegraft.errors import UnreadableFile
from finegraft.vision.modes import plain
from tests.making import picture


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "LAB"])
def test_what_a_profile_may_be_made_for_is_left_alone(mode: str) -> None:
    image = Image.new(mode, (4, 4))
    assert plain(image) is image


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        *((mode, "L") for mode in ("1", "LA", "I", "I;16", "I;16B")),
        *((mode, "RGB") for mode in ("P", "PA", "RGBA", "RGBa", "RGBX", "YCbCr", "HSV")),
    ],
)
def test_every_other_mode_becomes_one_of_these(mode: str, wanted: str) -> None:
    assert plain(Image.new(mode, (4, 4))).mode == wanted


def test_a_tall_photo_is_laid_on_white_band_by_band() -> None:
    image = picture(1, (5, 1300)).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    wanted = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    assert (np.asarray(plain(image)) == np.asarray(wanted)).all()


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_a_colour_named_transparent_lies_on_white(mode: str) -> None:
    image = picture(1, (40, 600)).convert(mode)
    image.info["transparency"] = image.getpixel((0, 0))
    wanted = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")
    assert (np.asarray(plain(image).convert("RGB")) == np.asarray(wanted)).all()


def test_pixels_without_a_fixed_white_are_refused() -> None:
    with pytest.raises(UnreadableFile) as caught:
        plain(Image.new("F", (4, 4)))
    assert (caught.value.code, str(caught.value)) == (
        "unreadable",
        "Pixels of the kind 'F' have no fixed black and white. Save the photo as 8-bit RGB.",
    )
