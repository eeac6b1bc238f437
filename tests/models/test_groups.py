"""Groups of layers by the architectures' own patterns."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from finegraft.errors import UsageError
from finegraft.models import backbones, cut
from finegraft.models.groups import frozen_below, layer_groups, undecayed
from finegraft.models.network import build


def body_of(name: str) -> nn.Module:
    return build(backbones.find(name, "none"), 64).body


@pytest.mark.parametrize(
    ("name", "first", "last", "count"),
    [
        ("timm:resnet18", "conv1", "layer4.0.conv1", 5),
        ("timm:convnext_atto", "stem.0", "head.norm", 6),
        ("timm:vit_tiny_patch16_224", "cls_token", "blocks.11.norm1", 13),
        ("lite0", "conv_stem", "blocks.6.0.conv_pw", 8),
    ],
)
def test_groups_go_from_the_stem_upwards(name: str, first: str, last: str, count: int) -> None:
    groups = layer_groups(body_of(name))
    names = [group for group, _ in groups]
    assert (names[0], names[-1], len(names)) == (first, last, count)


@pytest.mark.parametrize("name", ["timm:resnet18", "timm:convnext_atto", "timm:vit_tiny_patch16_224", "lite0"])
def test_every_parameter_is_in_one_group_but_the_classifiers(name: str) -> None:
    body = body_of(name)
    grouped = [id(parameter) for _, parameters in layer_groups(body) for parameter in parameters]
    classifier = {id(parameter) for parameter in body.get_classifier().parameters()}  # type: ignore[operator]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(parameter) for parameter in body.parameters()} - classifier


def test_a_shortened_body_has_the_groups_that_are_left() -> None:
    upper = cut.Upper(build(backbones.find("timm:resnet18", "none"), 64), "layer3", 64)
    assert [name for name, _ in layer_groups(upper.extractor.body)] == ["layer4.0.conv1"]


def test_a_body_without_patterns_is_grouped_by_its_children() -> None:
    body = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1)))
    groups = layer_groups(body)
    assert [(name, len(parameters)) for name, parameters in groups] == [("0", 2), ("2.0", 4)]


def test_what_is_frozen_wants_no_gradient() -> None:
    body = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2))
    left = frozen_below(layer_groups(body), -1)
    assert [name for name, _ in left] == ["2"]
    assert [p.requires_grad for p in body.parameters()] == [False, False, False, False, True, True]
    frozen_below(layer_groups(body), 0)
    assert all(p.requires_grad for p in body.parameters())
    body(torch.ones(1, 2)).sum().backward()


@pytest.mark.parametrize("n", [3, -4])
def test_a_group_that_is_none_is_refused(n: int) -> None:
    body = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2))
    with pytest.raises(UsageError, match=f"There are 3 groups of layers, so none can be number {n}."):
        frozen_below(layer_groups(body), n)


def test_position_embeddings_and_tokens_are_not_decayed() -> None:
    extractor = build(backbones.find("timm:vit_tiny_patch16_224", "none"), 64)
    spared = undecayed(nn.Sequential(extractor, nn.Linear(2, 2)))
    body = extractor.body
    assert {id(p) for p in spared} == {id(body.pos_embed), id(body.cls_token)}
    assert undecayed(body_of("timm:resnet18")) == []
