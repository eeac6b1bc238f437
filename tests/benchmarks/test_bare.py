from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from benchmarks import bare, rates

onnx = pytest.importorskip("onnx")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A zip like a bundle: one graph that takes any number of small photos and gives their numbers as floats."""
    helper = onnx.helper
    entry = helper.make_tensor_value_info("input", onnx.TensorProto.UINT8, ["n", 4, 4, 3])
    answer = helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, ["n", 4, 4, 3])
    node = helper.make_node("Cast", ["input"], ["scores"], to=onnx.TensorProto.FLOAT)
    graph = helper.make_graph([node], "small", [entry], [answer])
    opset = [helper.make_opsetid("", 17)]
    with zipfile.ZipFile(tmp_path / "model.fg", "w") as bundle:
        bundle.writestr("model.onnx", helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString())
    return tmp_path / "model.fg"


@pytest.mark.parametrize("engine", bare.ENGINES)
def test_the_bare_script_runs_the_model_of_a_bundle(engine: str, model: Path):
    if importlib.util.find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    subprocess.run([sys.executable, bare.__file__, engine, model], check=True, timeout=60)


def test_decoding_and_inference_share_the_processors():
    assert rates.allowed(300, 150) == pytest.approx(100)
