"""The way of every export: written aside, asked in a process of its own, compared with what is known, put in place."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finegraft.data.contents import read_content
from finegraft.errors import ExportError, StorageError, UnreadableFile, UsageError
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
from finegraft.exporting import formats, int8, parity, slim
from finegraft.exporting.parity import MOST, Expected, Parity
from finegraft.exporting.still_there import StillThere, judged
from finegraft.inference import archive, bundle, model_json
from finegraft.inference.card import chapters_of
from finegraft.inference.predictor import Predictor
from finegraft.runtimes import available
from finegraft.targets import Number

# Judged photos that travel with a bundle where the user says so.
_SAMPLES = 12


@dataclass(frozen=True)
class Wishes:
    """What an export is to be, beyond its format: of 8-bit integers; without its backbone; with some of the photos."""

    int8: bool = False
    slim: bool = False
    with_samples: bool = False

    def must_fit(self, to: str) -> None:
        """Raise `UsageError` for what does not go together."""
        if to == "torch" and self.int8:
            raise UsageError("The format torch has no 8-bit form.", "Export with --to bundle, onnx, openvino or web.")
        if to != "bundle" and (self.slim or self.with_samples):
            raise UsageError("--slim and --with-samples are for bundles.", "Leave out --to.")
        if self.slim and self.int8:
            raise UsageError("--slim leaves the network out, --int8 changes it.", "Choose one of them.")


@dataclass(frozen=True)
class Exported:
    """An export at `path` that answers as the run did; the accuracies of the run and of the export on the `judged`
    photos that are still there, None for other targets than classes, or where none is. `numbers` is whether it answers
    with numbers, `trial` how a form of 8-bit integers did.
    """

    path: Path
    parity: Parity
    judged: int
    accuracy_before: float | None
    accuracy_after: float | None
    numbers: bool = False
    trial: int8.Trial | None = None

    def to_json(self) -> dict[str, Any]:
        """What `finegraft export --json` prints."""
        return {
            "path": str(self.path),
            **self.parity.to_json(),
            "judged": self.judged,
            "accuracy_before": self.accuracy_before,
            "accuracy_after": self.accuracy_after,
            **({} if self.trial is None else {"int8": self.trial.to_json()}),
        }


def export(run: Run, path: Path, to: str = "bundle", force: bool = False, wishes: Wishes = Wishes()) -> Exported:
    """Write the model of `run` to `path` in the format `to`, once it was shown to answer as its training did.

    Asked are up to 500 of the run's judged photos, where these are still there as they were, and the golden set, from
    the files' bytes, in a process of its own. A form of 8-bit integers must pass its own trial first
    (`finegraft.exporting.int8`), and then answer as it did there. Raises `ExportError` with the photos where an answer
    differs by more than 1e-3, or where that trial is lost; `UsageError` where `path` is taken (unless `force`) or has
    another suffix, and for wishes that do not go together; `StorageError` where it cannot be written. Nothing is left
    then.
    """
    wanted = formats.find(to)
    wishes.must_fit(to)
    formats.must_fit(path, to, wanted, force)
    predictor, trial = bundle.load(run.model, engine="onnxruntime"), None
    there = judged(run)
    if wishes.int8:
        predictor, trial = int8.converted(predictor, run, there)
    with _aside(path) as place, tempfile.TemporaryDirectory(prefix="finegraft-golden-") as pictures:
        wanted.write(predictor, run, place)
        if wishes.with_samples:
            _with_samples(place, predictor, there)
        if wishes.slim:
            slim.slimmed(place, predictor)
        some = there.at_most(MOST)
        found, answers = _compared(place, to, wanted, predictor, some, Path(pictures))
        numbers = isinstance(predictor.target, Number)
        done = Exported(path, found, len(some), *_accuracies(some, answers), numbers, trial)
        if to == "bundle":
            _tell(place, done, there)
        _put(place, path, force)
    return done


def _compared(
    place: Path, to: str, wanted: formats.Format, predictor: Predictor, there: StillThere, pictures: Path
) -> tuple[Parity, list[dict[str, Any]]]:
    """How the export at `place` answers by the engine that does worse, and the answers. Raises `ExportError`."""
    found: Parity | None = None
    answers: list[dict[str, Any]] = []
    for engine in wanted.engines:
        if engine not in available():
            continue
        expected = [*_expected(predictor, there, engine), *parity.golden(_by(predictor, engine), pictures)]
        answers = parity.asked(place, [row.path for row in expected], engine)
        named = to if len(wanted.engines) == 1 else f"{to} by {engine}"
        worst = parity.compared(expected, answers, predictor.spread)
        worst.must_hold(named)
        found = worst if found is None or worst.max_difference > found.max_difference else found
    assert found is not None  # ONNX Runtime is always there
    return found, answers


def _expected(predictor: Predictor, there: StillThere, engine: str) -> list[Expected]:
    """What the training answered; of integers, what they answered in their trial by the same engine."""
    files = zip(there.keys, there.paths, strict=True)
    if model_json.exact(predictor.description):
        return [Expected(key, path, values) for (key, path), values in zip(files, there.values, strict=True)]
    rows = []
    for (key, path), answer in zip(files, _by(predictor, engine).judgements(there.paths), strict=True):
        if isinstance(answer, UnreadableFile):
            rows.append(Expected(key, path, None, answer.code))
        else:
            rows.append(Expected(key, path, answer.values))
    return rows


def _by(predictor: Predictor, engine: str) -> Predictor:
    """Single precision gives the same answers by every engine; integers do not."""
    return predictor if model_json.exact(predictor.description) else predictor.with_graph(predictor.graph, engine)


def _with_samples(place: Path, predictor: Predictor, there: StillThere) -> None:
    """Write the bundle once more, with some judged photos in it."""
    some = there.at_most(_SAMPLES)
    if not len(some):
        raise ExportError("None of the photos that the run was judged on is there as it was.", _WITHOUT)
    own = {}
    for number, file in enumerate(some.paths, 1):
        content = read_content(file)
        if len(content) <= archive.MAX_SAMPLE:
            own[f"own-{number}"] = content
    if not own:
        raise ExportError("All of these photos have more than 16 MB.", _WITHOUT)
    chapters = chapters_of(archive.read(place)["card.md"].decode())
    place.unlink()
    predictor.save(place, {**chapters, "What travels with it": _TRAVELS.format(len(own))}, own)


_WITHOUT = "Leave out --with-samples."
_TRAVELS = (
    "{} photos that it was judged on lie in `samples/`, with its answers: whoever has this file has them, and all that "
    "is in their files, such as the place and time of a camera. They are asked again wherever it is opened."
)


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
            before = place.with_name("before")  # removed with the folder it now lies in
            path.replace(before)
            try:
                place.replace(path)
            except OSError:
                before.replace(path)
                raise
        else:
            place.replace(path)
    except OSError as error:
        raise StorageError(f"Cannot write {path}: {error.strerror or error}.", "Choose another place.") from error


def _tell(place: Path, done: Exported, there: StillThere) -> None:
    """Put the figures into the bundle at `place` and its card."""
    entries, found, asked = archive.read(place), done.parity, done.judged
    told = {**json.loads(entries["model.json"]), "parity": {**found.to_json(), "judged": asked}}
    gone = f" {there.missing} of its judged photos were no longer there, or changed." if there.missing else ""
    words = (
        f"\n## Is it the model that was trained\n\nAsked again from the files' bytes, in a process of its own, about "
        f"{asked} photos it was judged on and {found.photos - asked} pictures of awkward kinds, by every engine "
        f"installed: {found.words(done.numbers)}.{gone}\n"
    )
    if done.trial is not None:
        told["int8"] = done.trial.to_json()
        words = _OF_INTEGERS.format(done.trial.words, len(done.trial.evaluation), gone)
    entries["model.json"] = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False).encode()
    entries["card.md"] = entries["card.md"] + words.encode()
    place.unlink()
    archive.write(place, entries)
    bundle.load(place, verify="all")


_OF_INTEGERS = """
## It computes with 8-bit integers

This is not the network that was trained, but a smaller and faster one made from it. On {1} photos it was judged on,
{0}, each by the engine that is fastest for it.{2} Engines round such numbers in their own way: its answers may differ
between machines by more than those of a model in single precision.
"""


def _accuracies(there: StillThere, answers: list[dict[str, Any]]) -> tuple[float | None, float | None]:
    if not isinstance(there.evaluation, Evaluation):
        return None, None
    truth = there.evaluation.truth
    after = [
        "values" in answer and int(np.argmax(answer["values"])) == right
        for right, answer in zip(truth.tolist(), answers, strict=False)  # the golden set follows, without truth
    ]
    return float(np.mean(there.evaluation.predicted == truth)), float(np.mean(after))
