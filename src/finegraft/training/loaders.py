"""Mini-batches of arrays: a new order every epoch, the same one for the same (seed, epoch)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor


class Feed(Protocol):
    """What a training learns from: mini-batches of (inputs, truth), in a new order every epoch."""

    @property
    def seed(self) -> int:
        """What the order depends on, beside the epoch."""
        ...

    @property
    def records(self) -> int:
        """Records of an epoch."""
        ...

    def __len__(self) -> int:
        """Batches of an epoch."""
        ...

    def epoch(self, number: int) -> Iterator[tuple[Any, Tensor]]:
        """The mini-batches of epoch `number`, which counts from 0: the same ones every time."""
        ...


@dataclass(frozen=True)
class Batches:
    """`inputs` (n, d) and `truth` (n,) cut into mini-batches of about `size` records.

    The batches of an epoch differ by at most one record and hold two or more, as batch norm needs, unless n is 1.
    Where `mirrored` (n, d) is given, every record comes as one of its two views, by a coin thrown anew every epoch.
    """

    inputs: Tensor
    truth: Tensor
    size: int
    seed: int
    mirrored: Tensor | None = None

    @property
    def records(self) -> int:
        """Records of an epoch."""
        return len(self.inputs)

    def __len__(self) -> int:
        """Batches of an epoch."""
        return batches_of(len(self.inputs), self.size)

    def epoch(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The mini-batches of one epoch."""
        generator = generator_of(self.seed, number)
        order = torch.randperm(len(self.inputs), generator=generator)
        heads_up = torch.rand(len(self.inputs), generator=generator) < 0.5
        for rows in order.tensor_split(len(self)):
            inputs = self.inputs[rows]
            if self.mirrored is not None:
                coin = heads_up[rows].to(inputs.device)
                inputs = torch.where(coin[:, None], self.mirrored[rows], inputs)
            yield inputs, self.truth[rows]


def batches_of(n: int, size: int) -> int:
    """Batches of n records: as many as it takes for none to exceed `size`, where that leaves each of them two."""
    return max(1, min(math.ceil(n / size), n // 2))


def batches_in_order(n: int, size: int, seed: int, epoch: int) -> tuple[Tensor, ...]:
    """The rows, int64 (b,), of each mini-batch of an epoch of n records, in their order."""
    return torch.randperm(n, generator=generator_of(seed, epoch)).tensor_split(batches_of(n, size))


def generator_of(seed: int, epoch: int) -> torch.Generator:
    """Where the order of an epoch is drawn from: its first draw is a permutation of the records."""
    return torch.Generator().manual_seed(seed * 1_000_003 + epoch)
