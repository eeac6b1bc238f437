"""Pictures of every awkward kind."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from finegraft.exporting.golden import golden_set, scene
from finegraft.vision.preprocess import Preprocess

GOLDEN = golden_set()


def test_it_is_the_same_every_time() -> None:
    assert golden_set() == GOLDEN


@pytest.mark.parametrize("name", GOLDEN)
def test_each_can_be_read(name: str) -> None:
    assert Preprocess(64).load(GOLDEN[name]).shape == (64, 64, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_a_camera_turned_stands_upright_when_read_and_not_before(orientation: int) -> None:
    content = GOLDEN[f"exif-{orientation}.jpg"]
    buffer = io.BytesIO()
    scene(orientation).save(buffer, "PNG")
    upright = Preprocess(64).load(buffer.getvalue()).astype(float)
    assert np.abs(Preprocess(64).load(content) - upright).mean() < 4
    as_stored = np.asarray(Image.open(io.BytesIO(content)).convert("RGB").resize((64, 64)), float)
    likeness = np.corrcoef(as_stored.ravel(), np.asarray(scene(orientation).resize((64, 64)), float).ravel())[0, 1]
    assert (likeness > 0.95) == (orientation == 1)


def test_the_kinds_are_what_their_names_say() -> None:
    modes = {name: Image.open(io.BytesIO(content)) for name, content in GOLDEN.items()}
    assert modes["rgba.png"].mode == "RGBA"
    assert modes["cmyk.jpg"].mode == "CMYK"
    assert modes["sixteen-bits.png"].mode == "I;16"
    assert modes["palette.png"].mode == "P"
    assert modes["grey.jpg"].mode == "L"
    assert modes["animated.gif"].n_frames == 3  # type: ignore[attr-defined]
    assert modes["column.png"].size == (1, 640)
    assert modes["row.png"].size == (640, 1)
    assert modes["huge.jpg"].size == (6000, 4000)
    assert len(GOLDEN["huge.jpg"]) < 2**20
