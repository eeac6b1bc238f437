"""Photos: the only package that touches the bytes of one.

`read` opens and checks a folder of photos, `learner` makes what learns from it, `Preprocess` turns file bytes into a
model's input, `network` finds that of a backbone, `overlay` makes a picture of a heat map, `thumbnail` a small one for
a page, and `verify` says why bytes are no usable photo. All are loaded on first use (PEP 562): predicting never pays
for what only training needs.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from finegraft.errors import MissingExtra

if TYPE_CHECKING:
    from finegraft.vision.assembly import learner as learner
    from finegraft.vision.body import network as network
    from finegraft.vision.checks import verify as verify
    from finegraft.vision.overlaying import overlay as overlay
    from finegraft.vision.preprocess import Preprocess as Preprocess
    from finegraft.vision.rendering import thumbnail as thumbnail
    from finegraft.vision.sources import read as read

name = "vision"

_PUBLIC = {
    "Preprocess": "finegraft.vision.preprocess",
    "learner": "finegraft.vision.assembly",
    "network": "finegraft.vision.body",
    "overlay": "finegraft.vision.overlaying",
    "read": "finegraft.vision.sources",
    "thumbnail": "finegraft.vision.rendering",
    "verify": "finegraft.vision.checks",
}

__all__ = ["Preprocess", "learner", "name", "network", "overlay", "read", "thumbnail", "verify"]


def __getattr__(attribute: str) -> Any:
    if attribute not in _PUBLIC:
        raise AttributeError(f"module 'finegraft.vision' has no attribute {attribute!r}")
    if attribute == "learner" and importlib.util.find_spec("torch") is None:
        raise MissingExtra("train", "Training")
    return getattr(importlib.import_module(_PUBLIC[attribute]), attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
