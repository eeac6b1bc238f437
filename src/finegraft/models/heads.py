"""Heads: the small networks that learn a user's classes on top of features."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
from torch import Tensor, nn

HeadKind = Literal["linear", "mlp"]
HIDDEN = 256  # units of the hidden layer where nothing else is said


class Standardise(nn.Module):
    """(x - mean) / deviation, both measured on the training features and fixed. (n, d) -> (n, d)."""

    def __init__(self, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)

    def forward(self, x: Tensor) -> Tensor:
        """Shift and scale each column."""
        return (x - cast(Tensor, self.mean)) / cast(Tensor, self.deviation)


class Rescale(nn.Module):
    """x * deviation + mean, both fixed: standardised numbers back in their own unit. (n, k) -> (n, k)."""

    def __init__(self, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)

    def forward(self, x: Tensor) -> Tensor:
        """Scale and shift each column."""
        return x * cast(Tensor, self.deviation) + cast(Tensor, self.mean)


def make(kind: HeadKind, features: Tensor, classes: int, hidden: int = HIDDEN) -> nn.Sequential:
    """A fresh head for `features` (n, d), its random weights drawn from torch's generator.

    "linear" starts at zero: with no hidden layer there is no symmetry to break, and the first loss is exactly
    log(classes). "mlp" has one layer of `hidden` units with batch norm and dropout, as fastai's heads do; theirs also
    drop inputs, which changed no accuracy on clothing, pets and bears and took a third of the training time.
    """
    # 1e-3 keeps features that never vary (a dead channel) from exploding on the first photo that differs.
    standardise = Standardise(features.mean(0), features.std(0, correction=0) + 1e-3)
    width = features.shape[1]
    if kind == "linear":
        last = nn.Linear(width, classes)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        return nn.Sequential(standardise, last)
    return nn.Sequential(
        standardise,
        nn.Linear(width, hidden, bias=False),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(hidden, classes),
    )


def folded(head: nn.Sequential) -> list[tuple[np.ndarray, np.ndarray]]:
    """The head in evaluation mode as (weight (out, in), bias (out,)) pairs with ReLU between them, float64.

    Standardisation, batch norm and a last `Rescale` are affine, so they vanish into their neighbours.
    """
    layers: list[tuple[np.ndarray, np.ndarray]] = []
    shift: np.ndarray | None = None
    scale: np.ndarray | None = None
    for module in head:
        if isinstance(module, Standardise):
            shift, scale = _array(cast(Tensor, module.mean)), 1 / _array(cast(Tensor, module.deviation))
        elif isinstance(module, nn.Linear):
            weight = _array(module.weight)
            bias = _array(module.bias) if module.bias is not None else np.zeros(len(weight))
            if scale is not None and shift is not None:
                weight = weight * scale
                bias = bias - weight @ shift
                shift = scale = None
            layers.append((weight, bias))
        elif isinstance(module, nn.BatchNorm1d):
            weight, bias = layers[-1]
            gain = _array(module.weight) / np.sqrt(_array(cast(Tensor, module.running_var)) + module.eps)
            layers[-1] = (
                weight * gain[:, None],
                (bias - _array(cast(Tensor, module.running_mean))) * gain + _array(module.bias),
            )
        elif isinstance(module, Rescale):
            weight, bias = layers[-1]
            gain = _array(cast(Tensor, module.deviation))
            layers[-1] = weight * np.reshape(gain, (-1, 1)), bias * gain + _array(cast(Tensor, module.mean))
        elif not isinstance(module, nn.Dropout | nn.ReLU):
            raise TypeError(f"A head cannot fold a {type(module).__name__}.")
    return layers


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)
