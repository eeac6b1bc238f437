"""An .onnx file as a backbone row: how to feed it stands in a JSON file of the same name beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from finegraft.errors import BackboneError
from finegraft.models.backbones import Backbone, file_digest

# As `finegraft.vision.preprocess`, which this layer does not import, takes them.
SIZES = range(8, 2048 + 1)
INTERPOLATIONS = ("bilinear", "bicubic", "lanczos")
_NEEDED = ("mean", "size", "std")


def find(path: Path) -> Backbone:
    """The row of a frozen model of any framework.

    Raises `BackboneError` where the model or its JSON file is missing, and naming what is wrong in the latter.
    """
    beside = path.with_suffix(".json")
    if not path.is_file():
        raise BackboneError(f"There is no backbone file {path}.", "Check the path given to --backbone.")
    if not beside.is_file():
        raise BackboneError(
            f"{path.name} does not say how its input looks, and guessing would give wrong answers.",
            f'Put a file {beside.name} beside it with at least {{"size": 224, "mean": [r, g, b], "std": [r, g, b]}} '
            "(mean and std on a 0..1 scale).",
        )
    try:
        told = _checked(json.loads(beside.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        also = ", ".join(name for name in _FIELDS if name not in _NEEDED)
        raise BackboneError(
            f"{beside} cannot be used: {error}.", f'It needs "size", "mean" and "std", and may have {also}.'
        ) from error
    return Backbone(
        name=path.name,
        architecture="onnx",
        source=f"file {path.name}",
        weights=path,
        digest=file_digest(path),
        size=told["size"],
        graft_size=told["size"],
        mean=_three(told["mean"]),
        std=_three(told["std"]),
        crop=float(told.get("crop", 1.0)),
        interpolation=told.get("interpolation", "bicubic"),
        licence=told.get("licence", "unknown"),
        paper=told.get("paper", ""),
        kind="onnx",
    )


def _checked(told: Any) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise ValueError(f"it must be an object, got {type(told).__name__}")
    if missing := [name for name in _NEEDED if name not in told]:
        raise ValueError(f"it lacks {', '.join(missing)}")
    # A setting we dropped in silence would give wrong answers: the writer believes that it counts.
    if unknown := sorted(set(told) - set(_FIELDS)):
        raise ValueError(f"it has {', '.join(map(repr, unknown))}, which mean nothing here")
    for name, value in told.items():
        wanted, is_good = _FIELDS[name]
        if not is_good(value):
            raise ValueError(f'"{name}" must be {wanted}, got {repr(value)[:60]}')
    return told


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= 1e6 and math.isfinite(value)  # the first refuses whole numbers that no float can hold


def _are_three(values: object) -> bool:
    return isinstance(values, list) and len(values) == 3 and all(map(_is_number, values))


def _three(values: list[float]) -> tuple[float, float, float]:
    red, green, blue = map(float, values)
    return red, green, blue


def _is_text(value: object) -> bool:
    return isinstance(value, str)


# key -> (what it must be, how to tell)
_FIELDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "size": (f"a whole number from {SIZES[0]} to {SIZES[-1]}", lambda v: type(v) is int and v in SIZES),
    "mean": ("a list of three numbers", _are_three),
    "std": ("a list of three numbers above 0", lambda v: _are_three(v) and min(v) > 0),
    "crop": ("above 0 and at most 1", lambda v: _is_number(v) and 0 < v <= 1),
    "interpolation": (f"one of {', '.join(INTERPOLATIONS)}", lambda v: v in INTERPOLATIONS),
    "licence": ("text", _is_text),
    "paper": ("text", _is_text),
}
