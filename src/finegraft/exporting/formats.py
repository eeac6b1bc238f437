"""What can be exported, each format a row: how it is written, where, and which engines are asked to answer from it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from finegraft.data.atomic import write_atomically
from finegraft.errors import BundleError, MissingExtra, UsageError
from finegraft.evaluation.run import Run
from finegraft.exporting import plain, web
from finegraft.exporting.opened import IR
from finegraft.inference import archive, model_json
from finegraft.inference.card import chapters_of
from finegraft.inference.predictor import Predictor
from finegraft.runtimes import available

Write = Callable[[Predictor, Run, Path], None]


@dataclass(frozen=True)
class Format:
    """`write` makes the export at a path that is not there; `suffix` is that of a file, "" for a folder. `engines` are
    those that it is asked with.
    """

    write: Write
    suffix: str
    engines: tuple[str, ...] = ("onnxruntime",)


def find(to: str) -> Format:
    """The format called `to`. Raises `UsageError` for another name, and `MissingExtra` where its package is missing."""
    if to not in FORMATS:
        raise UsageError(f"There is no format called {to!r}.", f"Known: {', '.join(FORMATS)}.")
    if to == "openvino" and "openvino" not in available():
        raise MissingExtra("openvino", "The format openvino")
    return FORMATS[to]


def _bundle(predictor: Predictor, run: Run, path: Path) -> None:
    if model_json.exact(predictor.description):
        shutil.copyfile(run.model, path)
    else:
        predictor.save(path, chapters_of(archive.read(run.model)["card.md"].decode()))


def _onnx(predictor: Predictor, run: Run, path: Path) -> None:  # noqa: ARG001 - as the others have it
    write_atomically(path, plain.plain_graph(predictor))


def _openvino(predictor: Predictor, run: Run, path: Path) -> None:  # noqa: ARG001
    from finegraft.runtimes.openvino import saved

    path.mkdir()
    saved(plain.plain_graph(predictor), path / IR)
    write_atomically(path / "model.json", plain.description(predictor).encode())


def _torch(predictor: Predictor, run: Run, path: Path) -> None:
    from finegraft.exporting import torch_model
    from finegraft.training import weights

    backbone = torch_model.backbone_of(run.settings["settings"])
    learned = {}
    if predictor.description["backbone"].get("fine_tuned"):
        learned = torch_model.learned_in(weights.read(run.checkpoints / "network.safetensors")[0])
    torch_model.write(predictor, backbone, learned, path)


def _web(predictor: Predictor, run: Run, path: Path) -> None:  # noqa: ARG001
    web.write(predictor, path)


FORMATS = {
    "bundle": Format(_bundle, ".fg", ("onnxruntime", "openvino")),
    "onnx": Format(_onnx, ".onnx"),
    "openvino": Format(_openvino, "", ("openvino",)),
    "torch": Format(_torch, ""),
    "web": Format(_web, ""),
}


def must_fit(path: Path, to: str, wanted: Format, force: bool) -> None:
    """Raise `UsageError` where `path` has another suffix than the format has, or is taken and may not be replaced."""
    if path.suffix != wanted.suffix:
        kind = f"a file that ends in {wanted.suffix}" if wanted.suffix else "a folder, named without a suffix"
        raise UsageError(f"The format {to} is {kind}, got {path.name}.")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already.", "Choose another name, or replace it with --force.")
    if path.exists() and path.is_dir() and not _is_ours(path):
        raise UsageError(f"{path} is a folder that no export made.", "Choose another name.")


def _is_ours(folder: Path) -> bool:
    """Whether a folder holds an export and nothing else, or nothing at all."""
    names = {entry.name for entry in folder.iterdir()}
    if not names:
        return True
    try:
        model_json.parsed((folder / "model.json").read_bytes())
    except (OSError, BundleError):
        return False
    return names <= {IR, "model.bin", "model.json", "model.safetensors"} or web.is_export(folder)
