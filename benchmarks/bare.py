"""The least a program can do: import an engine, load a bundle's model, run it once on zeros.

python benchmarks/bare.py onnxruntime|openvino MODEL.fg
"""

from __future__ import annotations

import sys
import zipfile

ENGINES = ("onnxruntime", "openvino")


def run_once(engine: str, graph: bytes) -> None:
    """One answer from `graph` for an input of zeros, one photo of the size the graph was made for."""
    import numpy as np

    if engine == "onnxruntime":
        import onnxruntime

        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        (entry,) = session.get_inputs()
        session.run(None, {entry.name: np.zeros((1, *entry.shape[1:]), np.uint8)})
    else:
        # Its model converters, imported along with it, report to their maker over the network; it runs without them.
        sys.modules["openvino.tools.ovc"] = None  # type: ignore[assignment]
        import openvino

        core = openvino.Core()
        model = core.compile_model(core.read_model(graph), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        shape = model.input(0).partial_shape
        model(np.zeros((1, *(shape[axis].get_length() for axis in range(1, len(shape)))), np.uint8))


if __name__ == "__main__":
    with zipfile.ZipFile(sys.argv[2]) as bundle:
        run_once(sys.argv[1], bundle.read("model.onnx"))
