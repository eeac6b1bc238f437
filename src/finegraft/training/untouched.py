"""Trying something with a network, and leaving everything as it was."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


@contextmanager
def untouched(network: nn.Module, seed: int) -> Iterator[None]:
    """Inside, `network` may be trained and random numbers drawn, torch's from `seed` on; after it nothing has changed.

    Parameters, buffers, gradients, the mode of every module and the generators of torch, NumPy and Python are given
    back bit for bit, whatever happens inside. What is kept meanwhile lies in ordinary memory: a copy of the network
    would take that of a card, and one that was compiled would be compiled again.
    """
    tensors = [*network.parameters(), *network.buffers()]
    kept = [tensor.detach().to("cpu", copy=True) for tensor in tensors]
    gradients = [(parameter, parameter.grad) for parameter in network.parameters()]
    modes = [(module, module.training) for module in network.modules()]
    cards = sorted({tensor.device.index for tensor in tensors if tensor.is_cuda})
    drawn = np.random.get_state(), random.getstate()
    try:
        with torch.random.fork_rng(devices=cards):
            # Not torch.manual_seed: it seeds all cards there are, also those that nobody gives back.
            torch.default_generator.manual_seed(seed)
            for card in cards:
                torch.cuda.default_generators[card].manual_seed(seed)
            for parameter, _ in gradients:
                parameter.grad = None
            yield
    finally:
        with torch.no_grad():
            for tensor, before in zip(tensors, kept, strict=True):
                tensor.copy_(before)
        for parameter, gradient in gradients:
            parameter.grad = gradient
        for module, training in modes:
            module.training = training
        np.random.set_state(drawn[0])
        random.setstate(drawn[1])
