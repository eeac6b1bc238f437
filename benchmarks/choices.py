"""The evidence behind the defaults: every choice against its alternatives, on parts of the data that judge nothing.

    python -m benchmarks.choices            all of them, about 20 minutes on two cores
    python -m benchmarks.choices view head  some of them

For each data set the training photos are split at random, a fifth held out (10 times; clothing, which is larger, 5
times), and all alternatives see the same splits. Printed: mean accuracy, and mean loss after the best single
temperature. Of clothing only the part called train is used: the test part is for judging.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import functools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.model_selection import StratifiedShuffleSplit
from torch import nn

from finegraft.evaluation.calibration import fit_temperature
from finegraft.features.store import Store
from finegraft.models import heads
from finegraft.targets import Category, softmax
from finegraft.training import loop
from finegraft.training.lr_finder import find_lr
from finegraft.training.objective import of_categories
from finegraft.training.optimizers import sgd
from finegraft.training.recipe import Recipe, Table, default_batch_size, default_epochs, scores_of
from finegraft.training.schedule import Schedule, Step, one_cycle
from finegraft.vision.body import body, features_of
from finegraft.vision.preprocess import Resize
from finegraft.vision.sources import read

DATA = Path(os.environ.get("FINEGRAFT_SHARED_DATA", "../shared/data"))
SETS = {"bears": ("bears", 10), "pets": ("pets", 10), "clothing": ("clothing/train", 5)}
Optimizer = Callable[[nn.Module], torch.optim.Optimizer]


@dataclass(frozen=True)
class Way:
    """One alternative: which photos the backbone sees, which head learns from them, and how."""

    size: int = 288
    crop: float = 1.0
    resize: Resize = "crop"
    mirror: bool = False
    head: heads.HeadKind = "mlp"
    hidden: int = heads.HIDDEN
    input_dropout: float = 0.0
    optimizer: Optimizer = sgd
    rate: float | None = None  # None: the finder's


def adam(network: nn.Module) -> torch.optim.Optimizer:
    """AdamW as fastai sets it up; rate and momentum are set before every step."""
    return torch.optim.AdamW(network.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)


@functools.cache
def table_of(
    photos: Path, size: int = 288, crop: float = 1.0, resize: Resize = "crop", mirror: bool = False
) -> tuple[Table, int]:
    """The features of photos in class folders, and how many classes they have."""
    data = read(photos)
    with Store.open() as store:
        grafted = body("lite0", store, size=size, crop=crop, resize=resize)
        views = [
            torch.from_numpy(features_of(data.usable, data.root, grafted, store, None, view).values)
            for view in (("plain", "mirrored") if mirror else ("plain",))
        ]
    labels = [str(record.label) for record in data.usable]
    target = Category.of(labels)
    return Table(views[0], torch.from_numpy(target.encode(labels)), views[1] if mirror else None), len(target)


def _head(way: Way, learn: Table, classes: int) -> nn.Sequential:
    torch.manual_seed(0)
    network = heads.make(way.head, learn.features, classes)
    if way.head == "linear":
        return network
    width = learn.features.shape[1]
    return nn.Sequential(
        network[0],
        nn.Dropout(way.input_dropout),
        nn.Linear(width, way.hidden, bias=False),
        nn.BatchNorm1d(way.hidden),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(way.hidden, classes),
    )


def _set_adam_step(optimizer: torch.optim.Optimizer, step: Step) -> None:
    for group in optimizer.param_groups:
        group["lr"], group["betas"] = step.rate, (step.momentum, 0.99)


def _judged(way: Way, learn: Table, rest: Table, classes: int) -> tuple[float, float]:
    """(accuracy, loss after the best temperature) on `rest`."""
    recipe = Recipe(classes, of_categories(), default_batch_size(len(learn.truth)), 0)
    network = _head(way, learn, classes)
    batches = recipe.batches(learn)
    rate = way.rate or find_lr(network, batches, recipe.objective).suggestion
    epochs, schedule = default_epochs(len(learn.truth)), one_cycle(rate)
    torch.manual_seed(0)
    if way.optimizer is sgd:
        loop.fit(network, batches, sgd(network), recipe.objective, schedule, epochs)
    else:
        _fit_with(way.optimizer(network), network, recipe, learn, schedule, epochs)
    scores, truth = scores_of(network, rest), rest.truth.numpy()
    probabilities = softmax(scores, fit_temperature(scores, truth))
    loss = -np.log(probabilities[np.arange(len(truth)), truth].clip(1e-12)).mean()
    return float((scores.argmax(1) == truth).mean()), float(loss)


def _fit_with(
    optimizer: torch.optim.Optimizer, network: nn.Module, recipe: Recipe, learn: Table, schedule: Schedule, epochs: int
) -> None:
    batches = recipe.batches(learn)
    for epoch in range(epochs):
        for number, (inputs, truth) in enumerate(batches.epoch(epoch)):
            _set_adam_step(optimizer, schedule((epoch + number / len(batches)) / epochs))
            optimizer.zero_grad()
            recipe.objective(network(inputs), truth).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    network.eval()


def measure(way: Way, name: str) -> tuple[float, float]:
    """Mean accuracy and loss over the splits of one data set."""
    table, classes = table_of(DATA / SETS[name][0], way.size, way.crop, way.resize, way.mirror)
    splits = StratifiedShuffleSplit(SETS[name][1], test_size=0.2, random_state=0).split(table.truth, table.truth)
    found = [_judged(way, table.rows(learn), table.rows(rest), classes) for learn, rest in splits]
    accuracy, loss = np.mean(found, axis=0)
    return float(accuracy), float(loss)


CHOICES: dict[str, dict[str, Way]] = {
    "view": {
        "288 px, whole shorter side": Way(),
        "224 px": Way(size=224),
        "256 px": Way(size=256),
        "320 px": Way(size=320),
        "7/8 of the shorter side": Way(crop=0.875),
        "squished": Way(resize="squish"),
        "padded": Way(resize="pad"),
        "mirrored too": Way(mirror=True),
    },
    "head": {
        "256 hidden": Way(),
        "linear": Way(head="linear"),
        "128 hidden": Way(hidden=128),
        "512 hidden": Way(hidden=512),
        "256 hidden, inputs dropped": Way(input_dropout=0.25),
    },
    "optimizer": {
        f"{name}, {head}, rate {rate:g}": Way(head=head, optimizer=optimizer, rate=rate)
        for head in ("linear", "mlp")
        for name, optimizer, rates in (("SGD", sgd, (1e-3, 3e-3, 1e-2)), ("AdamW", adam, (3e-4, 1e-3, 3e-3)))
        for rate in rates
    },
}


def rows(wanted: list[str]) -> Iterator[str]:
    """Lines of a Markdown table, one alternative each, as they are measured."""
    for choice in wanted:
        yield f"\n| {choice} | " + " | ".join(f"{name} accuracy | {name} loss" for name in SETS) + " |"
        yield "|---|" + "---|" * 2 * len(SETS)
        for title, way in CHOICES[choice].items():
            figures = [measure(way, name) for name in SETS]
            yield f"| {title} | " + " | ".join(f"{a:.4f} | {b:.4f}" for a, b in figures) + " |"


def main(words: list[str]) -> None:
    """The command."""
    unknown = sorted(set(words) - set(CHOICES))
    if unknown:
        sys.exit(f"There is no choice called {unknown[0]!r}. There are: {', '.join(CHOICES)}.")
    for line in rows(words or list(CHOICES)):
        print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
