"""From the bytes of a photo to the one array a model sees: the same two lines in training and in serving."""

from __future__ import annotations

import functools
import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, cast, get_args

import numpy as np
from PIL import Image

from finegraft.data.contents import digest_of
from finegraft.errors import BundleError, UsageError
from finegraft.vision import decoding

Resize = Literal["crop", "pad", "squish"]
Box = tuple[float, float, float, float]  # left, top, right, bottom
Interpolation = Literal["bilinear", "bicubic", "lanczos"]

FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
LARGEST = 2048  # pixels of a side
_PADDING = (128, 128, 128)  # mid grey: zero after the usual normalising, so the border says nothing


@dataclass(frozen=True)
class Preprocess:
    """How a photo becomes a square of `size` × `size` pixels, and how these are normalised.

    `resize` is "crop" (the middle square, `crop` of the shorter side wide), "pad" (the whole photo with grey
    borders) or "squish" (the whole photo, its shape given up); "pad" and "squish" make no use of `crop`. `mean` and
    `std` (of pixels in 0..1, per channel) are only carried: the model's graph applies them.
    """

    size: int = 224
    resize: Resize = "crop"
    crop: float = 0.875
    interpolation: Interpolation = "bicubic"
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)

    def __post_init__(self) -> None:
        if problem := _problem(self):
            raise UsageError(problem)

    def load(self, content: bytes) -> np.ndarray:
        """The photo in `content` as uint8 of shape (size, size, 3): upright, RGB.

        Raises `UnreadableFile` with a code and a reason; never anything else, whatever the bytes.
        """
        photo = decoding.open_photo(content)
        decoded = decoding.decode(photo, shrink_for(*self.geometry(*photo.size)))
        box, target = self.geometry(*decoded.extent)
        picture = decoded.picture.resize(target, FILTERS[self.interpolation], box=box, reducing_gap=2.0)
        # All three ways to resize are symmetric, so turning the small result equals turning the photo first.
        picture = decoding.turned(picture, decoded.orientation)
        return np.array(self._padded(picture) if self.resize == "pad" else picture)

    def geometry(self, width: float, height: float) -> tuple[Box, tuple[int, int]]:
        """What to cut from a photo of that size, and the width and height it becomes."""
        whole = (0.0, 0.0, float(width), float(height))
        if self.resize == "squish":
            return whole, (self.size, self.size)
        if self.resize == "pad":
            scale = self.size / max(width, height)
            return whole, (max(round(width * scale), 1), max(round(height * scale), 1))
        side = min(width, height) * self.crop
        left, top = (width - side) / 2, (height - side) / 2
        return (left, top, left + side, top + side), (self.size, self.size)

    def _padded(self, picture: Image.Image) -> Image.Image:
        square = Image.new("RGB", (self.size, self.size), _PADDING)
        square.paste(picture, ((self.size - picture.width) // 2, (self.size - picture.height) // 2))
        return square

    @functools.cached_property
    def digest(self) -> str:
        """Hex of all that decides on the pixels: the geometry and the decoder's versions, not `mean` and `std`."""
        decides = self.to_json()
        del decides["mean"], decides["std"]
        return digest_of(json.dumps(decides, sort_keys=True).encode())

    def to_json(self) -> dict[str, Any]:
        """The JSON form stored in a bundle. `decoder` tells what made the pixels; reading it back changes nothing."""
        stored = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}
        return {**stored, "decoder": decoding.describe()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Preprocess:
        """The inverse of `to_json`. Raises `BundleError` on anything missing, unknown or out of range."""
        wanted = {field.name for field in fields(cls)} | {"decoder"}
        if not isinstance(stored, dict) or set(stored) != wanted:
            got = sorted(map(str, stored)) if isinstance(stored, dict) else type(stored).__name__
            raise BundleError(f"A stored preprocess needs exactly {sorted(wanted)}, got {got}.", _MEND)
        try:
            return cls(
                size=stored["size"],
                resize=stored["resize"],
                crop=stored["crop"],
                interpolation=stored["interpolation"],
                mean=_as_tuple(stored["mean"]),
                std=_as_tuple(stored["std"]),
            )
        except UsageError as error:
            raise BundleError(f"The stored preprocess is wrong: {error.what}", _MEND) from error


def shrink_for(box: Box, target: tuple[int, int]) -> int:
    """The coarsest `shrink` for `decode` at which `box` of a photo still has at least the pixels of `target`."""
    room = min((box[2] - box[0]) / target[0], (box[3] - box[1]) / target[1])
    return next((shrink for shrink in (8, 4, 2) if shrink <= room), 1)


_MEND = "Export the model again."


def _problem(given: Preprocess) -> str | None:
    """What is wrong with the fields, in a sentence, or None."""
    if not _is_number(given.size, int) or not 8 <= given.size <= LARGEST:
        return f"The size of the model's input must be a whole number from 8 to {LARGEST}, got {given.size!r}."
    for name, value, known in (
        ("resize", given.resize, get_args(Resize)),
        ("interpolation", given.interpolation, get_args(Interpolation)),
    ):
        if value not in known:
            return f"{name} must be one of {', '.join(known)}, got {value!r}."
    if not _is_number(given.crop) or not 0 < given.crop <= 1:
        return f"crop must be above 0 and at most 1, got {given.crop!r}."
    return _problem_of_channels("mean", given.mean) or _problem_of_channels("std", given.std, above=0.0)


def _problem_of_channels(name: str, values: object, above: float = -math.inf) -> str | None:
    three = isinstance(values, tuple) and len(values) == 3
    if three and all(_is_number(v) and above < v < math.inf for v in cast("tuple[float, ...]", values)):
        return None
    return f"{name} must be three numbers{' above 0' if above == 0 else ''}, got {values!r}."


def _as_tuple(values: Any) -> Any:
    return tuple(values) if isinstance(values, list) else values


def _is_number(value: object, kind: type | tuple[type, ...] = (int, float)) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)  # JSON's true is an int in Python
