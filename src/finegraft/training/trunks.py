"""What a modality offers so that what lies below the head may learn too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from torch import Tensor, nn

from finegraft.data.record import Record
from finegraft.models.groups import Group
from finegraft.training.loaders import Feed
from finegraft.training.origin import Origin


class Trunk(Protocol):
    """The part of a network below the head while it learns: `network` takes what `feed` gives and returns features.

    The features are those that the frozen backbone gives, column by column, so a head that was trained on these goes on
    from where it stands.
    """

    @property
    def network(self) -> nn.Module:
        """Inputs of a mini-batch -> features (n, d)."""
        ...

    @property
    def pretrained(self) -> bool:
        """Whether it has learned before; else its weights are random, and everything is learned here."""
        ...

    @property
    def views(self) -> int:
        """How many epochs show new views; later ones show these again."""
        ...

    def groups(self) -> list[Group]:
        """All parameters that may learn, in groups from the lowest to the highest."""
        ...

    def feed(
        self, records: Sequence[Record], truth: Tensor, batch_size: int, seed: int, epochs: int | None = None
    ) -> Feed:
        """Mini-batches of changed views of `records`, for `epochs` passes; None: nobody knows how many."""
        ...

    def efforts(self, epochs: int) -> list[float]:
        """What learning from each of so many epochs costs, in parts of one that shows records in full size."""
        ...

    def features(self, records: Sequence[Record]) -> Tensor:
        """Features float32 (n, d) of `records` unchanged, by the network as it stands."""
        ...

    def settled(self) -> Grafting:
        """Where features come from with the weights as they stand, frozen again."""
        ...


class Grafting(Origin, Protocol):
    """An origin of features whose backbone may learn."""

    @property
    def usual(self) -> int:
        """The lowest group of layers that learns unless more is asked for; 0 where the weights are random."""
        ...

    def trunk(self, n: int) -> tuple[Trunk, int]:
        """A trunk in which the groups from `n` on may learn, and how many groups lie below it.

        `n` counts the groups of the whole backbone from 0, the lowest, with the head as the last one; negative numbers
        count from the end. Raises `UsageError` where there is no such group, or the backbone cannot learn.
        """
        ...

    def show(self, records: Sequence[Record], path: Path, changed: bool) -> None:
        """Write a picture of `records` as the model sees them: `changed`, as they are learned from, or as judged."""
        ...

    def features(self, records: Sequence[Record], mirrored: bool = False) -> np.ndarray:
        """Features float32 (n, d) of `records`, or of their mirror images.

        Raises `DataError` for one that can no longer be read.
        """
        ...
