from __future__ import annotations

import subprocess
import sys

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


def test_many_steps_are_those_of_torchs_own_class() -> None:
    ours, theirs = network(), network()
    optimizer = sgd(ours, 0.1)
    own = torch.optim.SGD(
        [
            {"params": [p for p in theirs.parameters() if p.ndim > 1], "weight_decay": 0.1},
            {"params": [p for p in theirs.parameters() if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=1e-3,
        momentum=0.9,
        nesterov=True,
    )
    x = torch.randn(20, 3, generator=torch.Generator().manual_seed(1))
    for number in range(5):
        for net, steps in ((ours, optimizer), (theirs, own)):
            set_step(steps, Step(0.001 / (number + 1), 0.9 - 0.1 * number))
            steps.zero_grad()
            net(x).square().sum().backward()
            steps.step()
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value)


def test_a_parameter_without_a_gradient_stays() -> None:
    net = network()
    optimizer, before = sgd(net), net[2].weight.detach().clone()
    net[0](torch.ones(2, 3)).sum().backward()
    optimizer.step()
    assert torch.equal(net[2].weight, before)


def test_making_an_optimizer_loads_no_compiler() -> None:
    script = (
        "import sys, torch; from finegraft.training.optimizers import sgd; net = torch.nn.Linear(2, 2); o = sgd(net); "
        "net(torch.ones(1, 2)).sum().backward(); o.step(); print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
