"""What is minimised, by target."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

# Scores (n, k) and truth (n,) to the mean loss, a scalar.
Objective = Callable[[Tensor, Tensor], Tensor]


def of_categories(label_smoothing: float = 0.0, weights: Tensor | None = None) -> Objective:
    """Cross-entropy of softmax scores against class numbers, each record's times the weight of its class.

    No label smoothing by default: on frozen features it left accuracy where it was and made the probabilities
    worse (held-out loss on bears 0.159 with 0.1, 0.119 without).

    `weights` float32 (k,), on the device of the scores. The mean is over the records, not over their weights as in
    torch: there a record of a rare class would count the less the more of its class are in its batch. With four bears
    of a kind to learn from, torch's mean found 86 of 100 others of the kind, this one 94.
    """
    if weights is None:
        return nn.CrossEntropyLoss(label_smoothing=label_smoothing)
    each = nn.CrossEntropyLoss(label_smoothing=label_smoothing, reduction="none")
    return lambda scores, truth: (weights[truth] * each(scores, truth)).mean()
