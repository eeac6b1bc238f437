"""A backbone's trunk and the head on it as one network, for as long as both learn."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class Grafted(nn.Module):
    """What the trunk takes -> scores (n, k).

    Batch norms of the trunk stay as the pretraining left them: they normalise by the averages of a million photos, in
    training as in serving, and their gain and shift are learned. Averages over mini-batches of a few dozen photos would
    be another network in training than in serving. The head's own batch norm learns its averages, as it always does.
    """

    def __init__(self, trunk: nn.Module, head: nn.Sequential) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = head

    def forward(self, inputs: Any) -> Tensor:
        """Run both; the head in single precision whatever the trunk computes in."""
        scores: Tensor = self.head(self.trunk(inputs).float())
        return scores

    def train(self, mode: bool = True) -> Grafted:
        """As torch's, but for the batch norms of the trunk."""
        super().train(mode)
        for module in self.trunk.modules():
            if isinstance(module, _NORMS):
                module.eval()
        return self
