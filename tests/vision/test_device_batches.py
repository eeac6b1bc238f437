"""Photos that lie on a device and are changed there; the device is the processor here, the arithmetic the same."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from finegraft.data.record import Record
from finegraft.training.loaders import Batches
from finegraft.vision.changing import Changing
from finegraft.vision.device_batches import DeviceBatches, View, changed, drawn, room_for, stacked
from finegraft.vision.preprocess import Preprocess
from finegraft.vision.sets import SETS
from tests.making import scene

ALL = (0.0, 0.0, 1.0, 1.0)


def photos(n: int = 3, side: int = 96) -> torch.Tensor:
    return stacked([np.asarray(scene(seed, (side, side))) for seed in range(n)], "cpu")


def test_nothing_changed_is_the_photo_itself() -> None:
    kept = photos()
    seen = changed(kept, [View(ALL, False, 1.0, 1.0)] * 3, 96)
    torch.testing.assert_close(seen, kept.float(), atol=1e-2, rtol=0)


def test_mirrored_is_left_to_right() -> None:
    kept = photos()
    seen = changed(kept, [View(ALL, True, 1.0, 1.0)] * 3, 96)
    torch.testing.assert_close(seen, kept.float().flip(2), atol=1e-2, rtol=0)


def test_a_part_is_cut_where_pillow_cuts_it() -> None:
    picture = scene(5, (128, 128))
    kept = stacked([np.asarray(picture)], "cpu")
    seen = changed(kept, [View((0.25, 0.5, 0.75, 1.0), False, 1.0, 1.0)], 64)[0].numpy()
    wanted = np.asarray(picture.resize((64, 64), Image.Resampling.BILINEAR, box=(32, 64, 96, 128)), float)
    assert np.abs(seen - wanted)[1:-1, 1:-1].max() < 1.0


def test_light_is_that_of_the_processors_way() -> None:
    kept = photos(1)
    seen = changed(kept, [View(ALL, False, 1.1, 0.8)], 96)
    values = kept[0].float()
    middle = values.mean()
    torch.testing.assert_close(seen[0], ((values - middle) * 0.8 + middle * 1.1).clamp(0, 255), atol=1e-2, rtol=0)


def test_a_view_is_nearly_the_one_a_processor_makes_from_the_file() -> None:
    """The same numbers are drawn; what differs is the filter: bilinear from a kept copy, bicubic from the file."""
    picture = scene(9, (288, 288))
    file = io.BytesIO()
    picture.save(file, "PNG")
    changing = Changing(Preprocess(224), seed=4)
    for view in range(1, 6):
        wanted = changing.load(file.getvalue(), "digest", view).astype(float)
        seen = changed(stacked([np.asarray(picture)], "cpu"), [drawn(SETS["light"], 4, view, "digest")], 224)[0].numpy()
        assert np.abs(seen - wanted).mean() < 5
        assert np.corrcoef(seen.ravel(), wanted.ravel())[0, 1] > 0.985


def test_an_epoch_has_the_order_of_all_batches_and_new_views() -> None:
    n = 11
    records = [Record(f"{number}.png", f"d{number}", "a") for number in range(n)]
    kept = stacked([np.full((16, 16, 3), 20 * number, np.uint8) for number in range(n)], "cpu")
    feed = DeviceBatches(records, kept, torch.arange(n), size=4, seed=2, changing=Changing(Preprocess(8), 0))
    plain = Batches(torch.arange(n)[:, None].float(), torch.arange(n), size=4, seed=2)
    assert (len(feed), feed.records) == (len(plain), n)
    first = list(feed.epoch(0))
    for (seen, truth), (_, wanted) in zip(first, plain.epoch(0), strict=True):
        assert torch.equal(truth, wanted)
        assert seen.shape[1:] == (8, 8, 3)
        for value, number in zip(seen.mean((1, 2, 3)).tolist(), truth.tolist(), strict=True):
            assert 20 * number * 0.8 - 1 <= value <= 20 * number * 1.2 + 1
    again = list(feed.epoch(0))
    assert all(torch.equal(one[0], other[0]) for one, other in zip(first, again, strict=True))
    assert not torch.equal(next(iter(feed.epoch(1)))[0], first[0][0])


@pytest.mark.parametrize(("free", "room"), [(10 * 10 * 10 * 3 / 0.4 + 1, True), (10 * 10 * 10 * 3, False)])
def test_photos_are_kept_where_there_is_room_beside_the_network(free: float, room: bool) -> None:
    assert room_for(10, 10, int(free)) is room
