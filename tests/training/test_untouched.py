"""What was tried inside leaves no trace."""

from __future__ import annotations

import copy
import random

import numpy as np
import pytest
import torch
from torch import nn

from finegraft.training.untouched import untouched


def network() -> nn.Sequential:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 2))
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    net[0].bias.requires_grad_(False)
    return net


def disturb(net: nn.Module) -> None:
    """Train `net` and draw from every generator."""
    net.train()
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
    net(torch.rand(2, 3, 3, 3)).sum().backward()
    optimizer.step()
    np.random.rand()
    random.random()


def test_everything_is_given_back_bit_for_bit() -> None:
    net = network().eval()
    net[3].train()
    net[4].weight.grad = torch.full((2, 4), 7.0)
    before, gradient = copy.deepcopy(net.state_dict()), net[4].weight.grad
    layout = net[0].weight.stride()
    drawn = torch.get_rng_state(), np.random.get_state(), random.getstate()
    with untouched(net, 5):
        disturb(net)
        assert not torch.equal(net[0].weight, before["0.weight"])
        assert not torch.equal(net[1].running_mean, before["1.running_mean"])
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert net[0].weight.stride() == layout
    assert [module.training for module in net] == [False, False, False, True, False]
    assert net[4].weight.grad is gradient
    assert torch.equal(gradient, torch.full((2, 4), 7.0))
    assert net[0].weight.grad is None
    assert [p.requires_grad for p in net.parameters()] == [True, False, True, True, True, True]
    assert torch.equal(torch.get_rng_state(), drawn[0])
    np.testing.assert_equal(np.random.get_state(), drawn[1])
    assert random.getstate() == drawn[2]


def test_also_where_it_was_broken_off() -> None:
    net = network()
    before = copy.deepcopy(net.state_dict())

    def interrupted() -> None:
        with untouched(net, 5):
            disturb(net)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_torch_draws_from_the_seed() -> None:
    found = []
    for _ in range(2):
        torch.rand(3)
        with untouched(network(), 5):
            found.append(torch.rand(4))
    assert torch.equal(*found)
    assert torch.equal(found[0], torch.rand(4, generator=torch.Generator().manual_seed(5)))
