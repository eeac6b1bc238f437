"""A backbone's trunk and the head on it as one network, for as long as both learn."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class Grafted(nn.Module):
    """What the trunk takes -> scores (n, k).

    Batch norms of the trunk stay as the pretraining left them: they normalise by the averages of a million photos, in
    training as in serving, and their gain and shift are learned. Averages over mini-batches of a few dozen photos would
    be another network in training than in serving. The head's own batch norm learns its averages, as it always does;
    those of the trunk do where `averages` says so, which a network with random weights needs.
    """

    def __init__(self, trunk: nn.Module, head: nn.Sequential, averages: bool = False) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = head
        self._averages = averages

    def forward(self, inputs: Any) -> Tensor:
        """Run both; the trunk on a card in bfloat16 while it learns, the head always in single precision."""
        on_card = next(self.head.parameters()).device.type == "cuda"
        # On processors bfloat16 took twice as long, but for those with matrix units.
        with torch.autocast("cuda", torch.bfloat16, enabled=on_card and self.training):
            features = self.trunk(inputs)
        scores: Tensor = self.head(features.float())
        return scores

    def train(self, mode: bool = True) -> Grafted:
        """As torch's, but for batch norms of the trunk that keep their averages."""
        super().train(mode)
        for module in () if self._averages else self.trunk.modules():
            if isinstance(module, _NORMS):
                module.eval()
        return self
