"""The kinds of data: what a modality package must offer, and the table of those there are.

Each modality is a package because it owns code that touches raw things. Everything else asks
`get(name)` and imports no modality.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol, cast

import numpy as np

from finegraft.errors import UnreadableFile, UsageError


class Preprocess(Protocol):
    """Raw bytes to one array; stored with the weights, the same two lines in training and in serving."""

    def load(self, content: bytes) -> np.ndarray:
        """The model's input for one item. Raises `UnreadableFile` with a reason."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The JSON form stored in a bundle."""
        ...


class PreprocessType(Protocol):
    """The class behind `Preprocess`: reads the stored form back."""

    def from_json(self, stored: dict[str, Any]) -> Preprocess:
        """The inverse of `Preprocess.to_json`. Raises `BundleError` on anything malformed."""
        ...


class Network(NamedTuple):
    """The ONNX bytes of a backbone, and the digest of its weights."""

    graph: bytes
    backbone: str


class Modality(Protocol):
    """The names a modality package exports.

    `overlay` makes a PNG to lay over an item from its bytes, its preprocess and a heat map float (h, w), 0 to 1.
    `network` takes the name of a backbone and a stored preprocess; it raises `BackboneError` or `MissingExtra` where
    the backbone is not installed.
    """

    name: ClassVar[str]
    Preprocess: PreprocessType
    read: Callable[[str | Path], Any]
    learner: Callable[..., Any]
    network: Callable[[str, dict[str, Any]], Network]
    overlay: Callable[[bytes, Any, np.ndarray], bytes]
    thumbnail: Callable[[bytes, int], bytes]
    verify: Callable[[bytes], UnreadableFile | None]


MODALITIES: dict[str, str] = {"vision": "finegraft.vision"}


def get(name: str) -> Modality:
    """The modality package called `name`. Raises `UsageError` naming those there are."""
    if name not in MODALITIES:
        raise UsageError(f"There is no kind of data called {name!r}.", f"Known: {', '.join(sorted(MODALITIES))}.")
    return cast(Modality, importlib.import_module(MODALITIES[name]))
