"""Does memory format or `torch.compile` make learning faster on a processor? `python -m benchmarks.compiling [NAME …]`.

For each backbone (default: `NAMES`) all of it, and where it can be cut the part above the cut, learn from the same
batch in turn, `ROUNDS` times: with planes one after another, with channels last, and with channels last compiled.
Printed is a Markdown table of photos a second, medians, and what compiling took. Weights are random but for `lite0`;
speed does not depend on them.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from finegraft.models import backbones, cut
from finegraft.models.network import build
from finegraft.training.grafted import Grafted
from finegraft.vision.whole_trunk import Whole

NAMES = ("lite0", "timm:resnet18", "timm:vit_tiny_patch16_224")
ROUNDS = 7
BATCH = 16
CLASSES = 10


def parts(name: str) -> Iterator[tuple[str, list[nn.Module], Any]]:
    """What may learn of a backbone, three times, and a batch for it."""
    row = backbones.find(name, None if name == "lite0" else "none")
    side = row.graft_size
    photos = torch.randint(256, (BATCH, side, side, 3), dtype=torch.uint8)
    yield f"{name}, {side} pixels, all of it", [Whole(build(row, side)).eval() for _ in range(3)], photos
    if (where := cut.default_cut(build(row, side))) is None:
        return
    with torch.no_grad():
        maps, below = cut.Lower(build(row, side), where).eval()(photos)
    yield f"{name}, above {where}", [cut.Upper(build(row, side), where, side).eval() for _ in range(3)], (maps, below)


def measured(trunks: list[nn.Module], inputs: Any) -> tuple[list[float], float]:
    """Photos a second with planes, with channels last, and compiled; and the seconds that compiling took."""
    width = trunks[0](inputs).shape[1]
    last = [trunk.to(memory_format=torch.channels_last) for trunk in trunks[1:]]  # type: ignore[call-overload]
    networks = [Grafted(trunk, nn.Sequential(nn.Linear(width, CLASSES))).train() for trunk in (trunks[0], *last)]
    networks[2].compile(dynamic=False)
    truth = torch.randint(CLASSES, (BATCH,))

    def seconds(network: nn.Module, given: Any) -> float:
        started = time.perf_counter()
        nn.functional.cross_entropy(network(given), truth).backward()  # type: ignore[no-untyped-call]
        network.zero_grad()
        return time.perf_counter() - started

    given = [inputs, *[_channels_last(inputs)] * 2]
    first = [seconds(network, own) for network, own in zip(networks, given, strict=True)]
    turns = [[seconds(network, own) for network, own in zip(networks, given, strict=True)] for _ in range(ROUNDS)]
    return [BATCH / statistics.median(times) for times in zip(*turns, strict=True)], first[2]


def _channels_last(inputs: Any) -> Any:
    if isinstance(inputs, tuple):
        return inputs[0].contiguous(memory_format=torch.channels_last), inputs[1]
    return inputs  # photos are turned into maps by the network itself


if __name__ == "__main__":
    print("| what learns | planes | channels last | compiled | compiling |\n|---|---|---|---|---|")
    for called in sys.argv[1:] or NAMES:
        for what, trunks, batch in parts(called):
            rates, took = measured(trunks, batch)
            print(f"| {what} | {' | '.join(f'{rate:.1f}' for rate in rates)} | {took:.0f} s |", flush=True)
