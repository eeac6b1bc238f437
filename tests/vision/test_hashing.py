from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn

from finegraft.vision.hashing import HASHES, MIRRORED, SIDE, WHOLE, hashes
from tests.making import picture, scene


def grey(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def distance(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.bitwise_count(np.uint64(a) ^ np.uint64(b)))


def test_bits_are_the_signs_of_the_lowest_frequencies() -> None:
    seen = grey(picture(3, (200, 150), look="rose"))
    half = seen.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    waves = dctn(half, type=2)
    wanted = np.concatenate([waves[:8, :8].ravel()[1:], waves[8:9, 0]]) > 0
    bits = np.unpackbits(hashes(seen)[WHOLE : WHOLE + 1].view(np.uint8))
    assert bits.tolist() == wanted.tolist()


def test_the_mirrored_hash_is_that_of_the_mirror_image() -> None:
    seen = grey(picture(5, look="tulip"))
    assert hashes(seen)[MIRRORED] == hashes(seen[:, ::-1])[WHOLE]


@pytest.mark.parametrize("box", [(10, 8, 190, 142), (10, 0, 200, 150), (0, 0, 190, 143), (5, 4, 195, 146)])
def test_a_cropped_copy_is_near_one_of_the_windows(box: tuple[int, int, int, int]) -> None:
    photo = scene(1)
    whole, cropped = hashes(grey(photo)), hashes(grey(photo.crop(box)))[WHOLE]
    nearest = min(distance(window, cropped) for window in whole[:MIRRORED])
    assert nearest <= 10
    assert nearest <= distance(whole[WHOLE], cropped)


def test_recompressing_hardly_changes_the_hash_and_other_photos_are_far() -> None:
    photo = picture(1, (200, 150), look="a")
    small = photo.resize((60, 45))
    assert distance(hashes(grey(photo))[WHOLE], hashes(grey(small))[WHOLE]) <= 3
    other = hashes(grey(picture(2, (200, 150), look="daisy")))
    assert min(distance(hashes(grey(photo))[WHOLE], window) for window in other) > 12


def test_a_picture_of_one_grey_has_a_hash() -> None:
    assert hashes(np.full((SIDE, SIDE), 200, np.uint8)).shape == (HASHES,)
