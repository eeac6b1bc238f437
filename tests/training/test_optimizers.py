from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn

from finegraft.errors import UsageError
from finegraft.training import loop, optimizers
from finegraft.training.loaders import Batches
from finegraft.training.objective import of_categories
from finegraft.training.optimizers import by_name, set_step, sgd
from finegraft.training.schedule import Step, one_cycle
from tests.training.making import table


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


# Each with the settings that are not torch's own, and what torch calls its momentum.
BETAS = {"betas": (0.9, 0.99)}
OF_TORCH: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any], str | None]] = {
    "adadelta": (torch.optim.Adadelta, {}, None),
    "adafactor": (torch.optim.Adafactor, {}, None),
    "adagrad": (torch.optim.Adagrad, {}, None),
    "adam": (torch.optim.Adam, BETAS, "betas"),
    "adamax": (torch.optim.Adamax, {}, "betas"),
    "adamw": (torch.optim.AdamW, BETAS, "betas"),
    "nadam": (torch.optim.NAdam, {**BETAS, "decoupled_weight_decay": True}, "betas"),
    "radam": (torch.optim.RAdam, {**BETAS, "decoupled_weight_decay": True}, "betas"),
    "rmsprop": (torch.optim.RMSprop, {"momentum": 0.9}, "momentum"),
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}, "momentum"),
}


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3))


def by_hand(name: str, net: nn.Sequential, batches: Batches, epochs: int) -> None:
    """Train as one would write it with torch alone: the lower layers at a tenth of the rate, weights alone decayed."""
    made, settings, momentum = OF_TORCH[name]
    parts = [(list(net[:2].parameters()), 0.1), (list(net[2:].parameters()), 1.0)]
    rows = [
        {"params": [p for p in own if (p.ndim > 1) == wide], "scale": scale, "weight_decay": 0.05 if wide else 0.0}
        for own, scale in parts
        for wide in (True, False)
    ]
    optimizer, steps = made(rows, **{"lr": 1.0, **settings}), epochs * len(batches)
    net.train()
    for number in range(steps):
        inputs, truth = list(batches.epoch(number // len(batches)))[number % len(batches)]
        step = one_cycle(0.02)(number / steps)
        for group in optimizer.param_groups:
            group["lr"] = step.rate * group["scale"]
            if momentum == "betas":
                group["betas"] = (step.momentum, group["betas"][1])
            elif momentum is not None:
                group[momentum] = step.momentum
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(inputs), truth).backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def test_every_name_has_its_check_below() -> None:
    assert set(OF_TORCH) == set(optimizers.NAMES)


@pytest.mark.parametrize("name", OF_TORCH)
def test_ten_steps_are_those_of_torch(name: str) -> None:
    learned = table(30)
    batches = Batches(learned.features, learned.truth, 6, seed=3)
    ours, theirs, start = small(), small(), small()
    groups = [(list(ours[:2].parameters()), 0.1), (list(ours[2:].parameters()), 1.0)]
    loop.fit(ours, batches, by_name(name.upper(), groups, 0.05), of_categories(), one_cycle(0.02), 2)
    by_hand(name, theirs, batches, epochs=2)
    assert len(batches) == 5
    for key, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[key], value, rtol=1e-6, atol=1e-6)
    assert not torch.allclose(theirs[3].weight, start[3].weight, atol=1e-5)


@pytest.mark.parametrize(("name", "decay"), [("sgd", 1e-2), ("adamw", 1e-2), ("adam", 0.0), ("rmsprop", 0.0)])
def test_the_usual_decay_is_none_where_it_would_be_divided_by_the_gradient(name: str, decay: float) -> None:
    net = network()
    kept = by_name(name, [(list(net.parameters()), 1.0)]).param_groups
    assert {group["weight_decay"] for group in kept if group["params"][0].ndim > 1} == {decay}


def test_what_is_to_be_spared_is_not_decayed() -> None:
    net = network()
    groups = by_name("adamw", [(list(net.parameters()), 1.0)], 0.1, undecayed=[net[0].weight]).param_groups
    decays = {id(parameter): group["weight_decay"] for group in groups for parameter in group["params"]}
    assert (decays[id(net[0].weight)], decays[id(net[2].weight)]) == (0.0, 0.1)
    assert set(decays) == {id(parameter) for parameter in net.parameters()}


def test_frozen_parameters_are_left_out() -> None:
    net = network()
    net[0].requires_grad_(False)
    groups = by_name("adam", [(list(net[0].parameters()), 0.1), (list(net[1:].parameters()), 1.0)]).param_groups
    held = {id(parameter) for group in groups for parameter in group["params"]}
    assert held == {id(parameter) for parameter in net[1:].parameters()}
    net.requires_grad_(False)
    with pytest.raises(UsageError, match=r"^Nothing is left to learn: all layers are frozen. Call unfreeze"):
        by_name("adam", [(list(net.parameters()), 1.0)])


@pytest.mark.parametrize("name", ["AdaGrad", "adadelta", "adafactor"])
def test_what_knows_no_momentum_follows_the_rate_alone(name: str) -> None:
    net = network()
    optimizer = by_name(name, [(list(net.parameters()), 0.5)])
    before = [set(group) for group in optimizer.param_groups]
    set_step(optimizer, Step(0.2, 0.9))
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.1]
    assert [set(group) for group in optimizer.param_groups] == before


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    groups = [(list(network().parameters()), 1.0)]
    with pytest.raises(UsageError, match=r"^There is no optimizer called 'adanw'. Did you mean 'adamw'\? Known: ada"):
        by_name("adanw", groups)
    with pytest.raises(UsageError, match=r"^There is no optimizer called 'xyz'. Known: "):
        by_name("xyz", groups)


@pytest.mark.parametrize("name", ["LBFGS", "Muon", "Rprop", "SparseAdam", "sparse_adam", "ASGD"])
def test_what_does_not_go_with_a_schedule_says_why(name: str) -> None:
    with pytest.raises(UsageError, match=rf"^The optimizer '{name}' does not fit here: .+\. Known: "):
        by_name(name, [(list(network().parameters()), 1.0)])


def test_every_optimizer_of_torch_is_known_or_refused() -> None:
    own = {name for name, found in vars(torch.optim).items() if isinstance(found, type)} - {"Optimizer"}
    assert {name.casefold() for name in own} <= set(optimizers.NAMES) | set(optimizers._REFUSED)
    assert math.isclose(by_name("Adam", [(list(network().parameters()), 1.0)]).param_groups[0]["betas"][1], 0.99)
