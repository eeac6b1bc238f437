"""Photos as they are learned from."""

from __future__ import annotations

import colorsys
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from finegraft.errors import UnreadableFile
from finegraft.vision.changing import Changing, generator, in_other_hues, random_part
from finegraft.vision.preprocess import Preprocess
from finegraft.vision.sets import SETS
from tests.making import photo, scene

CHANGING = Changing(Preprocess(64), seed=7)


def jpeg(picture: Image.Image, **settings: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95, **settings)  # type: ignore[arg-type]
    return file.getvalue()


def test_a_view_is_the_same_every_time_and_no_two_are_alike() -> None:
    content = photo(1)
    views = [CHANGING.load(content, "a digest", view) for view in (1, 2, 3)]
    for number, view in enumerate(views, start=1):
        assert view.shape == (64, 64, 3)
        assert view.dtype == np.uint8
        assert np.array_equal(view, CHANGING.load(content, "a digest", number))
    assert not np.array_equal(views[0], views[1])
    assert not np.array_equal(views[1], views[2])


def test_what_is_drawn_hangs_on_seed_view_and_content() -> None:
    first = generator(0, 1, "abc").random(4).tolist()
    assert generator(0, 1, "abc").random(4).tolist() == first
    for other in (generator(1, 1, "abc"), generator(0, 2, "abc"), generator(0, 1, "abd"), generator(0, 11, "bc")):
        assert other.random(4).tolist() != first


def test_parts_are_a_third_to_all_of_the_photo_and_nearly_square() -> None:
    draw = np.random.default_rng(0)
    parts = [random_part(draw, 400, 300, (0.35, 1.0)) for _ in range(2000)]
    for left, top, right, bottom in parts:
        assert 0 <= left < right <= 400 + 1e-9
        assert 0 <= top < bottom <= 300 + 1e-9
        assert 3 / 4 - 1e-9 <= (right - left) / (bottom - top) <= 4 / 3 + 1e-9
    shares = np.array([(right - left) * (bottom - top) / 120_000 for left, top, right, bottom in parts])
    assert shares.min() >= 0.35 - 1e-9
    assert shares.max() > 0.95
    middles = np.array([[left + right, top + bottom] for left, top, right, bottom in parts]) / 2
    assert np.abs(middles.mean(0) - [200, 150]).max() < 4  # no side is preferred


def test_of_a_strip_the_middle_square_is_taken() -> None:
    assert random_part(np.random.default_rng(0), 1000, 10, (0.35, 1.0)) == (495, 0, 505, 10)


def test_half_of_the_views_are_mirrored() -> None:
    left_dark = Image.fromarray(np.repeat(np.linspace(0, 255, 96, dtype=np.uint8)[None, :, None], 96, 0).repeat(3, 2))
    content = jpeg(left_dark)
    rising = [
        float(view[:, -8:].mean()) > float(view[:, :8].mean())
        for view in (CHANGING.load(content, "x", number) for number in range(200))
    ]
    assert 70 < sum(rising) < 130


def test_a_photo_that_lies_on_its_side_is_turned_first() -> None:
    """The lower half is bright in the upright photo, whatever is drawn; stored on its side it comes out so too."""
    pixels = np.full((120, 120, 3), 30, np.uint8)
    pixels[60:] = 220
    upright = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise to stand upright
    content = jpeg(upright.transpose(Image.Transpose.ROTATE_90), exif=exif)
    for number in range(20):
        view = CHANGING.load(content, "x", number)
        assert view[-6:].mean() >= view[:6].mean()
        assert abs(float(view[:, :32].mean()) - float(view[:, 32:].mean())) < 12


def test_light_changes_by_a_fifth_at_most() -> None:
    grey = jpeg(Image.new("RGB", (80, 80), (120, 120, 120)))
    means = [float(CHANGING.load(grey, "x", number).mean()) for number in range(100)]
    assert 120 * 0.8 - 2 <= min(means) < 105
    assert 135 < max(means) <= 120 * 1.2 + 2


def test_colours_turn_on_the_wheel_and_grey_stays() -> None:
    colours = Image.new("RGB", (4, 1))
    for x, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255), (90, 90, 90)]):
        colours.putpixel((x, 0), colour)
    seen = np.asarray(in_other_hues(colours, 1 / 3), int)[0]
    wanted = np.array([(0, 255, 0), (0, 0, 255), (255, 0, 0), (90, 90, 90)])
    assert np.abs(seen - wanted).max() <= 6  # Pillow's wheel has 256 steps
    assert np.array_equal(np.asarray(in_other_hues(colours, 0.0)), np.asarray(colours))


def test_hues_turn_both_ways_by_a_twentieth_at_most() -> None:
    changing = Changing(Preprocess(64), 7, replace(SETS["none"], area=(1.0, 1.0), hue=0.05))
    red = jpeg(Image.new("RGB", (80, 80), (220, 30, 30)))
    hues = [colorsys.rgb_to_hsv(*changing.load(red, "x", view)[32, 32] / 255)[0] for view in range(60)]
    turned = (np.array(hues) + 0.5) % 1 - 0.5
    assert np.abs(turned).max() <= 0.06
    assert turned.min() < -0.03
    assert turned.max() > 0.03


def test_a_large_jpeg_is_decoded_small_and_looks_the_same() -> None:
    big = scene(3, (1600, 1200))
    small = CHANGING.load(jpeg(big), "x", 5).astype(float)
    part = random_part(generator(7, 5, "x"), 1600, 1200, (0.35, 1.0))
    wanted = np.asarray(big.resize((64, 64), Image.Resampling.BICUBIC, box=part), float)
    # Light and mirror aside: the same structure.
    likeness = max(np.corrcoef(small.ravel(), candidate.ravel())[0, 1] for candidate in (wanted, wanted[:, ::-1]))
    assert likeness > 0.99


def test_what_is_no_photo_is_refused_with_its_reason() -> None:
    with pytest.raises(UnreadableFile):
        CHANGING.load(b"no photo", "x", 1)
