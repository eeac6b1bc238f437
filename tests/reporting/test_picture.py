from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from finegraft.errors import DataError
from finegraft.reporting.picture import lr_curve_png
from tests.reporting.making import finder_curve


def test_the_png_holds_the_curve_and_the_chosen_rate() -> None:
    found = finder_curve()
    content = lr_curve_png(found["lrs"], found["losses"], found["suggestion"])
    image = Image.open(io.BytesIO(content))
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (1120, 720))
    pixels = np.asarray(image).reshape(-1, 3).astype(int)
    for colour in ((138, 79, 29), (31, 111, 70), (251, 250, 246)):  # bark: the curve; leaf: the choice; paper
        assert (np.abs(pixels - colour).max(axis=1) < 12).sum() > 300


def test_the_same_curve_gives_the_same_bytes() -> None:
    found = finder_curve()
    first, second = (lr_curve_png(found["lrs"], found["losses"], 2e-6) for _ in range(2))
    assert first == second


def test_too_few_steps_are_refused_with_what_to_do() -> None:
    with pytest.raises(DataError, match=r"1 of 2 steps have a finite loss\. Run the finder again with a lower first"):
        lr_curve_png([1e-3, 1e-2], [1.0, None], 1e-3)
