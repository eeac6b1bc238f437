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

    The batches of an epoch differ by at most one record, so that none is too small for batch norm.
    """

    inputs: Tensor
    truth: Tensor
    size: int
    seed: int

    def __len__(self) -> int:
        """Batches per epoch: as many as it takes for none to exceed `size`."""
        return max(1, math.ceil(len(self.inputs) / self.size))

    def epoch(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The mini-batches of one epoch."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        order = torch.randperm(len(self.inputs), generator=generator)
        for rows in order.tensor_split(len(self)):
            yield self.inputs[rows], self.truth[rows]
