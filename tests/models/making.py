"""Photos as arrays, and a small frozen model of somebody else's with its JSON beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDECAR: dict[str, Any] = {"size": 16, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.5]}
KERNEL = np.random.default_rng(0).normal(0, 1, (5, 3, 1, 1)).astype(np.float32)


def photos(n: int = 2, size: int = 64, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


def frozen(
    path: Path,
    *,
    channels_last: bool = False,
    gives: tuple[str, ...] = ("features", "map"),
    names: tuple[str, str, str] = ("input", "features", "map"),
    side: int | str = 16,
    kind: int = TensorProto.FLOAT,
    sidecar: dict[str, Any] | None = SIDECAR,
    told_shape: bool = True,
) -> Path:
    """A 1×1 convolution as the map (n, 5, 16, 16) and twice its average as the features, saved at `path`.

    With `channels_last` input and map are (n, h, w, c), as from Keras. `names` are those of input, features and map.
    """
    entry, features, last = names
    planes, raw = ("planes", "raw") if channels_last else (entry, last)
    nodes = [
        helper.make_node("Conv", [planes, "kernel"], [raw]),
        helper.make_node("GlobalAveragePool", [raw], ["average"]),
        helper.make_node("Flatten", ["average"], ["flat"]),
        helper.make_node("Add", ["flat", "flat"], [features]),
    ]
    if channels_last:
        nodes.insert(0, helper.make_node("Transpose", [entry], [planes], perm=[0, 3, 1, 2]))
        nodes.append(helper.make_node("Transpose", [raw], [last], perm=[0, 2, 3, 1]))
    sides = [side, side] if told_shape else ["h", "w"]
    shapes = {"features": (features, ["n", 5]), "map": (last, ["n", *sides, 5] if channels_last else ["n", 5, *sides])}
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "theirs",
            [helper.make_tensor_value_info(entry, kind, ["n", *sides, 3] if channels_last else ["n", 3, *sides])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in map(shapes.get, gives)],  # type: ignore[misc]
            [numpy_helper.from_array(KERNEL, "kernel")],
        ),
        opset_imports=[helper.make_opsetid("", 13)],
    )
    model.ir_version = 8
    onnx.save(model, path)
    if sidecar is not None:
        path.with_suffix(".json").write_text(json.dumps(sidecar))
    return path


def by_hand(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(map (n, 5, h, w), average (n, 5)) of `frozen`, in double precision."""
    normal = (x / 255 - np.array(SIDECAR["mean"])) / np.array(SIDECAR["std"])
    last = np.einsum("nhwc,oc->nohw", normal, KERNEL[:, :, 0, 0].astype(np.float64))
    return last, last.mean((2, 3))
