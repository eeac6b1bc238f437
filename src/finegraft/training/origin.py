"""Where features come from, as the learner sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from finegraft.inference.predictor import Predictor
    from finegraft.training.learner import Learner


class Origin(Protocol):
    """Where the features came from; it knows how to join a trained head to the backbone."""

    def predictor(self, layers: Sequence[tuple[np.ndarray, np.ndarray]], learner: Learner) -> Predictor:
        """The backbone with `layers` (weight, bias) behind it, as a predictor."""
        ...

    def describe(self) -> dict[str, Any]:
        """`backbone`, `preprocess`, `engine` and `threads`, for run.json."""
        ...
