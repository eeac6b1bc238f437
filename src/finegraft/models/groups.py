"""The parameters of a body in groups, from the lowest layers to the highest, to freeze or to give their own rates."""

from __future__ import annotations

from typing import Any, cast

from torch import nn

from finegraft.errors import UsageError
from finegraft.models.timm_weights import timm_package

Group = tuple[str, list[nn.Parameter]]


def layer_groups(body: nn.Module) -> list[Group]:
    """(name of the lowest module, its parameters) of each stage of a body of timm, from the stem upwards.

    The stages are those of the architecture's own name patterns (`group_matcher`); a body without them is taken by its
    children, in their order. The body's own classifier is in no group: features do not pass through it. Neither is what
    a shortened body lacks (`finegraft.models.cut`).
    """
    own = _classifier(body)
    named = {name: parameter for name, parameter in body.named_parameters() if not name.startswith(own)}
    found = [(names[0].rsplit(".", 1)[0], names) for names in _by_stage(body, list(named))]
    return [(name, [named[each] for each in names]) for name, names in found]


def undecayed(network: nn.Module) -> list[nn.Parameter]:
    """The parameters that architectures in `network` themselves keep from weight decay, as position embeddings.

    They are named by timm's `no_weight_decay`; biases and norms are not among them.
    """
    found: dict[int, nn.Parameter] = {}
    for module in network.modules():
        if callable(named := getattr(module, "no_weight_decay", None)):
            names = set(named())
            found.update((id(own), own) for name, own in module.named_parameters() if name in names)
    return list(found.values())


def frozen_below(groups: list[Group], n: int) -> list[Group]:
    """The groups from number `n` on, which learn; the others' parameters want no gradient from now on.

    Negative numbers count from the end, as in fastai's `freeze_to`. Raises `UsageError` where no group is left.
    """
    if not -len(groups) <= n < len(groups):
        raise UsageError(f"There are {len(groups)} groups of layers, so none can be number {n}.")
    first = n % len(groups)
    for number, (_, parameters) in enumerate(groups):
        for parameter in parameters:
            parameter.requires_grad_(number >= first)
    return groups[first:]


def _by_stage(body: nn.Module, names: list[str]) -> list[list[str]]:
    if not hasattr(body, "group_matcher"):
        children: dict[str, list[str]] = {}
        for name in names:
            children.setdefault(name.split(".", 1)[0], []).append(name)
        return list(children.values())
    timm_package()  # remedies torchvision first
    from timm.models import group_parameters

    stages = group_parameters(body, cast(Any, body).group_matcher(coarse=True))
    wanted = set(names)
    kept = ([name for name in stage if name in wanted] for _, stage in sorted(stages.items()))
    return [stage for stage in kept if stage]


def _classifier(body: nn.Module) -> tuple[str, ...]:
    """What the names of the classifier's parameters begin with."""
    given = getattr(body, "default_cfg", {}).get("classifier") or ()
    return tuple(f"{name}." for name in ((given,) if isinstance(given, str) else given))
