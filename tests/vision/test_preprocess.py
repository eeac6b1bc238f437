from __future__ import annotations

import io
import itertools
import json
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image, ImageOps

from finegraft.errors import BundleError, UnreadableFile, UsageError
from finegraft.vision import decoding
from finegraft.vision.preprocess import Interpolation, Preprocess, Resize
from tests.making import encoded, photo, picture

FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def slowly(content: bytes, how: Preprocess) -> np.ndarray:
    """The plain way: decode whole, turn first, cut, then resize once in full."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
    width, height = image.size
    if how.resize == "crop":
        side = min(width, height) * how.crop
        box = ((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
        return np.asarray(image.resize((how.size, how.size), FILTERS[how.interpolation], box)).astype(int)
    if how.resize == "squish":
        return np.asarray(image.resize((how.size, how.size), FILTERS[how.interpolation])).astype(int)
    scale = how.size / max(width, height)
    target = (max(round(width * scale), 1), max(round(height * scale), 1))
    square = Image.new("RGB", (how.size, how.size), (128, 128, 128))
    small = image.resize(target, FILTERS[how.interpolation])
    square.paste(small, ((how.size - target[0]) // 2, (how.size - target[1]) // 2))
    return np.asarray(square).astype(int)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("resize", "kind"), list(itertools.product(get_args(Resize), ["JPEG", "PNG"])))
def test_turning_last_equals_turning_first(resize: Resize, kind: str, orientation: int) -> None:
    content = encoded(picture(1, (80, 60)), kind, orientation=orientation)
    how = Preprocess(size=48, resize=resize)
    # The two passes of a resize each round and clip once; turned, they come in the other order.
    difference = abs(how.load(content) - slowly(content, how))
    assert difference.max() <= 4
    assert difference.mean() < 0.4


@pytest.mark.parametrize("interpolation", get_args(Interpolation))
@pytest.mark.parametrize("resize", get_args(Resize))
@pytest.mark.parametrize("size", [(1600, 1100), (333, 777), (200, 201), (31, 20), (1, 1), (3, 900)])
def test_a_jpeg_decoded_small_looks_like_one_decoded_whole(
    size: tuple[int, int], resize: Resize, interpolation: Interpolation
) -> None:
    content = photo(2, size)
    how = Preprocess(size=64, resize=resize, interpolation=interpolation)
    seen = how.load(content)
    assert seen.shape == (64, 64, 3)
    assert seen.dtype == np.uint8
    # A way of its own through the pixels, but the same picture: no shift, no other brightness.
    assert abs(seen - slowly(content, how)).mean() < 4
    assert abs(seen.mean() - slowly(content, how).mean()) < 1


def test_a_shrunk_jpeg_is_not_shifted() -> None:
    """An edge at one fifth must stay there: a shift of half a pixel would move 12 of 255 on average."""
    image = Image.new("RGB", (1999, 1999), "black")
    image.paste("white", (400, 0, 1999, 1999))
    how = Preprocess(size=100, resize="squish")
    content = encoded(image, "JPEG", quality=95)
    assert abs(how.load(content) - slowly(content, how)).max() <= 12


@pytest.mark.parametrize("resize", get_args(Resize))
@pytest.mark.parametrize("size", [(1, 60_000), (60_000, 1)])
def test_the_longest_strip_is_still_a_photo(size: tuple[int, int], resize: Resize) -> None:
    how = Preprocess(size=32, resize=resize)
    for kind in ("PNG", "JPEG"):
        assert how.load(encoded(Image.new("RGB", size, "red"), kind)).shape == (32, 32, 3)


def test_crop_takes_the_middle() -> None:
    image = Image.new("RGB", (200, 100), "red")
    image.paste("blue", (60, 10, 140, 90))  # 80 of 100: the crop of 0.75 lies wholly in it
    assert set(map(tuple, Preprocess(size=32, crop=0.75).load(encoded(image, "PNG")).reshape(-1, 3).tolist())) == {
        (0, 0, 255)
    }


def test_pad_keeps_the_whole_photo_on_grey() -> None:
    seen = Preprocess(size=32, resize="pad").load(encoded(Image.new("RGB", (64, 32), "red"), "PNG"))
    assert (seen[8:24] == (255, 0, 0)).all()
    assert (seen[:8] == 128).all()
    assert (seen[24:] == 128).all()


def test_the_answer_is_the_same_every_time_and_may_be_written_to() -> None:
    how, content = Preprocess(), photo(3, (400, 533))
    first = how.load(content)
    assert (first == how.load(content)).all()
    assert first.flags.writeable
    assert first.flags.c_contiguous


@pytest.mark.parametrize("content", [b"", b"text", photo(1)[:500]])
def test_what_is_no_photo_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableFile):
        Preprocess().load(content)


def test_json_and_back() -> None:
    how = Preprocess(size=260, resize="pad", crop=1, interpolation="lanczos", mean=(0.4, 0.5, 0.6), std=(1, 2, 3))
    stored = json.loads(json.dumps(how.to_json()))
    assert stored["decoder"] == decoding.describe()
    assert Preprocess.from_json(stored) == how


def test_a_bundle_of_another_decoder_can_be_read() -> None:
    stored = {**Preprocess().to_json(), "decoder": {"decoder": "Pillow", "Pillow": "9.0"}}
    assert Preprocess.from_json(stored) == Preprocess()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"size": 224.0}, "whole number from 8 to 2048, got 224.0"),
        ({"size": True}, "whole number from 8 to 2048, got True"),
        ({"size": 10**9}, "whole number from 8 to 2048, got 1000000000"),
        ({"resize": "stretch"}, "resize must be one of crop, pad, squish, got 'stretch'"),
        ({"resize": ["crop"]}, "resize must be one of"),
        ({"interpolation": None}, "interpolation must be one of bilinear, bicubic, lanczos, got None"),
        ({"crop": 0}, "crop must be above 0 and at most 1, got 0"),
        ({"crop": float("nan")}, "crop must be above 0 and at most 1, got nan"),
        ({"mean": [0.5, 0.5]}, r"mean must be three numbers, got \(0.5, 0.5\)"),
        ({"mean": [0.5, 0.5, float("inf")]}, "mean must be three numbers"),
        ({"mean": 0.5}, "mean must be three numbers, got 0.5"),
        ({"std": [0, 1, 1]}, "std must be three numbers above 0"),
        ({"std": ["1", 1, 1]}, "std must be three numbers above 0"),
        ({"unknown": 1}, "needs exactly .* got .*unknown"),
    ],
)
def test_a_wrong_stored_form_is_refused(change: dict[str, Any], text: str) -> None:
    with pytest.raises(BundleError, match=text):
        Preprocess.from_json({**Preprocess().to_json(), **change})


@pytest.mark.parametrize("stored", [[], None, "x", {}])
def test_what_is_no_stored_form_is_refused(stored: Any) -> None:
    with pytest.raises(BundleError, match="needs exactly"):
        Preprocess.from_json(stored)


def test_a_wrong_setting_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="crop must be above 0"):
        Preprocess(crop=2)


def test_the_digest_names_what_decides_on_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    how = Preprocess()
    assert how.digest == Preprocess(mean=(0.1, 0.2, 0.3), std=(1, 1, 1)).digest
    others = [
        replace(how, size=128),
        replace(how, resize="pad"),
        replace(how, crop=0.9),
        replace(how, interpolation="bilinear"),
    ]
    assert len({how.digest, *(other.digest for other in others)}) == 5
    monkeypatch.setattr(decoding, "describe", lambda: {"decoder": "another"})
    assert Preprocess().digest != how.digest
