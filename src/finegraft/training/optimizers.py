"""Optimizers, set up the way the loop uses them."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim import sgd as torchs_own

from finegraft.errors import UsageError
from finegraft.training.schedule import Step

# On heads, plain momentum generalises better than Adam, which follows the sign of a gradient more than its size: on
# pets the held-out loss is 0.346 against 0.378 for a linear head, on clothing 0.294 against 0.301; with a hidden layer
# 0.361 against 0.375, and 0.286 against 0.289 (best of four rates each, 10 and 3 splits). Decay hardly matters there.
WEIGHT_DECAY = 1e-2


class Optimizer(Protocol):
    """What the loop needs of an optimizer; those of `torch.optim` have it."""

    param_groups: list[dict[str, Any]]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        ...

    def step(self) -> Any:
        """Change the parameters by their gradients."""
        ...


class Sgd:
    """SGD with Nesterov momentum, as `torch.optim.SGD` computes it: torch's own function, fused into one pass.

    The class of torch does the same, but loads torch's compiler first (822 modules, a second on two cores).
    """

    def __init__(self, groups: list[dict[str, Any]], rate: float = 1e-3, momentum: float = 0.9) -> None:
        self.param_groups = [{"lr": rate, "momentum": momentum, **group} for group in groups]
        self._buffers: dict[Tensor, Tensor | None] = {}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Change the parameters by their gradients; those that have none stay."""
        for group in self.param_groups:
            moved = [p for p in group["params"] if p.grad is not None]
            if not moved:
                continue
            buffers = [self._buffers.get(p) for p in moved]
            torchs_own.sgd(
                moved,
                [p.grad for p in moved],
                buffers,
                fused=True,
                weight_decay=group["weight_decay"],
                momentum=group["momentum"],
                lr=group["lr"],
                dampening=0.0,
                nesterov=True,
                maximize=False,
            )
            self._buffers.update(zip(moved, buffers, strict=True))


def sgd(network: nn.Module, weight_decay: float = WEIGHT_DECAY) -> Sgd:
    """SGD with Nesterov momentum over the trainable parameters.

    Biases and norms (everything one-dimensional) are not decayed. Rate and momentum are set before every step.
    """
    trainable = [p for p in network.parameters() if p.requires_grad]
    return Sgd(
        [
            {"params": [p for p in trainable if p.ndim > 1], "weight_decay": weight_decay},
            {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
        ]
    )


# What Adam and its kin remember of squared gradients: fastai's, a tenth of torch's 0.999, for trainings of a few
# hundred steps.
_BETAS = {"betas": (0.9, 0.99)}
Scaled = tuple[Sequence[nn.Parameter], float]


@dataclass(frozen=True)
class _Kind:
    """An optimizer: its class in `torch.optim`, the usual weight decay, and settings other than torch's own."""

    of_torch: str
    decay: float
    settings: Mapping[str, Any] = field(default_factory=dict)


# Where decay is part of the gradient, an adaptive optimizer divides it by the gradient's size: it then means something
# else for every weight, so there is none unless asked for (Loshchilov and Hutter, 2019, "Decoupled Weight Decay
# Regularization", arXiv 1711.05101).
_KINDS = {
    "adadelta": _Kind("Adadelta", 0.0),
    "adafactor": _Kind("Adafactor", WEIGHT_DECAY),
    "adagrad": _Kind("Adagrad", 0.0),
    "adam": _Kind("Adam", 0.0, _BETAS),
    "adamax": _Kind("Adamax", 0.0),
    "adamw": _Kind("AdamW", WEIGHT_DECAY, _BETAS),
    "nadam": _Kind("NAdam", WEIGHT_DECAY, {**_BETAS, "decoupled_weight_decay": True}),
    "radam": _Kind("RAdam", WEIGHT_DECAY, {**_BETAS, "decoupled_weight_decay": True}),
    "rmsprop": _Kind("RMSprop", 0.0, {"momentum": 0.9}),
    "sgd": _Kind("SGD", WEIGHT_DECAY),
}
NAMES = tuple(_KINDS)
OF_ADAM = ("adam", "adamax", "adamw", "nadam", "radam")
# Those of torch that do not go with a schedule over mini-batches.
_REFUSED = {
    "asgd": "what it answers with is an average of weights that torch keeps aside",
    "lbfgs": "it asks for the loss several times in one step",
    "muon": "it is for matrices alone, and networks have biases and norms",
    "rprop": "it is for whole data sets at once, and finds rates of its own",
    "sparseadam": "it is for sparse gradients alone",
}


def by_name(
    name: str,
    groups: Sequence[Scaled],
    weight_decay: float | None = None,
    undecayed: Collection[nn.Parameter] = (),
) -> Optimizer:
    """The optimizer `name` of `torch.optim`, in any case, over groups of (parameters, scale of their rate).

    "sgd" is `Sgd`, the same with Nesterov momentum. `weight_decay` (default: the usual one of each) spares biases and
    norms (everything one-dimensional) and those in `undecayed` (`finegraft.models.groups.undecayed`). Parameters that
    want no gradient are left out. Rate and momentum are set before every step.

    Raises `UsageError` for an unknown name, and where nothing is left to learn.
    """
    kind = _kind(name)
    decay = kind.decay if weight_decay is None else weight_decay
    spared = {id(parameter) for parameter in undecayed}
    settings: list[dict[str, Any]] = []
    for parameters, scale in groups:
        trainable = [p for p in parameters if p.requires_grad]
        decayed = [p for p in trainable if p.ndim > 1 and id(p) not in spared]
        others = [p for p in trainable if p.ndim <= 1 or id(p) in spared]
        for chosen, own in ((decayed, decay), (others, 0.0)):
            if chosen:
                settings.append({"params": chosen, "scale": scale, "weight_decay": own})
    if not settings:
        raise UsageError("Nothing is left to learn: all layers are frozen.", "Call unfreeze() or freeze_to(-1).")
    if kind.of_torch == "SGD":
        return Sgd(settings)
    made: Optimizer = getattr(torch.optim, kind.of_torch)(settings, lr=1e-3, **kind.settings)
    return made


def check(name: str) -> None:
    """Raise `UsageError` where there is no optimizer called `name`."""
    _kind(name)


def _kind(name: str) -> _Kind:
    word = name.casefold().replace("_", "").replace("-", "")
    if word in _KINDS:
        return _KINDS[word]
    known = f"Known: {', '.join(NAMES)}."
    if word in _REFUSED:
        raise UsageError(f"The optimizer {name!r} does not fit here: {_REFUSED[word]}.", known)
    near = difflib.get_close_matches(word, NAMES, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise UsageError(f"There is no optimizer called {name!r}.", hint + known)


def set_step(optimizer: Optimizer, step: Step) -> None:
    """Set rate and momentum of every group for the next step.

    A group with a `scale` gets so many times the rate. Adam and its kin know momentum as the first of their `betas`;
    those that have neither (Adagrad, Adadelta, Adafactor) follow the rate alone.
    """
    for group in optimizer.param_groups:
        group["lr"] = step.rate * group.get("scale", 1.0)
        if "betas" in group:
            group["betas"] = (step.momentum, group["betas"][1])
        elif "momentum" in group:
            group["momentum"] = step.momentum
