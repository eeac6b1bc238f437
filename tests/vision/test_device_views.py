"""Photos that are changed on a device; the device is the processor here, the arithmetic the same."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageFilter

from finegraft.vision import changing as on_host
from finegraft.vision.changing import Changing
from finegraft.vision.device_batches import stacked
from finegraft.vision.device_views import View, can_draw, changed, corners_of, drawn, in_other_hues, mirrored
from finegraft.vision.preprocess import Preprocess
from finegraft.vision.sets import SETS, Augmentation
from tests.making import scene

ALL = corners_of((0.0, 0.0, 1.0, 1.0))


def photos(n: int = 3, side: int = 96) -> torch.Tensor:
    return stacked([np.asarray(scene(seed, (side, side))) for seed in range(n)], "cpu")


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_nothing_changed_is_the_photo_itself() -> None:
    kept = photos()
    torch.testing.assert_close(changed(kept, [View(ALL)] * 3, 96), kept.float(), atol=2e-2, rtol=0)


def test_mirrored_is_left_to_right() -> None:
    kept = photos()
    seen = changed(kept, [View(mirrored(ALL))] * 3, 96)
    torch.testing.assert_close(seen, kept.float().flip(2), atol=2e-2, rtol=0)


def test_a_part_is_cut_where_pillow_cuts_it() -> None:
    picture = scene(5, (128, 128))
    seen = changed(stacked([np.asarray(picture)], "cpu"), [View(corners_of((0.25, 0.5, 0.75, 1.0)))], 64)[0].numpy()
    wanted = np.asarray(picture.resize((64, 64), Image.Resampling.BILINEAR, box=(32, 64, 96, 128)), float)
    assert np.abs(seen - wanted)[1:-1, 1:-1].max() < 1.0


def test_light_is_that_of_the_processors_way() -> None:
    kept = photos(1)
    seen = changed(kept, [View(ALL, brightness=1.1, contrast=0.8)], 96)
    values = kept[0].float()
    middle = values.mean()
    torch.testing.assert_close(seen[0], ((values - middle) * 0.8 + middle * 1.1).clamp(0, 255), atol=2e-2, rtol=0)


def test_saturation_is_pillows() -> None:
    picture = scene(5, (96, 96))
    for factor in (0.0, 0.6, 1.4):
        seen = changed(stacked([np.asarray(picture)], "cpu"), [View(ALL, saturation=factor)], 96)[0].numpy()
        wanted = np.asarray(ImageEnhance.Color(picture).enhance(factor), float)
        assert np.abs(seen - wanted).max() <= 1.5


def test_hues_are_those_of_the_processors_way() -> None:
    picture = scene(5, (96, 96))
    for turn in (-0.3, 0.05, 0.5):
        seen = changed(stacked([np.asarray(picture)], "cpu"), [View(ALL, hue=turn)], 96)[0].numpy()
        wanted = np.asarray(on_host.in_other_hues(picture, turn), float)
        assert np.abs(seen - wanted).mean() < 2  # Pillow's wheel has 256 steps


def test_a_full_turn_of_the_wheel_changes_nothing() -> None:
    planes = photos().permute(0, 3, 1, 2).float()
    torch.testing.assert_close(in_other_hues(planes, torch.ones(3, 1, 1, 1)), planes, atol=2e-3, rtol=0)


def test_a_covered_rectangle_has_the_mean_colour() -> None:
    kept = photos(2)
    seen = changed(kept, [View(ALL, covered=(0.25, 0.5, 0.5, 0.75)), View(ALL)], 96)
    torch.testing.assert_close(seen[0, 48:72, 24:48], kept[0].float().mean((0, 1)).expand(24, 24, 3), atol=2e-2, rtol=0)
    rest = torch.ones(96, 96, dtype=torch.bool)
    rest[48:72, 24:48] = False
    torch.testing.assert_close(seen[0][rest], kept[0].float()[rest], atol=2e-2, rtol=0)
    torch.testing.assert_close(seen[1], kept[1].float(), atol=2e-2, rtol=0)


PARTS: dict[str, Augmentation] = {
    **{name: how for name, how in SETS.items() if can_draw(how)},
    "turned": replace(SETS["none"], area=(0.5, 1.0), turn=25.0),
    "tilted": replace(SETS["none"], area=(0.5, 1.0), tilt=0.2),
    "erased": replace(SETS["none"], area=(0.5, 1.0), erase=1.0),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_view_is_nearly_the_one_a_processor_makes_from_the_file(name: str) -> None:
    """The same numbers are drawn; what differs is the filter, which a smooth photo hardly shows."""
    picture, how = scene(9, (288, 288)).filter(ImageFilter.GaussianBlur(3)), PARTS[name]
    there = stacked([np.asarray(picture)], "cpu")
    changing = Changing(Preprocess(224, crop=1.0), 4, how)
    for view in range(1, 7):
        wanted = changing.load(png(picture), "digest", view).astype(float)
        seen = changed(there, [drawn(how, 4, view, "digest", 224)], 224)[0].numpy()
        assert np.abs(seen - wanted).mean() < 2
        assert np.corrcoef(seen.ravel(), wanted.ravel())[0, 1] > 0.998


def test_operations_of_a_policy_are_pillows_alone() -> None:
    assert [name for name, how in SETS.items() if not can_draw(how)] == ["trivial", "rand"]
