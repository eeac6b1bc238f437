"""Near copies: what is found, and what must not be taken for one."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from PIL import Image, ImageOps

from finegraft.vision import decoding
from finegraft.vision.alignment import agreement
from finegraft.vision.looks import LOOK, decoded_for_a_look, look_of, small_grey
from finegraft.vision.near_copies import near_copies
from tests.making import encoded, scene


def found_among(images: Sequence[Image.Image], quality: int = 90) -> set[tuple[int, int, str]]:
    """The pairs found among pictures that were written as JPEG first."""
    decoded = []
    for image in images:
        photo = decoding.open_photo(encoded(image, quality=quality))
        decoded.append((decoded_for_a_look(photo), image.size))
    looks = np.array([look_of(one, size) for one, size in decoded], dtype=LOOK)
    found = near_copies(looks, lambda places: [small_grey(decoded[at][0]) for at in places])
    return {(pair.first, pair.second, pair.how) for pair in found}


def recompressed(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=40)
    return Image.open(buffer)


def cropped(image: Image.Image) -> Image.Image:
    width, height = image.size
    return image.crop((round(width * 0.05), round(height * 0.05), round(width * 0.95), round(height * 0.95)))


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "smaller": lambda image: image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS),
    "larger": lambda image: image.resize((image.width * 2, image.height * 2), Image.Resampling.BICUBIC),
    "recompressed": recompressed,
    "cropped": cropped,
    "cropped on one side": lambda image: image.crop((0, 0, round(image.width * 0.95), image.height)),
    "squeezed": lambda image: image.resize((image.width, image.height // 2)),
    "mirrored": ImageOps.mirror,
    "all of it": lambda image: recompressed(ImageOps.mirror(cropped(image)).resize((150, 112))),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_are_found_and_nothing_else(change: str) -> None:
    scenes = [scene(seed, (320, 240)) for seed in range(12)]
    copies = [CHANGES[change](image) for image in scenes]
    how = "mirrored" if change in ("mirrored", "all of it") else ""
    wanted = {(i, 12 + i, how) for i in range(12)}
    found = found_among([*scenes, *copies])
    assert found <= wanted, "no two scenes are alike"
    assert len(found) >= 11


def test_drawings_of_the_same_thing_are_no_copies() -> None:
    """Handwritten digits: their hashes are alike, they are not."""
    from sklearn.datasets import load_digits

    images = [Image.fromarray((digit * 15.9375).astype(np.uint8)) for digit in load_digits().images[:500]]
    assert len(found_among([image.resize((64, 64)) for image in images])) <= 2


def test_plain_pictures_are_no_copies_of_each_other() -> None:
    rng = np.random.default_rng(0)
    plain = [Image.new("RGB", (64, 64), tuple(colour)) for colour in rng.integers(0, 256, (200, 3)).tolist()]
    assert found_among(plain) == set()


def test_noise_is_no_copy_of_noise() -> None:
    rng = np.random.default_rng(1)
    noise = [Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in range(100)]
    assert found_among(noise) == set()


def test_photos_that_differ_in_colour_alone_are_no_copies() -> None:
    image = scene(3)
    turned = Image.merge("RGB", image.split()[::-1])
    blue = Image.merge("RGB", (image.getchannel(0).point(lambda v: v // 3), *image.split()[1:]))
    assert found_among([image, turned, blue]) == set()


def test_a_photo_that_cannot_be_shown_again_is_in_no_pair() -> None:
    image = scene(5)
    decoded = decoded_for_a_look(decoding.open_photo(encoded(image)))
    looks = np.array([look_of(decoded, image.size)] * 3, dtype=LOOK)
    shown = small_grey(decoded)
    assert near_copies(looks, lambda places: [None if at == 1 else shown for at in places])[0].second == 2


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_photos_have_no_copies(n: int) -> None:
    assert near_copies(np.zeros(n, LOOK), lambda places: [None for _ in places]) == []


def test_agreement_of_equal_pictures_is_whole_and_of_others_none() -> None:
    one, other = (np.asarray(scene(s).convert("L").resize((64, 64)), np.float32) for s in (1, 2))
    found = agreement(np.stack([one, one]), np.stack([one, other]))
    assert found.correlation[0] == pytest.approx(1, abs=0.01)
    assert found.fine[0] == pytest.approx(0, abs=0.01)
    assert found.coarse[0] == pytest.approx(0, abs=0.01)
    assert found.same.tolist() == [True, False]
    assert found.fine[1] > 5


def test_agreement_of_no_pairs() -> None:
    none = np.empty((0, 64, 64), np.float32)
    assert agreement(none, none).same.shape == (0,)
