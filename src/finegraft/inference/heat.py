"""Which places of the last map spoke for an answer: in closed form, from the head's weights and two outputs.

A head is small, so the gradient of a score with respect to the features is a product of its layers' weights (with the
ReLUs that are on). Of the features, the first are the averages of the last map's channels, the next their largest
values; the gradient at a place of the map is the share of the first by the number of places, and the second where the
largest value lies. Gradient times value, summed over the channels, is what the place gave to the score (HiResCAM,
Draelos and Carin, 2020, arXiv 2011.08891), here beyond what a usual place gives: the average of the training data where
the model knows it, else that of the item's own places. What earlier stages gave is not in it.
`finegraft.exporting.heat_nodes` is the same as a graph.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import numpy as np

from finegraft.errors import BundleError, UsageError
from finegraft.inference.initializers import initializers

_WANTED = re.compile(r"head_\d+_(?:weight|bias)|novelty_mean")
LEAST = 1e-4  # of what places give: where all give the same to that, none is hot
TINY = float(np.finfo(np.float32).tiny)
_CLOSE = 1e-3  # of the largest feature: engines add up in another order


Layers = tuple[tuple[np.ndarray, np.ndarray], ...]


@dataclass(frozen=True, eq=False)
class Head:
    """`layers` are weight float32 (out, in) and bias (out,), from the features to the scores, ReLU between. `usual` are
    the average features of the training data, float32 (d,), None where the model does not know them.
    """

    layers: Layers
    usual: np.ndarray | None = None

    @classmethod
    def of(cls, graph: bytes) -> Head:
        """That of a bundle's graph. Raises `UsageError` where the graph has none of ours."""
        try:
            found = initializers(graph, lambda name: bool(_WANTED.fullmatch(name)))
        except BundleError as error:
            raise UsageError(f"This model cannot tell where it looked: {error.what}") from error
        count = sum(name.startswith("head_") for name in found) // 2
        named = [(f"head_{n}_weight", f"head_{n}_bias") for n in range(count)]
        layers = tuple((found[w], found[b]) for w, b in named if w in found and b in found)
        alone = all(weight.ndim == 2 and bias.shape == weight.shape[:1] for weight, bias in layers)
        if not count or len(layers) < count or not alone or not _chained(layers):
            raise UsageError("This model has no head of its own: it cannot tell where it looked.")
        return cls(layers, found.get("novelty_mean"))

    def gradient(self, features: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Of the scores' product with `direction` (k,) at `features` (d,): float (d,)."""
        on, flowing = [], features
        for weight, bias in self.layers[:-1]:
            flowing = weight @ flowing + bias
            on.append(flowing > 0)
            flowing = np.maximum(flowing, 0)
        back = direction @ self.layers[-1][0]
        for (weight, _), active in zip(reversed(self.layers[:-1]), reversed(on), strict=True):
            back = (back * active) @ weight
        return np.asarray(back)


def _chained(layers: Layers) -> bool:
    """Whether each layer takes what the one before it gives."""
    return all(len(bias) == above.shape[1] for (_, bias), (above, _) in itertools.pairwise(layers))


def against_others(k: int, answer: int) -> np.ndarray:
    """What speaks for one of `k` classes rather than for the rest: float (k,). Of one number, the number itself."""
    direction = np.full(k, -1 / (k - 1) if k > 1 else 1.0)
    direction[answer] = 1.0
    return direction


def direction_of(scores: np.ndarray, platt: np.ndarray | None = None) -> np.ndarray:
    """What speaks for the answer to `scores` (k,): its class rather than others, or the number, float (k,).

    Of tags, whose slopes and shifts are `platt` (k, 2), it is the likeliest, which has no others: each stands alone.
    """
    k = len(scores)
    if platt is None:
        return against_others(k, int(scores.argmax()))
    return np.asarray(np.eye(k)[int((scores * platt[:, 0] + platt[:, 1]).argmax())])


def heat(head: Head, features: np.ndarray, last: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """What each place of the `last` map (c, h, w) gave to `direction`: float (h, w), 0 to 1; what spoke against is 0.

    `features` (d,) are of the same item. Raises `UsageError` where they do not begin with the map's averages, or `head`
    takes others.
    """
    if head.layers[0][0].shape[1] != len(features) or head.layers[-1][0].shape[0] != len(direction):
        raise UsageError("This model's head does not fit its features: it cannot tell where it looked.")
    channels, places = last.shape[0], last.shape[1] * last.shape[2]
    flat = last.reshape(channels, places)
    maxima = maxima_follow(features, last)
    gradient = head.gradient(features, direction)
    usual = np.zeros(2 * channels) if head.usual is None else head.usual[: 2 * channels]
    given = (gradient[:channels] / places) @ (flat - usual[:channels, None])
    if maxima:
        largest = flat == flat.max(axis=1, keepdims=True)
        shares = largest / largest.sum(axis=1, keepdims=True)  # several places with the largest value share it
        given = given + gradient[channels : 2 * channels] @ (shares * (flat - usual[channels:, None]))
    size = float(np.abs(given).max())
    if head.usual is None:
        given = given - given.mean()
    given = np.maximum(given, 0).reshape(last.shape[1:])
    return np.asarray(given / max(float(given.max()), LEAST * size, TINY))


def maxima_follow(features: np.ndarray, last: np.ndarray) -> bool:
    """Whether `features` (d,), which begin with the averages of the `last` map (c, h, w), go on with its maxima.

    Raises `UsageError` where they do not begin so.
    """
    channels = last.shape[0]
    if not _same(features[:channels], last.mean(axis=(1, 2))):
        raise UsageError("This model's backbone does not average its last map: it cannot tell where it looked.")
    return _same(features[channels : 2 * channels], last.max(axis=(1, 2)))


def _same(part: np.ndarray, wanted: np.ndarray) -> bool:
    return part.shape == wanted.shape and bool(np.abs(part - wanted).max() <= _CLOSE * max(1.0, np.abs(wanted).max()))
