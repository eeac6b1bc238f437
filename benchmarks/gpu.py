"""Photos a second that a card fine-tunes: ours beside timm's and fastai's loops, and beside what the card could do.

    make bench-gpu DATA=PHOTOS
    python -m benchmarks.gpu PHOTOS [--models resnet50,…] [--batch 64] [--steps 50] [--device cuda]

All of the network learns, from the files on, at the architecture's own size, in bfloat16 with channels last and AdamW.
timm's loop is the one of its own training script: its loader with its augmentation and prefetcher, its optimizer
factory, autocast. fastai's is `Learner.fit` with its loaders and `aug_transforms`, in its own environment
(`benchmarks/fastai`); where that cannot be installed its column says so. Each side warms up and is timed for the same
number of steps, in turn, three times; printed is the median. `compiled` is ours with torch.compile, which trainings of
`finegraft.training.compiling.WORTH` steps and more use. `share` is what ours is of the card's ceiling: the
floating-point operations of a step (forward and twice as many backward) over those of a large matrix product in
bfloat16, measured in the same process.

Needs PHOTOS in class folders. Weights are random: speed does not depend on them. Without CUDA it says so and ends with
0, unless another --device is asked for, which is for trying the program itself.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import finegraft as fg
from benchmarks.fastai import environment
from finegraft.data.dataset import Dataset
from finegraft.features.store import Store
from finegraft.models.timm_weights import timm_package
from finegraft.training.compiling import compiled
from finegraft.training.learner import Learner
from finegraft.training.loaders import batches_of
from finegraft.training.optimizers import set_step
from finegraft.training.schedule import Step
from finegraft.vision.assembly import learner as make_learner

MODELS = ("resnet50", "convnext_tiny", "vit_small_patch16_224")
SIDES = ("ours", "compiled", "timm", "fastai")
REPEATS = 3
Steps = Callable[[int], int]  # takes so many steps, returns the photos learned from


def ceiling(device: str, side: int = 8192) -> float:
    """Floating-point operations a second of a matrix product in bfloat16."""
    side = side if device == "cuda" else 512
    a = torch.randn(side, side, device=device, dtype=torch.bfloat16)
    seconds = []
    for _ in range(5):
        _wait(device)
        started = time.perf_counter()
        for _ in range(10):
            a @ a
        _wait(device)
        seconds.append((time.perf_counter() - started) / 10)
    return 2 * side**3 / min(seconds)


def operations(network: nn.Module, inputs: torch.Tensor) -> float:
    """Of learning from one photo: a forward pass, and twice as many for the gradients."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(inputs)
    return 3 * counter.get_total_flops() / len(inputs)


def ours(learner: Learner, batch: int) -> tuple[Steps, nn.Module]:
    """Steps as `Learner.fine_tune` takes them, from its own feed."""
    learner.unfreeze()
    tuning = learner._stage.tuning
    assert tuning is not None
    tuning._batch_size = batch
    optimizer = tuning._optimizer([1.0] * len(tuning.learning))
    set_step(optimizer, Step(1e-4, 0.9))
    tuning.network.train()

    def batches() -> Iterator[Any]:
        epoch = 0
        while True:
            yield from feed.epoch(epoch)
            epoch += 1

    feed, endless = tuning._feed(), batches()

    def steps(count: int) -> int:
        seen = 0
        for inputs, truth in islice(endless, count):
            loss = learner._recipe.objective(tuning.network(inputs), truth)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            seen += len(truth)
        return seen

    return steps, tuning.network


def faster(steps: Steps, network: nn.Module) -> Steps:
    """The same `steps` with `network` compiled; compiling happens in the first ones."""

    def run(count: int) -> int:
        with compiled(network, wanted=True):
            return steps(count)

    return run


def timms(architecture: str, data: Dataset, size: int, batch: int, device: str) -> Steps:
    """Steps as timm's own training script takes them."""
    timm = timm_package()
    from timm.data import ImageDataset, create_loader
    from timm.optim import create_optimizer_v2

    network = timm.create_model(architecture, num_classes=len(data.classes)).to(device)
    network = network.to(memory_format=torch.channels_last).train()
    optimizer = create_optimizer_v2(network, opt="adamw", lr=1e-4, weight_decay=0.05)
    loader = create_loader(
        ImageDataset(str(data.root)),
        input_size=(3, size, size),
        batch_size=batch,
        is_training=True,
        use_prefetcher=device == "cuda",
        num_workers=8 if device == "cuda" else 0,
        device=torch.device(device),
    )
    loss_of = nn.CrossEntropyLoss()

    def batches() -> Iterator[Any]:
        while True:
            yield from loader

    endless = batches()

    def steps(count: int) -> int:
        seen = 0
        for inputs, truth in islice(endless, count):
            inputs = inputs.to(device, memory_format=torch.channels_last)
            with torch.autocast(device, torch.bfloat16):
                loss = loss_of(network(inputs), truth.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seen += len(inputs)
        return seen

    return steps


class Fastais:
    """Steps of fastai's loop in a process of its own, which holds its network and loaders between the turns."""

    def __init__(self, architecture: str, photos: Path, size: int, batch: int, device: str) -> None:
        script = environment.HERE / "steps.py"
        words = [environment.python(), script, photos, architecture, str(size), str(batch), device]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def rate(self, count: int) -> float:
        """Photos a second over `count` steps, by its own clock, the card waited for."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{count}\n")
        stdin.flush()
        answer = stdout.readline()
        if not answer:
            raise RuntimeError(f"fastai's side ended with {self._process.wait()}.")
        return float(answer)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def rate(steps: Steps, count: int, device: str) -> float:
    """Photos a second over `count` steps."""
    _wait(device)
    started = time.perf_counter()
    seen = steps(count)
    _wait(device)
    return seen / (time.perf_counter() - started)


def compare(
    photos: Path, architecture: str, batch: int, count: int, device: str, size: int | None, with_fastai: bool
) -> dict[str, Any]:
    """All sides in turn."""
    data = fg.vision.read(photos).split(valid=0.2, seed=0)
    with Store.in_memory() as store:
        learner = make_learner(
            data,
            f"timm:{architecture}",
            weights="none",
            size=size,
            device=device,
            store=store,
            show=False,
            head="linear",
        )
    learner.fit_one_cycle(1)
    own, network = ours(learner, batch)
    side = learner._stage.grafting.body.preprocess.size  # type: ignore[attr-defined]
    runs = {"ours": own, "compiled": faster(own, network), "timm": timms(architecture, data, side, batch, device)}
    turns: dict[str, Callable[[int], float]] = {
        name: lambda count, steps=steps: rate(steps, count, device)  # type: ignore[misc]
        for name, steps in runs.items()
    }
    theirs = Fastais(architecture, data.root, side, batch, device) if with_fastai else None
    if theirs is not None:
        turns["fastai"] = theirs.rate
    try:
        for turn in turns.values():
            turn(max(count, _an_epoch(learner, batch)))  # batches of both sizes, that what is compiled is so by then
        rates = {name: statistics.median(values) for name, values in _in_turn(turns, count).items()}
    finally:
        if theirs is not None:
            theirs.close()
    photo = torch.zeros(2, side, side, 3, dtype=torch.uint8, device=device)
    share = rates["ours"] * operations(network.trunk, photo) / ceiling(device)  # type: ignore[arg-type]
    return {"model": architecture, "size": side, **rates, "share": share}


def _an_epoch(learner: Learner, batch: int) -> int:
    return batches_of(len(learner.data.part("train")), batch)


def _in_turn(turns: dict[str, Callable[[int], float]], count: int) -> dict[str, list[float]]:
    """The rates of all sides, `REPEATS` rounds."""
    rounds = [{name: turn(count) for name, turn in turns.items()} for _ in range(REPEATS)]
    return {name: [row[name] for row in rounds] for name in turns}


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _fastai_is_here() -> bool:
    """Whether its environment is there, or could be made; else stderr says so."""
    try:
        environment.python()
    except subprocess.CalledProcessError:
        print("fastai's environment could not be installed: it is left out.", file=sys.stderr)
        return False
    return True


def line(row: dict[str, Any]) -> str:
    """The row of the table."""
    cells = [f"{row[side]:.0f}" if side in row else "not installed" for side in SIDES]
    return f"| {row['model']} | {' | '.join(cells)} | {row['ours'] / row['timm']:.2f} | {row['share']:.2f} |"


def main(given: Sequence[str] | None = None) -> int:
    """The command. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make bench-gpu", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--size", type=int)
    parser.add_argument("--device", default="cuda")
    asked = parser.parse_args(given)
    if asked.device == "cuda" and not torch.cuda.is_available():
        print("There is no CUDA card here: nothing was measured.")
        return 0
    card = torch.cuda.get_device_name() if asked.device == "cuda" else "a processor"
    with_fastai = _fastai_is_here()
    print(f"{card}, torch {torch.__version__}; photos a second\n| model | {' | '.join(SIDES)} | ours/timm | share |")
    print("|---|---|---|---|---|---|---|")
    rows = []
    for name in asked.models.split(","):
        rows.append(compare(asked.photos, name, asked.batch, asked.steps, asked.device, asked.size, with_fastai))
        print(line(rows[-1]), flush=True)
    print(json.dumps(rows), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
