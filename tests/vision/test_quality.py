from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from finegraft.data.copies import NearCopy
from finegraft.data.record import Record
from finegraft.vision import decoding
from finegraft.vision.looks import LOOK, decoded_for_a_look, look_of
from finegraft.vision.quality import flaws, stretched
from finegraft.vision.sharpness import blur
from tests.making import encoded, scene


def looks_of(*images: Image.Image) -> np.ndarray:
    found = []
    for image in images:
        photo = decoding.open_photo(encoded(image, quality=95))
        found.append(look_of(decoded_for_a_look(photo), image.size))
    return np.array(found, dtype=LOOK)


def records(n: int) -> list[Record]:
    return [Record(f"a/{i}.jpg", f"d{i}", "a") for i in range(n)]


FLAWED = {
    "dark": (lambda image: image.point(lambda v: v // 8), "Take it again, or leave it out."),
    "light": (lambda image: image.point(lambda v: 232 + v // 12), "Take it again, or leave it out."),
    "blurred": (lambda image: image.filter(ImageFilter.GaussianBlur(4)), "No fine detail at 256 pixels"),
    "tiny": (lambda image: image.resize((40, 30)), "Only 40 × 30 pixels. Find a larger copy, or leave it out."),
    "odd-shape": (lambda image: image.crop((0, 0, 320, 80)), "320 × 80 pixels: a model sees the middle square."),
}


@pytest.mark.parametrize("kind", FLAWED)
def test_a_flawed_photo_among_good_ones_is_named(kind: str) -> None:
    change, words = FLAWED[kind]
    good = [scene(seed, (320, 240)) for seed in range(11)]
    found = flaws(records(12), looks_of(*good, change(scene(99, (320, 240)))))
    assert [(f.key, f.kind) for f in found] == [("a/11.jpg", kind)]
    assert 0 < found[0].score <= 1
    assert words in found[0].note


@pytest.mark.parametrize("kind", FLAWED)
def test_a_trait_of_the_whole_set_is_one_finding(kind: str) -> None:
    change, _ = FLAWED[kind]
    found = flaws(records(12), looks_of(*(change(scene(seed, (320, 240))) for seed in range(12))))
    assert [(f.key, f.kind, f.score) for f in found] == [("", kind, 1.0)]
    assert found[0].note.startswith("12 of 12 photos: ")


def test_of_a_few_photos_each_is_named() -> None:
    found = flaws(records(3), looks_of(*(scene(seed).resize((40, 30)) for seed in range(3))))
    assert [f.key for f in found] == ["a/0.jpg", "a/1.jpg", "a/2.jpg"]


def test_good_photos_have_no_flaw() -> None:
    assert flaws(records(20), looks_of(*(scene(seed, (320, 240)) for seed in range(20)))) == []


def test_no_photos_have_no_flaw() -> None:
    assert flaws([], np.zeros(0, LOOK)) == []


def test_more_pictures_in_one_file_are_said() -> None:
    looks = looks_of(scene(1), scene(2))
    looks["frames"][1] = 2
    (finding,) = flaws(records(2), looks)
    assert (finding.key, finding.kind) == ("a/1.jpg", "animated")
    assert finding.note == "More than one picture in the file. Only the first one is used."


def test_a_copy_in_another_shape_was_pulled() -> None:
    looks = looks_of(scene(1, (320, 240)), scene(1, (320, 120)), scene(1, (300, 240)))
    found = stretched(records(3), looks, [NearCopy(0, 1, 0.99), NearCopy(0, 2, 0.99)])
    assert [(f.key, f.other, f.kind, f.score) for f in found] == [("a/1.jpg", "a/0.jpg", "stretched", 0.5)]
    assert found[0].note == "The same photo as a/0.jpg, but 320 × 120 pixels instead of 320 × 240: one was pulled."


def test_blur_grows_along_the_axis_that_is_blurred() -> None:
    image = scene(4, (256, 256)).convert("L")
    sharp = blur(np.asarray(image))
    along_rows = blur(np.asarray(image.filter(ImageFilter.BoxBlur((6, 0)))))
    assert along_rows[1] > sharp[1] + 0.2
    assert along_rows[0] < along_rows[1]
    assert all(0 <= value <= 1 for value in (*sharp, *along_rows))


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (8, 8), (64, 64)])
def test_blur_of_what_is_plain_or_too_small_is_none(shape: tuple[int, int]) -> None:
    assert blur(np.full(shape, 7, np.uint8)) == (0, 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_look_is_that_of_the_upright_photo(orientation: int) -> None:
    image = scene(6, (320, 240))
    photo = decoding.open_photo(encoded(image, quality=95, orientation=orientation))
    turned = look_of(decoded_for_a_look(photo), photo.size)
    upright = look_of(
        decoding.Decoded(decoding.turned(image, orientation), decoding.turned(image, orientation).size, 1),
        decoding.turned(image, orientation).size,
    )
    assert (turned["width"], turned["height"]) == (upright["width"], upright["height"])
    assert np.bitwise_count(turned["hashes"][0] ^ upright["hashes"][0]) <= 4
    assert np.abs(turned["colours"].astype(int) - upright["colours"]).max() <= 4
    assert turned["blur"] == pytest.approx(upright["blur"], abs=0.05)
