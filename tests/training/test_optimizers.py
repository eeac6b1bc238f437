from __future__ import annotations

import torch
from torch import nn

from finegraft.training.optimizers import set_step, sgd
from finegraft.training.schedule import Step


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def test_biases_and_norms_are_not_decayed() -> None:
    for group in sgd(network(), 0.1).param_groups:
        for parameter in group["params"]:
            assert group["weight_decay"] == (0.1 if parameter.ndim > 1 else 0.0)


def test_every_trainable_parameter_is_in_one_group_and_frozen_ones_in_none() -> None:
    net = network()
    net[0].weight.requires_grad_(False)
    held = [id(parameter) for group in sgd(net).param_groups for parameter in group["params"]]
    assert sorted(held) == sorted(id(parameter) for parameter in net.parameters() if parameter.requires_grad)


def test_set_step_reaches_every_group() -> None:
    optimizer = sgd(network())
    set_step(optimizer, Step(0.5, 0.7))
    assert [(group["lr"], group["momentum"]) for group in optimizer.param_groups] == [(0.5, 0.7)] * 2


def test_two_steps_are_nesterovs_by_hand() -> None:
    """v = m v + g, w -= r (g + m v), with g = gradient + decay w (Sutskever et al., 2013, as torch writes it)."""
    weight = nn.Parameter(torch.tensor([[1.0, -2.0]], dtype=torch.float64))
    bias = nn.Parameter(torch.tensor([3.0], dtype=torch.float64))
    holder = nn.ParameterDict({"weight": weight, "bias": bias})
    optimizer = sgd(holder, weight_decay=0.1)
    by_hand = {"weight": weight.detach().clone(), "bias": bias.detach().clone()}
    speed = {name: torch.zeros_like(value) for name, value in by_hand.items()}
    for rate, momentum in ((0.2, 0.9), (0.05, 0.85)):
        set_step(optimizer, Step(rate, momentum))
        optimizer.zero_grad()
        ((weight**2).sum() + (bias**3).sum()).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        gradients = {"weight": 2 * by_hand["weight"] + 0.1 * by_hand["weight"], "bias": 3 * by_hand["bias"] ** 2}
        for name, gradient in gradients.items():
            speed[name] = momentum * speed[name] + gradient
            by_hand[name] = by_hand[name] - rate * (gradient + momentum * speed[name])
        torch.testing.assert_close(weight.detach(), by_hand["weight"])
        torch.testing.assert_close(bias.detach(), by_hand["bias"])
