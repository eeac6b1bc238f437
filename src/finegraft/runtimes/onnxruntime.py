"""ONNX Runtime: always installed, starts fastest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from finegraft.errors import BundleError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


class OnnxRuntime:
    """A session of ONNX Runtime; see `finegraft.runtimes.Runtime`."""

    name = "onnxruntime"
    batch = 1

    def __init__(self, session: InferenceSession, version: str, streams: int) -> None:
        self._session = session
        self._input: str = session.get_inputs()[0].name
        self.version = version
        self.streams = streams
        self.outputs: tuple[str, ...] = tuple(output.name for output in session.get_outputs())

    def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """All outputs of the batch `x`."""
        try:
            values = self._session.run(None, {self._input: x})
        except Exception as error:  # its errors share no base class
            raise BundleError(
                f"onnxruntime cannot run this model on {x.dtype} of shape {x.shape}: {error}", "Export it again."
            ) from error
        return dict(zip(self.outputs, values, strict=True))


def package() -> Any:
    """The package, imported so that it keeps to itself.

    Since 1.29 ONNX Runtime reports to its maker over HTTPS and keeps a file in the home folder, unless this is set
    before its first import (onnxruntime/Privacy.md). Ours promises that no socket is opened.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def open(graph: bytes, threads: int, streams: int) -> OnnxRuntime:  # noqa: A001
    """Open `graph` on the processor; `threads` are shared by `streams` calls at once."""
    onnxruntime = package()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = max(1, threads // streams)
    options.inter_op_num_threads = 1
    # Threads that spin while they wait starve whatever else wants the core, the photo decoder first: on two busy
    # cores 76 photos a second with spinning, 124 without (lite0; microsoft/onnxruntime#13808).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Else it guesses from the first bytes and may take its own format, which `graph_safety` does not read.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no base class
        raise BundleError(f"onnxruntime cannot open this model: {error}", "Export it again.") from error
    if len(session.get_inputs()) != 1:
        raise BundleError(
            f"A model needs exactly one input, this one has {len(session.get_inputs())}.", "Export it again."
        )
    return OnnxRuntime(session, onnxruntime.__version__, streams)
