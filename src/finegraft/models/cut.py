"""A backbone in two: a lower part that stays as it is, and an upper part that may go on learning.

What the lower part says of a photo (a map, some ten thousand numbers) never changes, so it is computed once, by the
fastest engine, and training the upper part starts there. The cut lies at the end of a stage; of `lite0`, the part above
the one used by default holds four fifths of the weights and does 37 % of the work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from finegraft.models.network import Extractor

# Half precision maps, engines and fused layers all differ more than this from one another.
_SAME = 1e-3
Maps = tuple[Tensor, Tensor]


class Lower(nn.Module):
    """uint8 photos (n, size, size, 3) -> their map (n, c, h, w) at the cut, and the averages (n, b) of stages below."""

    def __init__(self, extractor: Extractor, cut: str) -> None:
        super().__init__()
        self.extractor = extractor
        self._reached: list[Tensor] = []
        # Before the extractor's own hook, so that the average of the cut itself is left to the upper part.
        extractor.body.get_submodule(cut).register_forward_hook(self._keep, prepend=True)

    def _keep(self, module: nn.Module, inputs: object, output: Tensor) -> None:  # noqa: ARG002
        below = self.extractor.averages(lowest=True)
        empty = output.flatten(1)[:, :0]
        self._reached[:] = [output, torch.cat([empty, *below], dim=1)]

    def forward(self, photos: Tensor) -> Maps:
        """Run the body; what lies above the cut is computed for nothing here, and falls away in a graph."""
        self.extractor(photos)
        reached, below = self._reached
        self._reached.clear()
        return reached, below


class Upper(nn.Module):
    """What `Lower` gives -> features (n, d): the extractor, for photos of `size` pixels, with all up to the cut taken
    out.
    """

    def __init__(self, extractor: Extractor, cut: str, size: int) -> None:
        super().__init__()
        self.extractor = extractor
        _take_out(extractor, cut, size)

    def forward(self, maps: Maps) -> Tensor:
        """Run the rest of the body."""
        return self.extractor.run(*maps)[1]


def halves(make: Callable[[], Extractor], size: int) -> tuple[str, Lower, Upper] | None:
    """Where an extractor may be cut for photos of `size` pixels, and both parts; None where it is no chain.

    `make` gives a new one each time.
    """
    whole = make()
    try:
        if (cut := default_cut(whole)) is None:
            return None
        lower, upper = Lower(make(), cut).eval(), Upper(make(), cut, size).eval()
        same = fits(lower, upper, whole, size)
    except (RuntimeError, ValueError, TypeError, AssertionError, AttributeError):  # a module met what it was
        # not made for, and says so in its own way
        return None
    return (cut, lower, upper) if same else None


def default_cut(extractor: Extractor) -> str | None:
    """The end of the last stage with a finer map than the last one; None where all stages have the same."""
    info = cast(Any, extractor.body).feature_info
    rows = info.info if hasattr(info, "info") else info
    coarsest = max(row["reduction"] for row in rows)
    finer = [row["module"] for row in rows if row["reduction"] < coarsest]
    return finer[-1] if finer else None


@torch.no_grad()
def fits(lower: Lower, upper: Upper, whole: Extractor, size: int) -> bool:
    """Whether both parts, one after the other, say of a photo what `whole` says.

    Not every architecture is a chain of the modules it lists; those that are not are trained from the photos on.
    """
    photo = torch.randint(256, (1, size, size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    wanted, got = whole(photo)[1], upper(lower(photo))
    return got.shape == wanted.shape and bool(torch.allclose(got, wanted, atol=_SAME, rtol=_SAME))


def _take_out(extractor: Extractor, cut: str, size: int) -> None:
    """Let everything up to `cut`, and the module itself, pass on what it is given."""
    parent: nn.Module = extractor.body
    order = _order(extractor, size)
    for depth, name in enumerate(cut.split(".")):
        last = depth == cut.count(".")
        path = ".".join(cut.split(".")[: depth + 1])
        at = order.index(path)
        for child, module in list(parent.named_children()):
            sibling = ".".join([*cut.split(".")[:depth], child])
            if sibling in order and (order.index(sibling) < at or (last and child == name)):
                setattr(parent, child, _passing(module if last and child == name else None))
        parent = cast(nn.Module, getattr(parent, name))


def _passing(tapped: nn.Module | None) -> nn.Module:
    """A module that passes on what it is given, to the hooks of `tapped` too."""
    passing = nn.Identity()
    if tapped is not None:
        passing._forward_hooks = tapped._forward_hooks
    return passing


@torch.no_grad()
def _order(extractor: Extractor, size: int) -> list[str]:
    """The names of the body's modules as they start to run."""
    order: list[str] = []
    names = {id(module): name for name, module in extractor.body.named_modules()}
    hooks = [
        module.register_forward_pre_hook(lambda module, _: order.append(names[id(module)]))
        for module in extractor.body.modules()
    ]
    try:
        extractor(torch.zeros(1, size, size, 3, dtype=torch.uint8))
    finally:
        for hook in hooks:
            hook.remove()
    return order
