"""Both parts of a backbone, one after the other, say what the whole says."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from finegraft.models import backbones, cut, graph
from finegraft.models.network import Extractor, build
from finegraft.runtimes import open_graph
from tests.models.making import photos

SIZE = 64
# architecture -> where it is cut by default, and the channels of the map there
CHAINS = {
    "timm:resnet18": ("layer3", 256),
    "timm:convnext_atto": ("stages.2", 160),
    "timm:mobilenetv3_small_050": ("blocks.3", 24),
    "timm:regnety_002": ("s3", 56),
    "timm:densenet121": ("features.denseblock3", 1024),
}


def made(name: str) -> Extractor:
    return build(backbones.find(name, None if name == "lite0" else "none"), SIZE)


def halves(name: str, at: str) -> tuple[cut.Lower, cut.Upper]:
    return cut.Lower(made(name), at).eval(), cut.Upper(made(name), at, SIZE).eval()


@pytest.mark.parametrize("name", ["lite0", *CHAINS])
def test_both_parts_say_what_the_whole_says(name: str) -> None:
    whole = made(name)
    at = cut.default_cut(whole)
    assert at is not None
    lower, upper = halves(name, at)
    with torch.no_grad():
        x = torch.from_numpy(photos(2, SIZE))
        torch.testing.assert_close(upper(lower(x)), whole(x)[1], atol=1e-4, rtol=1e-4)
    assert cut.fits(lower, upper, whole, SIZE)


@pytest.mark.parametrize("name", CHAINS)
def test_the_default_cut_is_the_end_of_the_last_stage_with_a_finer_map(name: str) -> None:
    at, _ = CHAINS[name]
    assert cut.default_cut(made(name)) == at


def test_lite0_is_cut_below_all_of_its_taps() -> None:
    assert cut.default_cut(made("lite0")) == "blocks.4"
    reached, below = cut.Lower(made("lite0"), "blocks.4").eval()(torch.from_numpy(photos(2, SIZE)))
    assert reached.shape == (2, 112, 4, 4)
    assert below.shape == (2, 0)


def test_stages_below_the_cut_come_as_averages() -> None:
    whole = made("timm:resnet18")
    x = torch.from_numpy(photos(2, SIZE))
    seen: list[torch.Tensor] = []
    whole.body.get_submodule("layer2").register_forward_hook(lambda *call: seen.append(call[2]))
    with torch.no_grad():
        whole(x)
        _, below = cut.Lower(made("timm:resnet18"), "layer3").eval()(x)
    torch.testing.assert_close(below, seen[0].mean((2, 3)))


def test_any_stage_may_be_the_cut() -> None:
    whole = made("timm:resnet18")
    for at in ("layer1", "layer2", "layer4"):
        lower, upper = halves("timm:resnet18", at)
        assert cut.fits(lower, upper, whole, SIZE), at


def test_a_transformer_has_no_coarser_stage_to_be_cut_at() -> None:
    assert cut.default_cut(made("timm:vit_tiny_patch16_224")) is None


def test_what_is_no_chain_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cut, "default_cut", lambda _: "blocks.8")
    assert cut.halves(lambda: made("timm:vit_tiny_patch16_224"), SIZE) is None


def test_parts_that_answer_differently_do_not_fit() -> None:
    lower, upper = halves("timm:resnet18", "layer3")
    with torch.no_grad():
        for parameter in upper.extractor.body.get_submodule("layer4").parameters():
            parameter.add_(0.1)
    assert not cut.fits(lower, upper, made("timm:resnet18"), SIZE)


def test_the_upper_part_keeps_the_names_of_the_weights_that_it_trains() -> None:
    whole = made("timm:resnet18")
    _, upper = halves("timm:resnet18", "layer3")
    own = upper.extractor.state_dict()
    assert set(own) < set(whole.state_dict())
    assert not any(".layer1." in name for name in own)
    assert any(name.startswith("body.layer4.") for name in own)


def test_a_copy_of_the_upper_part_is_one_of_its_own() -> None:
    _, upper = halves("lite0", "blocks.4")
    other = copy.deepcopy(upper)
    maps = (torch.zeros(1, 112, 4, 4), torch.zeros(1, 0))
    with torch.no_grad():
        before = upper(maps)
        for parameter in other.parameters():
            parameter.zero_()
        other(maps)
        torch.testing.assert_close(upper(maps), before)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_the_graph_of_the_lower_part_answers_as_torch_does(engine: str) -> None:
    lower = cut.Lower(made("timm:resnet18"), "layer3").eval()
    made_graph = graph.lower_graph(lower, SIZE)
    x = photos(1, SIZE)
    with torch.no_grad():
        wanted = dict(zip(("map", "below"), lower(torch.from_numpy(x)), strict=True))
    got = open_graph(made_graph, engine).run(x)
    for name, value in wanted.items():
        np.testing.assert_allclose(got[name], value.numpy(), atol=1e-4)
    whole = graph.body_graph(backbones.find("timm:resnet18", "none"), SIZE)
    assert len(made_graph) < len(whole) / 3  # nothing of what lies above travels along


def test_an_extractor_is_exported_as_it_stands() -> None:
    whole = made("timm:resnet18")
    with torch.no_grad():
        for module in whole.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.mul_(1.1)
        x = photos(1, SIZE)
        wanted = whole(torch.from_numpy(x))[1].numpy()
    got = open_graph(graph.exported(whole, SIZE)).run(x)["features"]
    np.testing.assert_allclose(got, wanted, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("name", ["timm:levit_128s", "timm:efficientformer_l1"])
def test_what_cannot_be_cut_is_said_and_not_a_crash(name: str) -> None:
    """These check sizes by asserts and errors of their own, and are fine as a whole."""
    row = backbones.find(name, "none")
    found = cut.halves(lambda: build(row, row.size), row.size)
    if found is not None:
        at, lower, upper = found
        assert cut.fits(lower, upper, build(row, row.size), row.size), at


def test_halves_are_those_of_the_default_cut() -> None:
    found = cut.halves(lambda: made("timm:resnet18"), SIZE)
    assert found is not None
    assert found[0] == cut.default_cut(made("timm:resnet18"))
