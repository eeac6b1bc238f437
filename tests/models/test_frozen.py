"""Somebody else's .onnx file as a backbone."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from finegraft.errors import BackboneError, UsageError
from finegraft.models import backbones, graph, sidecar
from finegraft.runtimes import open_graph
from finegraft.vision.preprocess import Interpolation, Preprocess
from tests.models.making import SIDECAR, by_hand, frozen, photos


def answers(path: Path, engine: str = "onnxruntime") -> dict[str, np.ndarray]:
    row = backbones.find(str(path))
    return open_graph(graph.body_graph(row, row.size), engine).run(photos(3, 16))


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("told_shape", [False, True])
@pytest.mark.parametrize("gives", [("features", "map"), ("features",), ("map",)])
def test_features_and_map_are_those_of_the_mathematics(
    tmp_path: Path, engine: str, channels_last: bool, told_shape: bool, gives: tuple[str, ...]
) -> None:
    path = frozen(tmp_path / "theirs.onnx", channels_last=channels_last, gives=gives, told_shape=told_shape)
    got, (last, average) = answers(path, engine), by_hand(photos(3, 16))
    assert set(got) == {"features", *gives}
    np.testing.assert_allclose(got["features"], average * (2 if "features" in gives else 1), atol=1e-4)
    if "map" in gives:
        np.testing.assert_allclose(got["map"], last, atol=1e-4)


@pytest.mark.parametrize(
    "names",
    [("input", "features", "map"), ("input.1", "496", "scores"), ("features", "map", "input"), ("x", "scores", "n")],
)
def test_their_names_never_meet_ours(tmp_path: Path, names: tuple[str, str, str]) -> None:
    got = answers(frozen(tmp_path / "theirs.onnx", names=names))
    np.testing.assert_allclose(got["features"], 2 * by_hand(photos(3, 16))[1], atol=1e-4)


def test_a_map_of_a_photo_with_as_many_channels_as_pixels_follows_the_input(tmp_path: Path) -> None:
    for channels_last in (False, True):
        shape = ["n", 8, 8, 8]
        nodes = [helper.make_node("Identity", ["in"], ["out"])]
        entry = ["n", 8, 8, 3] if channels_last else ["n", 3, 8, 8]
        kernel = np.ones((8, 3, 1, 1), np.float32)
        nodes = [helper.make_node("Conv", ["in", "k"], ["out"])]
        if channels_last:
            nodes = [
                helper.make_node("Transpose", ["in"], ["a"], perm=[0, 3, 1, 2]),
                helper.make_node("Conv", ["a", "k"], ["b"]),
                helper.make_node("Transpose", ["b"], ["out"], perm=[0, 2, 3, 1]),
            ]
        path = saved(tmp_path / f"cube{channels_last}.onnx", nodes, entry, {"out": shape}, {"k": kernel}, size=8)
        row = backbones.find(str(path))
        got = open_graph(graph.body_graph(row, 8)).run(photos(1, 8))
        wanted = ((photos(1, 8) / 255 - SIDECAR["mean"]) / SIDECAR["std"]).sum(3)
        np.testing.assert_allclose(got["map"][:, 0], wanted, atol=1e-4)


def saved(
    path: Path,
    nodes: list[Any],
    entry: list[Any],
    gives: dict[str, list[Any]],
    weights: dict[str, np.ndarray] | None = None,
    size: int = 16,
) -> Path:
    made = helper.make_graph(
        nodes,
        "theirs",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, entry)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in gives.items()],
        [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, path)
    path.with_suffix(".json").write_text(json.dumps({**SIDECAR, "size": size}))
    return path


def test_a_head_goes_behind_a_model_with_branches(tmp_path: Path) -> None:
    """What only the inside of an If reads must not be thrown away as unused."""
    branch = [
        helper.make_graph(
            [helper.make_node("Add" if kind else "Sub", ["outer", "outer"], [f"picked_{kind}"])],
            f"branch {kind}",
            [],
            [helper.make_tensor_value_info(f"picked_{kind}", TensorProto.FLOAT, None)],
        )
        for kind in (0, 1)
    ]
    nodes = [
        helper.make_node("ReduceMean", ["in"], ["outer"], axes=[2, 3], keepdims=0),
        helper.make_node("If", ["yes"], ["out"], then_branch=branch[1], else_branch=branch[0]),
    ]
    path = saved(tmp_path / "branch.onnx", nodes, ["n", 3, 16, 16], {"out": ["n", 3]}, {"yes": np.array([True])[0]})
    row = backbones.find(str(path))
    headed = graph.with_head(graph.body_graph(row, 16), [(np.eye(3)[:2], np.zeros(2))])
    got = open_graph(headed).run(photos(2, 16))
    wanted = 2 * ((photos(2, 16) / 255 - SIDECAR["mean"]) / SIDECAR["std"]).mean((1, 2))
    np.testing.assert_allclose(got["scores"], wanted[:, :2], atol=1e-4)


def test_the_row_tells_what_the_json_says(tmp_path: Path) -> None:
    told = {**SIDECAR, "crop": 0.9, "interpolation": "bilinear", "licence": "MIT", "paper": "ours"}
    path = frozen(tmp_path / "theirs.onnx", sidecar=told)
    found = backbones.find(str(path))
    assert (found.kind, found.in_order) == ("onnx", False)
    row = found.row()
    assert row == {
        **{key: value for key, value in told.items() if key not in ("size", "crop")},
        "own_size": 16,
        "own_crop": 0.9,
        "name": "theirs.onnx",
        "architecture": "onnx",
        "source": "file theirs.onnx",
        "digest": backbones.file_digest(path),
    }
    assert str(tmp_path) not in json.dumps(row)


@pytest.mark.parametrize("missing", ["size", "mean", "std"])
def test_a_json_that_lacks_something_is_refused(tmp_path: Path, missing: str) -> None:
    path = frozen(tmp_path / "theirs.onnx", sidecar={key: SIDECAR[key] for key in SIDECAR if key != missing})
    with pytest.raises(BackboneError, match=rf'theirs\.json cannot be used: it lacks {missing}\. It needs "size"'):
        backbones.find(str(path))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Expecting property name"),
        ("[]", "it must be an object, got list"),
        ("3", "it must be an object, got int"),
        ("[" * 100_000, "recursion"),
        (json.dumps({**SIDECAR, "mean": 0.5}), '"mean" must be a list of three numbers, got 0.5'),
        (json.dumps({**SIDECAR, "std": [1, 2]}), r'"std" must be a list of three numbers above 0, got \[1, 2\]'),
        (json.dumps({**SIDECAR, "size": "large"}), '"size" must be a whole number from 8 to 2048'),
        (json.dumps({**SIDECAR, "mean": ["a", 1, 1]}), '"mean" must be a list of three numbers'),
        (json.dumps({**SIDECAR, "mean": [float("nan"), 1, 1]}), '"mean" must be a list of three numbers'),
        (json.dumps({**SIDECAR, "mean": [10**400, 1, 1]}), '"mean" must be a list of three numbers'),
        (json.dumps({**SIDECAR, "std": [0, 1, 1]}), '"std" must be a list of three numbers above 0'),
        (json.dumps({**SIDECAR, "std": [1, -0.2, 1]}), '"std" must be a list of three numbers above 0'),
        (json.dumps({**SIDECAR, "size": 7}), '"size" must be .* from 8 to 2048, got 7'),
        (json.dumps({**SIDECAR, "size": 2049}), '"size" must be .* from 8 to 2048, got 2049'),
        (json.dumps({**SIDECAR, "size": 16.0}), '"size" must be a whole number'),
        (json.dumps({**SIDECAR, "size": True}), '"size" must be a whole number'),
        (json.dumps({**SIDECAR, "crop": 0}), '"crop" must be above 0 and at most 1, got 0'),
        (json.dumps({**SIDECAR, "crop": 1.5}), '"crop" must be above 0 and at most 1, got 1.5'),
        (json.dumps({**SIDECAR, "interpolation": "cubic"}), '"interpolation" must be one of bilinear, bicubic, lanc'),
        (json.dumps({**SIDECAR, "interpolation": ["bicubic"]}), '"interpolation" must be one of'),
        (json.dumps({**SIDECAR, "licence": None}), '"licence" must be text'),
        (json.dumps({**SIDECAR, "resize": "pad", "Crop": 1}), "it has 'Crop', 'resize', which mean nothing here"),
    ],
)
def test_a_wrong_json_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = frozen(tmp_path / "theirs.onnx")
    path.with_suffix(".json").write_text(text)
    with pytest.raises(BackboneError, match=rf"theirs\.json cannot be used: .*{reason}"):
        backbones.find(str(path))


def test_what_a_json_may_say_is_what_photos_can_be_prepared_with() -> None:
    assert get_args(Interpolation) == sidecar.INTERPOLATIONS
    for size, fits in ((7, False), (8, True), (2048, True), (2049, False)):
        assert (size in sidecar.SIZES) == fits
        with contextlib.nullcontext() if fits else pytest.raises(UsageError, match="from 8 to 2048"):
            Preprocess(size=size)


def test_no_json_is_refused_with_what_to_write(tmp_path: Path) -> None:
    path = frozen(tmp_path / "theirs.onnx", sidecar=None)
    with pytest.raises(BackboneError, match=r'Put a file theirs\.json beside it with at least \{"size": 224'):
        backbones.find(str(path))


def test_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match=r"There is no backbone file .*none\.onnx\. Check the path"):
        backbones.find(str(tmp_path / "none.onnx"))


def test_other_weights_for_it_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match=r"brings its own weights\. Leave out --weights"):
        backbones.find(str(frozen(tmp_path / "theirs.onnx")), weights="none")


def refused(path: Path, size: int | None = None) -> str:
    row = backbones.find(str(path))
    with pytest.raises(BackboneError) as error:
        graph.body_graph(row, size or row.size)
    return str(error.value)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    path = frozen(tmp_path / "theirs.onnx")
    path.write_bytes(b"no model at all")
    assert "theirs.onnx is not a readable ONNX model" in refused(path)


def test_two_inputs_are_refused(tmp_path: Path) -> None:
    path = frozen(tmp_path / "theirs.onnx")
    model = onnx.load(path)
    model.graph.input.append(helper.make_tensor_value_info("second", TensorProto.FLOAT, ["n", 5]))
    onnx.save(model, path)
    assert "must have one input" in refused(path)
    assert "got inputs ['input', 'second'] and outputs {'features': 2, 'map': 4}" in refused(path)


def test_no_output_of_use_is_refused(tmp_path: Path) -> None:
    nodes = [helper.make_node("ReduceMean", ["in"], ["out"], axes=[3], keepdims=0)]
    path = saved(tmp_path / "odd.onnx", nodes, ["n", 3, 16, 16], {"out": ["n", 3, 16]})
    assert "and an output of features (n, d) or a map (n, c, h, w)" in refused(path)


def test_another_size_than_the_model_takes_is_refused(tmp_path: Path) -> None:
    path = frozen(tmp_path / "theirs.onnx")
    assert "must take float32 photos of 32 x 32 pixels, got float of shape [0, 3, 16, 16]" in refused(path, size=32)


def test_another_type_of_input_is_refused(tmp_path: Path) -> None:
    path = frozen(tmp_path / "theirs.onnx", kind=TensorProto.FLOAT16)
    assert "must take float32 photos of 16 x 16 pixels, got float16" in refused(path)


def test_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    path = frozen(tmp_path / "theirs.onnx")
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, all_tensors_to_one_file=True, location="w.bin", size_threshold=0)
    row = backbones.find(str(path))
    with pytest.raises(BackboneError, match=r"theirs.onnx keeps weights in another file. Save it again as one file"):
        graph.body_graph(row, row.size)
