"""An export read back the way its readers read it: its own description, our decoder, its own format's engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from finegraft import modality
from finegraft.data.contents import read_content
from finegraft.errors import BundleError
from finegraft.exporting import web
from finegraft.exporting.plain import BESIDE, PROPERTY
from finegraft.inference import bundle, model_json
from finegraft.runtimes import open_graph

IR = "model.xml"
# The path of a file -> the probabilities float64 (k,) of its labels, or its number (1,).
Ask = Callable[[Path], np.ndarray]


def open_export(path: Path, engine: str = "onnxruntime") -> Ask:
    """What lies at `path`: a bundle, an ONNX file, a web page, or a folder with OpenVINO's or torch's files.

    `engine` runs a bundle; other formats have their own. Raises `BundleError` for anything else; what is returned
    raises `UnreadableFile`.
    """
    if (path / web.PAGE).exists():
        return _web(path)
    if path.is_dir():
        return _ir(path) if (path / IR).exists() else _torch(path)
    if path.suffix == ".onnx":
        return _onnx(path)
    predictor = bundle.load(path, engine=engine)
    return lambda file: predictor.judgement(file).values


def _onnx(path: Path) -> Ask:
    from finegraft.models.frozen import onnx_package

    content = path.read_bytes()
    told = {row.key: row.value for row in onnx_package().load_from_string(content).metadata_props}
    if PROPERTY not in told:
        raise BundleError(f"{path} does not describe itself.", "Export it again.")
    runtime = open_graph(content, "onnxruntime")
    return _asking(model_json.parsed(told[PROPERTY].encode()), lambda given: _only(runtime.run(given)))


def _ir(folder: Path) -> Ask:
    from finegraft.runtimes import openvino

    runtime = openvino.open(folder / IR, threads=1, streams=1)
    try:
        stored = model_json.parsed((folder / "model.json").read_bytes())
    except OSError as error:
        raise BundleError(f"{folder} does not describe itself: it has no model.json.", "Export it again.") from error
    return _asking(stored, lambda given: _only(runtime.run(given)))


def _web(folder: Path) -> Ask:
    """As the page does it: what is told comes from model.json, and not from the graph."""
    try:
        content, told = (folder / web.GRAPH).read_bytes(), (folder / web.DESCRIPTION).read_bytes()
    except OSError as error:
        raise BundleError(f"{folder} is no whole page: {error}.", "Export it again.") from error
    runtime = open_graph(content, "onnxruntime")

    def answer(given: np.ndarray) -> np.ndarray:
        return _only({name: values for name, values in runtime.run(given).items() if name not in BESIDE})

    return _asking(model_json.parsed(told), answer)


def _torch(folder: Path) -> Ask:
    import torch

    from finegraft.exporting import torch_model

    network, stored = torch_model.load(folder)
    return _asking(stored, lambda given: network(torch.from_numpy(given)).numpy())


def _only(outputs: dict[str, np.ndarray]) -> np.ndarray:
    (values,) = outputs.values()
    return values


def _asking(stored: model_json.Stored, answer: Callable[[np.ndarray], np.ndarray]) -> Ask:
    """`answer` maps inputs (n, …) to outputs (n, k)."""
    preprocess = modality.get(stored.description["modality"]).Preprocess.from_json(stored.preprocess)

    def values(file: Path) -> np.ndarray:
        return np.asarray(answer(preprocess.load(read_content(file))[None])[0], np.float64)

    return values
