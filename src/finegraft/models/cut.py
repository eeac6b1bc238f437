"""A backbone in two: a lower part that stays as it is, and an upper part that may go on learning.

What the lower part says of a photo (a map, some ten thousand numbers) never changes, so it is computed once, by the
fastest engine, and training the upper part starts there. The cut lies at the end of a stage; of `lite0`, the part above
the one used by default holds four fifths of the weights and does 37 % of the work.
"""

from __future__ import annotations

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
    """What `Lower` gives -> features (n, d): the extractor with everything up to the cut taken out."""

    def __init__(self, extractor: Extractor, cut: str) -> None:
        super().__init__()
        self.extractor = extractor
        _take_out(extractor, cut)

    def forward(self, maps: Maps) -> Tensor:
        """Run the rest of the body."""
        return self.extractor.run(*maps)[1]


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
    wanted = whole(photo)[1]
    try:
        got = upper(lower(photo))
    except (RuntimeError, ValueError, TypeError):  # a module met a shape it was not made for
        return False
    return got.shape == wanted.shape and bool(torch.allclose(got, wanted, atol=_SAME, rtol=_SAME))


def _take_out(extractor: Extractor, cut: str) -> None:
    """Let everything up to `cut`, and the module itself, pass on what it is given."""
    parent: nn.Module = extractor.body
    order = _order(extractor)
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
def _order(extractor: Extractor) -> list[str]:
    """The names of the body's modules as they start to run."""
    order: list[str] = []
    names = {id(module): name for name, module in extractor.body.named_modules()}
    hooks = [
        module.register_forward_pre_hook(lambda module, _: order.append(names[id(module)]))
        for module in extractor.body.modules()
    ]
    size = _smallest_size(extractor)
    try:
        extractor(torch.zeros(1, size, size, 3, dtype=torch.uint8))
    finally:
        for hook in hooks:
            hook.remove()
    return order


def _smallest_size(extractor: Extractor) -> int:
    """A side that the body takes: its own where that is fixed."""
    patches = getattr(extractor.body, "patch_embed", None)
    own = getattr(patches, "img_size", None)
    return int(own[0]) if own else 64
