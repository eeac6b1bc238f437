"""Named ways to change photos, and the operations behind them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from finegraft.errors import UsageError
from finegraft.vision import operations, turning
from finegraft.vision.changing import Changing
from finegraft.vision.preprocess import Preprocess
from finegraft.vision.sets import SETS, find
from tests.making import photo, scene

SIZE = 64


def views(name: str, n: int = 8) -> list[np.ndarray]:
    changing = Changing(Preprocess(SIZE), 3, SETS[name])
    return [changing.load(photo(1), "digest", view) for view in range(n)]


@pytest.mark.parametrize("name", SETS)
def test_every_set_gives_photos_of_the_size_the_same_every_time(name: str) -> None:
    found, again = views(name), views(name)
    for view, other in zip(found, again, strict=True):
        assert view.shape == (SIZE, SIZE, 3)
        assert view.dtype == np.uint8
        assert np.array_equal(view, other)
    different = {view.tobytes() for view in found}
    assert len(different) == (1 if name == "none" else len(found))


def test_none_is_the_photo_as_it_is_judged() -> None:
    assert np.array_equal(views("none", 1)[0], Preprocess(SIZE).load(photo(1)))


def test_an_unknown_set_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="There is no way to change photos called 'strongg'") as caught:
        find("strongg")
    assert caught.value.mend == f"Did you mean 'strong'? There are: {', '.join(SETS)}."


def test_corners_that_are_not_moved_are_those_of_the_part() -> None:
    part = (10.0, 20.0, 50.0, 70.0)
    corners = turning.corners_of(part, 0.0, np.zeros((4, 2)), (100.0, 100.0))
    assert corners.tolist() == [[10, 20], [10, 70], [50, 70], [50, 20]]


def test_turned_corners_keep_their_distance_and_their_angle() -> None:
    corners = turning.corners_of((30.0, 30.0, 70.0, 70.0), 30.0, np.zeros((4, 2)), (100.0, 100.0))
    offsets = corners - 50
    np.testing.assert_allclose(np.linalg.norm(offsets, axis=1), np.hypot(20, 20))
    angles = np.degrees(np.arctan2(offsets[:, 1], offsets[:, 0]))
    np.testing.assert_allclose(angles, [-135 + 30, 135 + 30, 45 + 30, -45 + 30])


@pytest.mark.parametrize("angle", [-45.0, -10.0, 3.0, 30.0, 90.0])
def test_nothing_is_shown_that_is_not_in_the_photo(angle: float) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        tilts = rng.uniform(0, 0.2, (4, 2))
        corners = turning.corners_of((0.0, 0.0, 120.0, 80.0), angle, tilts, (120.0, 80.0))
        assert (corners >= -1e-9).all()
        assert (corners <= np.array([120, 80]) + 1e-9).all()


def test_a_tilted_part_is_a_true_perspective() -> None:
    """Corners come from corners, straight lines stay straight, and parallels that meet do so in one point."""
    corners = np.array([[10.0, 12.0], [3.0, 90.0], [95.0, 80.0], [70.0, 20.0]])
    a, b, c, d, e, f, g, h = turning.homography(corners, 64)

    def comes_from(x: float, y: float) -> np.ndarray:
        return np.array([a * x + b * y + c, d * x + e * y + f]) / (g * x + h * y + 1)

    for place, corner in zip([(0, 0), (0, 64), (64, 64), (64, 0)], corners, strict=True):
        np.testing.assert_allclose(comes_from(*place), corner, atol=1e-9)
    for y in (0, 20, 64):
        first, middle, last = comes_from(0, y), comes_from(23, y), comes_from(64, y)
        across = np.cross(np.append(last - first, 0), np.append(middle - first, 0))[2]
        assert abs(across) < 1e-8


def test_a_turned_part_is_what_pillow_turns() -> None:
    """The middle of a photo turned by 20 degrees: taken by its corners, and by rotating all of it."""
    picture = scene(2, (200, 200))
    corners = turning.corners_of((70.0, 70.0, 130.0, 130.0), 20.0, np.zeros((4, 2)), (200.0, 200.0))
    got = np.asarray(turning.taken(picture, corners, 60), float)
    turned = picture.rotate(20.0, Image.Resampling.BICUBIC).crop((70, 70, 130, 130))
    assert np.corrcoef(got.ravel(), np.asarray(turned, float).ravel())[0, 1] > 0.995


def test_a_large_photo_is_averaged_not_sampled() -> None:
    """A board of single black and white pixels is grey from afar."""
    board = Image.fromarray((np.indices((512, 512)).sum(0) % 2 * 255).astype(np.uint8)).convert("RGB")
    corners = turning.corners_of((0.0, 0.0, 512.0, 512.0), 7.0, np.zeros((4, 2)), (512.0, 512.0))
    seen = np.asarray(turning.taken(board, corners, 64), float)
    assert np.abs(seen - 127.5).max() < 30


def test_a_view_of_standard_stays_upright_for_a_photo_on_its_side() -> None:
    pixels = np.full((120, 120, 3), 30, np.uint8)
    pixels[60:] = 220
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(pixels).transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", quality=95, exif=exif)
    changing = Changing(Preprocess(SIZE), 0, SETS["standard"])
    for view in range(10):
        seen = changing.load(file.getvalue(), "x", view).astype(float)
        assert seen[-6:].mean() >= seen[:6].mean()


@pytest.mark.parametrize("name", ["trivial", "rand"])
def test_operations_without_strength_change_nothing_but_stretch_and_equalise(name: str) -> None:
    picture = scene(4, (48, 48))
    always = {operations.contrasted, operations.equalised, operations.solarised}
    for operation in operations.POLICIES[name].operations:
        if operation not in always:
            seen = np.asarray(operation(picture, 0.0), float)
            assert np.abs(seen - np.asarray(picture, float)).max() <= 1
    assert np.array_equal(np.asarray(operations.solarised(picture, 0.0)), np.asarray(picture))


def test_operations_are_pillows() -> None:
    picture = scene(4, (48, 48))
    pairs = [
        (operations.enhanced(ImageEnhance.Color, 0.9)(picture, 0.5), ImageEnhance.Color(picture).enhance(1.45)),
        (operations.posterised(2)(picture, -1.0), ImageOps.posterize(picture, 2)),
        (operations.solarised(picture, 0.5), ImageOps.solarize(picture, 128)),
        (operations.contrasted(picture, 1.0), ImageOps.autocontrast(picture)),
        (operations.equalised(picture, 1.0), ImageOps.equalize(picture)),
    ]
    for got, wanted in pairs:
        assert np.array_equal(np.asarray(got), np.asarray(wanted))


def test_moving_moves_by_the_part_that_is_said() -> None:
    pixels = np.zeros((50, 50, 3), np.uint8)
    pixels[:, 20] = 255
    picture = Image.fromarray(pixels)
    moved = np.asarray(operations.move_x(0.2)(picture, 1.0))
    assert moved[25, :, 0].argmax() == 10 or moved[25, 10, 0] == 255
    down = np.asarray(operations.move_y(0.2)(Image.fromarray(pixels.transpose(1, 0, 2)), -1.0))
    assert down[30, 25, 0] == 255


@pytest.mark.parametrize(("name", "levels", "count"), [("trivial", set(range(31)), 1), ("rand", {9}, 2)])
def test_a_policy_draws_its_operations_and_their_strength(name: str, levels: set[int], count: int) -> None:
    policy, seen = operations.POLICIES[name], []

    def noted(picture: Image.Image, strength: float) -> Image.Image:
        seen.append(strength)
        return picture

    noting = operations.Policy((noted,) * 3, policy.levels, policy.fixed)
    draw = np.random.default_rng(0)
    for _ in range(400):
        operations.applied(scene(0, (8, 8)), noting, count, draw)
    assert len(seen) == 400 * count
    assert {round(abs(strength) * 30) for strength in seen} == levels
    assert 0.4 < np.mean([strength > 0 for strength in seen if strength]) < 0.6
    assert SETS[name].count == count


def test_erasing_covers_a_fifth_at_most() -> None:
    from dataclasses import replace

    how = replace(SETS["none"], erase=1.0)
    plain, changing = Preprocess(SIZE).load(photo(2)), Changing(Preprocess(SIZE), 0, how)
    for view in range(20):
        share = (changing.load(photo(2), "x", view) != plain).any(2).mean()
        assert 0.005 < share < 0.25
