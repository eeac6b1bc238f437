"""Compiled or not, a network learns the same; what cannot be compiled runs as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from finegraft.training import compiling
from finegraft.training.compiling import WORTH, compiled, pays
from finegraft.training.grafted import Grafted

INPUTS = torch.arange(12.0).view(4, 3)


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> Iterator[None]:
    yield
    torch._dynamo.reset()


def network() -> Grafted:
    torch.manual_seed(0)
    trunk = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.ReLU())
    return Grafted(trunk, nn.Sequential(nn.Linear(5, 2))).train()


def learned(net: nn.Module) -> dict[str, torch.Tensor]:
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        net(INPUTS).square().mean().backward()
        optimizer.step()
    return {name: value.clone() for name, value in net.state_dict().items()}


def test_a_compiled_network_learns_what_a_plain_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    graphs: list[Any] = []

    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Any:
        graphs.append((graph, inputs))
        return graph.forward

    monkeypatch.setattr(compiling, "BACKEND", backend)
    net, wanted = network(), learned(network())
    with compiled(net, wanted=True):
        got = learned(net)
    assert len(graphs) == 1
    assert list(got) == list(wanted)
    assert all(torch.equal(got[name], wanted[name]) for name in wanted)
    net(INPUTS[:3])  # plain again: another size is no further compilation
    assert len(graphs) == 1


def test_what_cannot_be_compiled_runs_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Any:
        raise NotImplementedError(f"a graph of {len(inputs)} inputs, {graph}")

    monkeypatch.setattr(compiling, "BACKEND", backend)
    net, wanted = network(), learned(network())
    with compiled(net, wanted=True):
        got = learned(net)
    assert all(torch.equal(got[name], wanted[name]) for name in wanted)


def test_nothing_is_compiled_where_it_is_not_wanted() -> None:
    net = network()
    with compiled(net, wanted=False):
        assert net._compiled_call_impl is None


@pytest.mark.parametrize(
    ("device", "steps", "triton", "wanted"),
    [
        ("cuda", WORTH, True, True),
        ("cuda", WORTH - 1, True, False),
        ("cuda", WORTH, False, False),
        ("cpu", 10 * WORTH, True, False),
    ],
)
def test_it_pays_on_a_card_in_long_trainings(
    device: str, steps: int, triton: bool, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling.importlib.util, "find_spec", lambda _: object() if triton else None)
    assert pays(device, steps) is wanted
