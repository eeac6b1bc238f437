"""Training a head on few records: the same head, many times faster.

Gradients by records are sums of their features, so a head's first layer only ever moves within the span of the records
it learns from. Written in a basis of that span, n records have n coordinates instead of d features, and every step
costs n / d of the time. What lies outside the span is touched by weight decay alone; one coordinate that no record has
follows it. The head that comes out is that of `Recipe.train` but for rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from finegraft.training.recipe import Fit, Recipe, Table

# With more records than this part of the features, finding the basis costs more than it saves.
_WORTH_IT = 0.5


def train_in_span(recipe: Recipe, network: nn.Sequential, table: Table, fits: Sequence[Fit]) -> None:
    """Train `network`, as `recipe.fresh` makes it, in place, as `recipe.train` would for each of `fits`."""
    n, d = table.features.shape
    if table.mirrored is not None or n > _WORTH_IT * d:
        for fit in fits:
            recipe.train(network, table, fit)
        return
    first = cast(nn.Linear, network[1])
    with torch.no_grad():
        basis, coordinates = _basis(network[0](table.features))
        inside = first.weight @ basis
        outside = first.weight - inside @ basis.T
    short = _shortened(first, inside)
    within = Table(coordinates, table.truth)
    smaller = nn.Sequential(nn.Identity(), short, *list(network)[2:])
    for fit in fits:
        recipe.train(smaller, within, fit)
    with torch.no_grad():
        first.weight.copy_(short.weight[:, :-1] @ basis.T + short.weight[:, -1:] * outside)
        if first.bias is not None:
            first.bias.copy_(short.bias)
    network.eval()


def _basis(features: Tensor) -> tuple[Tensor, Tensor]:
    """An orthonormal basis (d, n) of the rows of `features` (n, d), and their coordinates, with a last one of 0."""
    basis, triangle = torch.linalg.qr(features.T)
    return basis, nn.functional.pad(triangle.T, (0, 1))


def _shortened(first: nn.Linear, inside: Tensor) -> nn.Linear:
    """`first` in coordinates, with 1 as the weight of the last: what decay leaves of it is left of all outside."""
    short = nn.Linear(inside.shape[1] + 1, first.out_features, first.bias is not None, inside.device)
    with torch.no_grad():
        short.weight.copy_(nn.functional.pad(inside, (0, 1), value=1.0))
        if first.bias is not None:
            short.bias.copy_(first.bias)
    return short
