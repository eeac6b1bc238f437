"""The part that gives the headline number, in an envelope: what cannot be seen chooses nothing."""

from __future__ import annotations

from torch import nn

from finegraft.training.recipe import Recipe, Table


class Sealed:
    """Holds the judged records. Whoever chooses takes a `Table`, which this is not and does not give away unseen.

    `looks` counts how often it was opened after a training that had not been judged before: 1 for an honest headline
    number. With every further look a person, or a program, may choose what happens to do well on just these records.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._seen_at: int | None = None
        self.looks = 0

    def __len__(self) -> int:
        return len(self._table.truth)

    def opened(self, fits: int) -> Table:
        """The records, to be judged after `fits` stretches of training. Counts a look where training went on since."""
        if fits != self._seen_at:
            self.looks += 1
            self._seen_at = fits
        return self._table

    def watched(self, network: nn.Module, recipe: Recipe) -> tuple[float, float]:
        """(mean loss, mean error) as `network` stands, for a table that a person reads while it trains."""
        return recipe.judge(network, self._table)
