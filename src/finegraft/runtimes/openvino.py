"""OpenVINO: optional, answers the most photos a second on a processor."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from finegraft.errors import BundleError

if TYPE_CHECKING:
    from openvino import CompiledModel, InferRequest


class OpenVino:
    """A model compiled by OpenVINO; see `finegraft.runtimes.Runtime`."""

    name = "openvino"
    batch = 1

    # The first inference of a process fills tables inside the binding; two threads doing so at once block each other
    # for good (one waits for Python's lock, one for the table's: 2026.4.1, one start in six). So it goes alone.
    _first: ClassVar = threading.Lock()
    _warm: ClassVar = False

    def __init__(self, model: CompiledModel, outputs: tuple[str, ...], version: str, streams: int) -> None:
        self._model = model
        self._idle: list[InferRequest] = []
        self.version = version
        self.streams = streams
        self.outputs = outputs

    def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """All outputs of the batch `x`, as arrays of their own."""
        if OpenVino._warm:
            return self._infer(x)
        with OpenVino._first:
            outputs = self._infer(x)
            OpenVino._warm = True
        return outputs

    def _infer(self, x: np.ndarray) -> dict[str, np.ndarray]:
        request = self._request()
        try:
            values = request.infer([x], share_inputs=True)
        except RuntimeError as error:
            raise BundleError(
                f"openvino cannot run this model on {x.dtype} of shape {x.shape}: {_reason(error)}", "Export it again."
            ) from error
        finally:
            self._idle.append(request)
        return {name: values[i] for i, name in enumerate(self.outputs)}

    def _request(self) -> InferRequest:
        """A request nobody uses: each serves one thread at a time, so there are as many as threads at once."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._model.create_infer_request()


def open(graph: bytes | Path, threads: int, streams: int) -> OpenVino:  # noqa: A001
    """Open `graph`, the bytes of an ONNX file or the path of OpenVINO's own, on the processor.

    `threads` are shared by `streams` calls at once.
    """
    with _no_converters():
        import openvino

    settings = {
        "INFERENCE_PRECISION_HINT": "f32",  # it may choose bfloat16 by itself, and give other answers
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": streams,
    }
    core = openvino.Core()
    try:
        read = core.read_model(graph)
        # Asked before compiling: that gives an output the names of all the tensors it finds equal, in any order.
        names = tuple(port.get_any_name() for port in read.outputs)
        model = core.compile_model(read, "CPU", settings)
    except RuntimeError as error:
        raise BundleError(f"openvino cannot open this model: {_reason(error)}", "Export it again.") from error
    if len(model.inputs) != 1:
        raise BundleError(f"A model needs exactly one input, this one has {len(model.inputs)}.", "Export it again.")
    return OpenVino(model, names, openvino.__version__, streams)


def saved(graph: bytes, path: Path) -> None:
    """Write the bytes of an ONNX file as OpenVINO's own, `path` (.xml) and a file beside it, in single precision."""
    with _no_converters():
        import openvino

    openvino.save_model(openvino.Core().read_model(graph), path, compress_to_fp16=False)


def _reason(error: RuntimeError) -> str:
    """What went wrong, on one line, without where in OpenVINO's source."""
    return " ".join(line for line in str(error).splitlines() if line and not line.startswith("Exception from "))


@contextlib.contextmanager
def _no_converters() -> Iterator[None]:
    """Import OpenVINO without its model converters, which it allows.

    Importing them reports the import to its maker over the network, and takes 0.12 s of 0.2 s.
    """
    converters = "openvino.tools.ovc"
    if "openvino" in sys.modules or converters in sys.modules:
        yield
        return
    sys.modules[converters] = None  # type: ignore[assignment]  # makes importing it an ImportError
    try:
        yield
    finally:
        del sys.modules[converters]
