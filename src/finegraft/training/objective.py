"""What is minimised, by target."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

# Scores (n, k) and truth (n,) to the mean loss, a scalar.
Objective = Callable[[Tensor, Tensor], Tensor]


def of_categories(label_smoothing: float = 0.0) -> Objective:
    """Cross-entropy of softmax scores against class numbers.

    No label smoothing by default: on frozen features it left accuracy where it was and made the probabilities
    worse (held-out loss on bears 0.159 with 0.1, 0.119 without).
    """
    return nn.CrossEntropyLoss(label_smoothing=label_smoothing)
