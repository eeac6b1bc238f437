from __future__ import annotations

import json
from typing import Any

import pytest

from finegraft import __version__
from finegraft.errors import BundleError
from finegraft.evaluation.calibration import COLDEST, HOTTEST
from finegraft.inference import model_json
from finegraft.inference.model_json import parsed, written
from tests.inference.making import LABELS, description, predictor


def stored(**changes: Any) -> bytes:
    content = json.loads(written(predictor(), "d1", {"small.png": [0.5, 0.25, 0.25]})) | changes
    return json.dumps({name: value for name, value in content.items() if value is not ...}).encode()


def refused(content: bytes, why: str) -> None:
    with pytest.raises(BundleError, match=why):
        parsed(content)


def test_what_is_written_is_read() -> None:
    made = predictor(temperature=1.25, unsure_below=0.6)
    got = parsed(written(made, "d1", {"small.png": [0.5, 0.25, 0.25]}))
    assert got.target == made.target
    assert got.description == {**description(), "finegraft": __version__}
    assert got.preprocess == made.preprocess.to_json()
    assert (got.temperature, got.unsure_below, got.digest) == (1.25, 0.6, "d1")
    assert got.samples == {"small.png": (0.5, 0.25, 0.25)}


def test_it_holds_what_the_contract_names() -> None:
    content = json.loads(stored())
    assert content["format"] == 1
    assert content["target"] == {"kind": "category", "labels": list(LABELS)}
    assert content["preprocess"]["decoder"]["decoder"] == "Pillow"
    assert content["backbone"]["licence"] == "Apache-2.0"
    assert content["metrics"]["accuracy"] == {"value": 0.91, "interval": [0.88, 0.94]}


def test_a_metric_may_say_how_its_interval_was_made_and_older_bundles_do_not() -> None:
    told = {"value": 0.9, "interval": [0.8, 0.95], "method": "Wilson, by cluster"}
    plain = {"value": 0.9, "interval": None}
    assert parsed(stored(metrics={"a": told, "b": plain})).description["metrics"] == {"a": told, "b": plain}


def test_a_newer_format_asks_for_an_upgrade_whatever_else_it_holds() -> None:
    newer = json.dumps({"format": 2, "shape": "unknown"}).encode()
    refused(newer, r"made by a newer finegraft: it has format 2, this one reads up to 1\. Upgrade with: pip install")


def test_another_kind_of_target_asks_for_an_upgrade() -> None:
    refused(stored(target={"kind": "boxes", "labels": ["a", "b"]}), r"targets of the kind 'boxes'\. Upgrade")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not proper JSON"),
        (b"\xff\xfe", "not proper JSON"),
        (b"[1, 2]", "is not an object"),
        (b'{"format": NaN}', "NaN is not a number"),
        (b'{"format": 1, "temperature": Infinity}', "Infinity is not a number"),
        (b'{"format": 1, "format": 2}', "a name occurs twice"),
        (b"[" * 100_000, "not proper JSON"),
    ],
)
def test_what_is_not_proper_json_is_refused(content: bytes, why: str) -> None:
    refused(content, f"model.json.*{why}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", "1"),
        ("format", 0),
        ("format", True),
        ("finegraft", 1),
        ("modality", ""),
        ("modality", ["vision"]),
        ("backbone", "lite0"),
        ("preprocess", None),
        ("metrics", []),
        ("metrics", {"accuracy": 0.9}),
        ("metrics", {"accuracy": {"value": "0.9", "interval": None}}),
        ("metrics", {"accuracy": {"value": 0.9}}),
        ("metrics", {"accuracy": {"value": 0.9, "interval": None, "method": ""}}),
        ("metrics", {"accuracy": {"value": 0.9, "interval": None, "method": 1}}),
        ("metrics", {"accuracy": {"value": 0.9, "interval": None, "how": "Wilson"}}),
        ("metrics", {"accuracy": {"value": 0.9, "interval": [0.8]}}),
        ("temperature", 0),
        ("temperature", -1.0),
        ("temperature", "1"),
        ("temperature", True),
        ("temperature", 1e-320),
        ("temperature", 0.049),
        ("temperature", 20.1),
        ("temperature", 10**400),
        ("metrics", {"accuracy": {"value": 10**400, "interval": None}}),
        ("unsure_below", 10**400),
        ("unsure_below", 1.5),
        ("unsure_below", None),
        ("n_train", -1),
        ("n_train", 1.5),
        ("n_judged", "30"),
        ("judged_on", ""),
        ("judged_on", 3),
        ("digest", None),
        ("samples", {}),
        ("samples", [{"name": "a"}]),
        ("samples", [{"name": "a", "probabilities": [0.5, 0.5]}]),
        ("samples", [{"name": "a", "probabilities": [0.5, 0.5, 2]}]),
        ("samples", ["a"]),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(name: str, value: object) -> None:
    refused(stored(**{name: value}), rf"^The bundle's model\.json is wrong: '{name}' cannot be .*Make the bundle again")


@pytest.mark.parametrize("name", json.loads(stored()))
def test_a_missing_field_is_named(name: str) -> None:
    refused(stored(**{name: ...}), f"has no field '{name}'")


@pytest.mark.parametrize("labels", [[], ["one"], ["a", "a"], ["a", ""], ["a", 2], "ab", None])
def test_classes_must_be_two_or_more_different_names(labels: object) -> None:
    refused(stored(target={"kind": "category", "labels": labels}), "two or more different class names")


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
def test_a_number_too_large_for_a_number_is_refused(number: str) -> None:
    content = stored().replace(b'"temperature": 1.0', b'"temperature": ' + number.encode())
    refused(content, "'temperature' cannot be -?inf")


@pytest.mark.parametrize("bound", [COLDEST, HOTTEST])
def test_every_temperature_that_can_be_fitted_is_read(bound: float) -> None:
    assert parsed(stored(temperature=bound)).temperature == bound


def test_a_long_wrong_value_is_shown_short() -> None:
    with pytest.raises(BundleError) as error:
        parsed(stored(digest=["x" * 1000]))
    assert len(str(error.value)) < 200


def test_numbers_that_json_does_not_know_are_not_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        written(predictor(temperature=float("nan")), "d1", {})


def test_the_format_is_raised_on_purpose_only() -> None:
    assert model_json.FORMAT_VERSION == 1
