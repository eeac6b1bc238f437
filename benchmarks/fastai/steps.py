"""Runs inside the environment of fastai: steps of its own training loop, as many as are asked for, with a clock.

    python steps.py PHOTOS ARCHITECTURE SIZE BATCH DEVICE

PHOTOS holds class folders. Every line of stdin is a number of steps; the answer on stdout is photos a second. The whole
network learns in mixed precision on a card, from random weights, with fastai's loaders and `aug_transforms`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import torch
from torchvision_ops import import_torchvision

import_torchvision()

from fastai.vision.all import (  # noqa: E402  (its tutorials import `all`)
    Callback,
    CancelFitException,
    CancelValidException,
    ImageDataLoaders,
    Resize,
    aug_transforms,
    default_device,
    vision_learner,
)


class Turns(Callback):
    """Ends a training after so many batches, with the time they took; a first one, that starts its loader, is extra."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.done = -1
        self.photos = 0

    def after_batch(self) -> None:
        """Start the clock after the first batch, stop it after the last one."""
        self.done += 1
        if self.done == 0:
            _wait()
            self.started = time.perf_counter()
            return
        self.photos += len(self.learn.yb[0])
        if self.done == self.wanted:
            _wait()
            self.rate = self.photos / (time.perf_counter() - self.started)
            raise CancelFitException

    def before_validate(self) -> None:
        """Nothing is asked of it here."""
        raise CancelValidException


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def made(photos: Path, architecture: str, size: int, batch: int, device: str) -> Any:
    """fastai's learner of all layers."""
    default_device(device == "cuda")
    loaders = ImageDataLoaders.from_folder(
        photos,
        valid_pct=0.2,
        seed=0,
        item_tfms=Resize(round(size * 1.3)),
        batch_tfms=aug_transforms(size=size, min_scale=0.35),
        bs=batch,
        device=torch.device(device),
        num_workers=8 if device == "cuda" else 0,
    )
    learn = vision_learner(loaders, architecture, pretrained=False)
    learn.unfreeze()
    return learn.to_bf16() if device == "cuda" else learn


def main(words: list[str]) -> None:
    """Answer until stdin ends."""
    photos, architecture, size, batch, device = words
    learn = made(Path(photos), architecture, int(size), int(batch), device)
    per_epoch = len(learn.dls.train)
    for asked in sys.stdin:
        turns = Turns(int(asked))
        with learn.no_bar(), learn.no_logging():
            learn.fit(2 + turns.wanted // per_epoch, 1e-4, cbs=turns)
        print(turns.rate, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
