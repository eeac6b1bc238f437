"""What can be exported, each format a row; and the way each takes: written aside, asked, compared, put in place."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finegraft.data.atomic import write_atomically
from finegraft.data.contents import digest_of, read_content
from finegraft.errors import MissingExtra, StorageError, UnreadableFile, UsageError
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
from finegraft.exporting import parity, plain, web
from finegraft.exporting.opened import IR
from finegraft.exporting.parity import MOST, Expected, Parity
from finegraft.inference import archive, bundle
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


@dataclass(frozen=True)
class Exported:
    """An export at `path` that answers as the run did; accuracies on the `judged` photos that are still there, None for
    other targets than classes, or where none is.
    """

    path: Path
    parity: Parity
    judged: int
    accuracy_before: float | None
    accuracy_after: float | None

    def to_json(self) -> dict[str, Any]:
        """What `finegraft export --json` prints."""
        return {
            "path": str(self.path),
            **self.parity.to_json(),
            "judged": self.judged,
            "accuracy_before": self.accuracy_before,
            "accuracy_after": self.accuracy_after,
        }


def export(run: Run, path: Path, to: str = "bundle", force: bool = False) -> Exported:
    """Write the model of `run` to `path` in the format `to`, once it was shown to answer as its training did.

    Asked are up to 500 of the run's judged photos, where these are still there as they were, and the golden set, from
    the files' bytes, in a process of its own. Raises `ExportError` with the photos where an answer differs by more than
    1e-3, `UsageError` where `path` is taken (unless `force`) or has another suffix, and `StorageError` where it cannot
    be written; nothing is left then.
    """
    wanted = find(to)
    _must_fit(path, to, wanted, force)
    predictor = bundle.load(run.model, engine="onnxruntime")
    with _aside(path) as place, tempfile.TemporaryDirectory(prefix="finegraft-golden-") as pictures:
        wanted.write(predictor, run, place)
        judged, missing = _judged(run)
        expected = [*judged, *parity.golden(predictor, Path(pictures))]
        files = [row.path for row in expected]
        found: Parity | None = None
        for engine in wanted.engines:
            if engine not in available():
                continue
            answers = parity.asked(place, files, engine)
            named = to if len(wanted.engines) == 1 else f"{to} by {engine}"
            worst = parity.compared(expected, answers, predictor.spread)
            worst.must_hold(named)
            found = worst if found is None or worst.max_difference > found.max_difference else found
        assert found is not None  # ONNX Runtime is always there
        if to == "bundle":
            _tell(place, found, len(judged), missing)
        _put(place, path, force)
    return Exported(path, found, len(judged), *_accuracies(run, judged, answers))


def find(to: str) -> Format:
    """The format called `to`. Raises `UsageError` for another name, and `MissingExtra` where its package is missing."""
    if to not in FORMATS:
        raise UsageError(f"There is no format called {to!r}.", f"Known: {', '.join(FORMATS)}.")
    if to == "openvino" and "openvino" not in available():
        raise MissingExtra("openvino", "The format openvino")
    return FORMATS[to]


def _bundle(predictor: Predictor, run: Run, path: Path) -> None:  # noqa: ARG001 - as the others have it
    shutil.copyfile(run.model, path)


def _onnx(predictor: Predictor, run: Run, path: Path) -> None:  # noqa: ARG001
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
    "openvino": Format(_openvino, ""),
    "torch": Format(_torch, ""),
    "web": Format(_web, ""),
}


def _must_fit(path: Path, to: str, wanted: Format, force: bool) -> None:
    if path.suffix != wanted.suffix:
        kind = f"a file that ends in {wanted.suffix}" if wanted.suffix else "a folder, named without a suffix"
        raise UsageError(f"The format {to} is {kind}, got {path.name}.")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already.", "Choose another name, or replace it with --force.")
    if path.exists() and path.is_dir() and not _is_ours(path):
        raise UsageError(f"{path} is a folder that no export made.", "Choose another name.")


def _is_ours(folder: Path) -> bool:
    """Whether a folder holds an export and nothing else."""
    known = {IR, "model.bin", "model.json", "model.safetensors"} | web.ENTRIES
    return {entry.name for entry in folder.iterdir()} <= known


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """A path beside `path` that is removed with all that lies there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    except OSError as error:
        raise StorageError(f"Cannot write {path}: {error.strerror or error}.", "Choose another place.") from error
    try:
        yield folder / path.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put(place: Path, path: Path, force: bool) -> None:
    try:
        if force and path.is_dir():
            path.replace(place.with_name("before"))  # removed with the folder it now lies in
        place.replace(path)
    except OSError as error:
        raise StorageError(f"Cannot write {path}: {error.strerror or error}.", "Choose another place.") from error


def _judged(run: Run) -> tuple[list[Expected], int]:
    """The run's judged photos with the answers its training wrote down, as far as these files are there and the same;
    how many are not.
    """
    evaluation, data = run.evaluation(), run.dataset()
    digests = {record.key: record.digest for record in data.records}
    values = evaluation.predicted[:, None] if isinstance(evaluation, NumberEvaluation) else evaluation.probabilities
    rows = [
        Expected(key, data.root / key, np.asarray(row, np.float64))
        for key, row in zip(evaluation.keys, values, strict=True)
    ]
    there = [row for row in rows if _is_still(row.path, digests[row.name])]
    step = max(1, -(-len(there) // MOST))
    return there[::step], len(rows) - len(there)


def _is_still(path: Path, digest: str) -> bool:
    """Whether the file holds what was judged."""
    try:
        return digest_of(read_content(path)) == digest
    except UnreadableFile:
        return False


def _tell(place: Path, found: Parity, judged: int, missing: int) -> None:
    """Put the figure into the bundle and its card."""
    entries = archive.read(place)
    told = {**json.loads(entries["model.json"]), "parity": {**found.to_json(), "judged": judged}}
    entries["model.json"] = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False).encode()
    gone = f" {missing} of its judged photos were no longer there, or changed." if missing else ""
    words = (
        f"\n## Is it the model that was trained\n\nAsked again from the files' bytes, in a process of its own, about "
        f"{judged} photos it was judged on and {found.photos - judged} pictures of awkward kinds, by every engine "
        f"installed: {100 * found.agreement:.1f} % have the same first answer, and no probability differs by more than "
        f"{found.max_difference:.1g}.{gone}\n"
    )
    entries["card.md"] = entries["card.md"] + words.encode()
    place.unlink()
    archive.write(place, entries)
    bundle.load(place, verify="all")


def _accuracies(run: Run, judged: list[Expected], answers: list[dict[str, Any]]) -> tuple[float | None, float | None]:
    evaluation = run.evaluation()
    if not isinstance(evaluation, Evaluation) or not judged:
        return None, None
    truth = dict(zip(evaluation.keys, evaluation.truth.tolist(), strict=True))
    before = [int(row.values.argmax()) == truth[row.name] for row in judged if row.values is not None]
    after = [
        "values" in answer and int(np.argmax(answer["values"])) == truth[row.name]
        for row, answer in zip(judged, answers, strict=False)
    ]
    return float(np.mean(before)), float(np.mean(after))
