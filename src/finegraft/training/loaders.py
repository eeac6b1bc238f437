"""Mini-batches of arrays: a new order every epoch, the same one for the same (seed, epoch)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


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

    def __len__(self) -> int:
        """Batches per epoch: as many as it takes for none to exceed `size`, where that leaves each of them two."""
        n = len(self.inputs)
        return max(1, min(math.ceil(n / self.size), n // 2))

    def epoch(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The mini-batches of one epoch."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        order = torch.randperm(len(self.inputs), generator=generator)
        heads_up = torch.rand(len(self.inputs), generator=generator) < 0.5
        for rows in order.tensor_split(len(self)):
            inputs = self.inputs[rows]
            if self.mirrored is not None:
                coin = heads_up[rows].to(inputs.device)
                inputs = torch.where(coin[:, None], self.mirrored[rows], inputs)
            yield inputs, self.truth[rows]
