"""`finegraft eval MODEL DATA`."""

from __future__ import annotations

import csv
import sys
from collections import Counter as Tally
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from finegraft import targets
from finegraft.cli.choices import OneOf
from finegraft.cli.data_options import DataOptions, labelled_options
from finegraft.cli.headlines import headlines
from finegraft.cli.model import is_imagenet, open_model, run_of
from finegraft.cli.output import json_option, print_json
from finegraft.cli.printable import printable
from finegraft.cli.slices import slices_json, standing_out
from finegraft.cli.suggestions import did_you_mean, nearest
from finegraft.data.dataset import Dataset
from finegraft.data.groups import clusters
from finegraft.data.record import Record
from finegraft.errors import DataError, UnreadableFile, UsageError
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.features.store import Store
from finegraft.targets import Category, Number, Tags, Target

if TYPE_CHECKING:
    from finegraft.inference.predictor import Predictor


@click.command("eval")
@click.argument("model")
@click.argument("data")
@labelled_options
@click.option("--map", "map_file", metavar="CSV", help="Rows of: class of the model, your class.")
@click.option("--engine", type=OneOf(["auto", "openvino", "onnxruntime"]), default="auto", show_default=True)
@json_option
def command(model: str, data: str, map_file: str | None, engine: str, as_json: bool, **options: Any) -> None:
    """
    \b
      finegraft eval RUN PHOTOS
      finegraft eval imagenet PHOTOS --map map.csv

    Score MODEL on the labelled photos of DATA: a folder of class folders, a table with a column of paths, or a zip or
    tar of these. MODEL is a RUN folder, a bundle, or the word imagenet. The labels must be of the kind it answers with:
    classes, tags or numbers.

    Where DATA has given splits, its test part is judged, or its validation part where there is no test. With --map
    the probabilities of all classes that map to one of yours are added up. Photos that MODEL has learned from are left
    out, as far as its run tells.
    """
    source = DataOptions.taken_from(options)
    predictor = open_model(model, engine)
    with Store.open() as store:
        dataset = source.read(data, store)
    _must_be_alike(predictor.target, dataset)
    chosen, part = _judged_part(dataset)
    records = _not_learned_from(chosen, model, data)
    mapping = None if map_file is None else _mapping(Path(map_file), predictor)
    target = predictor.target if mapping is None else Category.of(mapping.values())
    _must_know(target, {name for record in records for name in record.classes})  # said before the work
    judged, values, novelty = _answered(predictor, records, dataset.root)
    if mapping is not None and isinstance(target, Category):
        values = mapped(values, predictor.labels, mapping, target)
    evaluation = _evaluation(target, predictor, dataset, judged, values, novelty)
    sliced = slices_json(evaluation) if isinstance(evaluation, Evaluation) else []
    if not as_json:
        click.echo("\n".join([*headlines(evaluation, part), *standing_out(sliced)]))
        return
    print_json(
        {
            **evaluation.summary_json(),
            "judged_on": part,
            "slices": sliced,
            "backbone": predictor.description["backbone"].get("name", ""),
            "findings": dict(Tally(finding.kind for finding in dataset.findings)),
            "learned_from": len(chosen) - len(records) if run_of(model) else None,
            "unreadable": sorted({record.key for record in records} - set(evaluation.keys)),
        }
    )


def _must_be_alike(target: Target, dataset: Dataset) -> None:
    """Raise `DataError` where the labels are of another kind than the answers."""
    if not dataset.usable:
        return
    kind = targets.of([record.label for record in dataset.usable if record.label is not None]).kind
    if kind != target.kind:
        called = {"category": "one class per photo", "tags": "several tags per photo", "number": "numbers"}
        raise DataError(
            f"The model answers with {called[target.kind]}, but the data holds {called[kind]}.",
            "Name the right columns with --target.",
        )


def _mapping(path: Path, predictor: Predictor) -> dict[str, str]:
    if not isinstance(predictor.target, Category):
        raise UsageError("--map joins classes, and this model answers with none.", "Leave it out.")
    return read_map(path, predictor.labels)


def _evaluation(
    target: Target,
    predictor: Predictor,
    dataset: Dataset,
    judged: Sequence[Record],
    values: np.ndarray,
    novelty: np.ndarray | None,
) -> AnyEvaluation:
    """The answers `values` (n, k) to the records `judged`, as an evaluation of `target`."""
    keys, groups = tuple(record.key for record in judged), clusters(judged)
    if isinstance(target, Category):
        truth = target.encode([str(record.label) for record in judged])
        return Evaluation(keys, target, truth, values, groups, dataset.traits_of(judged), novelty)
    if isinstance(target, Tags):
        tags = target.encode([record.classes for record in judged]).astype(np.int64)
        return TagsEvaluation(keys, target, tags, values, np.array(predictor.thresholds), groups)
    numbers = target.encode([record.label for record in judged if isinstance(record.label, float)])
    return NumberEvaluation(keys, target, numbers, values[:, 0], groups)


def _judged_part(dataset: Dataset) -> tuple[Sequence[Record], str]:
    """The records to judge, and what to call them."""
    if not dataset.given_splits & {"test", "validation"}:
        return dataset.usable, "given"
    part = dataset.judged_on
    click.echo(f"The data has given splits: only its {part} part is judged.", err=True)
    return dataset.part(part), part


def _not_learned_from(records: Sequence[Record], model: str, data: str) -> Sequence[Record]:
    """The `records` whose content `model` was not trained or chosen by, as far as its run tells.

    What the run itself was judged on had no part in either. Raises `DataError` where nothing is left.
    """
    if is_imagenet(model):
        return records
    run = run_of(model)
    if run is None:
        click.echo("Whether it learned from some of these photos cannot be checked: only its run knows.", err=True)
        return records
    past = run.dataset()
    learned = {record.digest for record in past.usable if record.split not in (None, past.judged_on)}
    kept = [record for record in records if record.digest not in learned]
    if records and not kept:
        raise DataError(
            f"All {len(records):,} photos of {data} were learned from.", "Give photos the model has not seen."
        )
    if len(kept) < len(records):
        click.echo(f"Left out, because the model learned from them: {len(records) - len(kept):,} photos.", err=True)
    return kept


def _answered(
    predictor: Predictor, records: Sequence[Record], root: Path
) -> tuple[list[Record], np.ndarray, np.ndarray | None]:
    """The records that could be read, their probabilities (n, k) or numbers (n, 1), and how novel they are, where the
    model tells.

    Raises `DataError` where none could be read.
    """
    judged, rows, novelty = [], [], []
    answers = predictor.judgements([root / record.key for record in records])
    for record, row in zip(records, answers, strict=True):
        if isinstance(row, UnreadableFile):
            click.echo(printable(f"{record.key}: {row}"), err=True)
        else:
            judged.append(record)
            rows.append(row.values)
            novelty.append(row.novelty)
    if not judged:
        raise DataError(f"None of the photos of {root} could be read.", "Look at `finegraft check`.")
    known = [value for value in novelty if value is not None]
    return judged, np.stack(rows), np.array(known) if len(known) == len(rows) else None


def read_map(path: Path, labels: Sequence[str]) -> dict[str, str]:
    """Class of the model -> the user's class, from the rows of a CSV file; a first row unlike any class is a header.

    Raises `DataError` for a row that is not two cells, or a class the model does not have.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [row for row in csv.reader(stream) if row]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise DataError(f"Cannot read the map {path}: {reason}.", "Give a CSV file.") from error
    known = set(labels)
    numbered = list(enumerate(rows, start=1))
    if len(rows) > 1 and not _like_a_class(rows[0][0].strip(), labels):
        numbered = numbered[1:]
    mapping: dict[str, str] = {}
    for number, row in numbered:
        cells = [cell.strip() for cell in row]
        if len(cells) != 2 or not all(cells):
            raise DataError(
                f"Row {number} of {path} needs two cells, got {row}.", "Write: class of the model, your class"
            )
        if cells[0] not in known:
            raise DataError(f"Row {number} of {path}: the model has no class {cells[0]!r}.", _meant(cells[0], labels))
        mapping[cells[0]] = cells[1]
    if not mapping:
        raise DataError(f"The map {path} has no rows.", "Write: class of the model, your class")
    return mapping


def _like_a_class(name: str, labels: Sequence[str]) -> bool:
    """True for a class, and for what is one but for a slip of the pen: that must not pass for a header."""
    return nearest(name, labels, cutoff=0.75) is not None


def _must_know(target: Target, labels: set[str]) -> None:
    """Raise `DataError` where a class or tag of the data can never be answered."""
    if isinstance(target, Number):
        return
    unknown = sorted(labels - set(target.labels))
    if unknown:
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        of_classes = isinstance(target, Category)
        what = "classes" if of_classes else "tags"
        mapping = " With --map a file says which classes mean the same." if of_classes else ""
        raise DataError(
            f"The model cannot answer these {what} of the data: {', '.join(unknown[:5])}{more}.",
            f"{_meant(unknown[0], target.labels)}{mapping}",
        )


def _meant(name: str, labels: Sequence[str]) -> str:
    return did_you_mean(name, labels, f"It has: {', '.join(labels[:10])}{', …' if len(labels) > 10 else ''}.")


def mapped(probabilities: np.ndarray, labels: Sequence[str], mapping: dict[str, str], target: Category) -> np.ndarray:
    """Probabilities (n, k) of the model's `labels`, added up by the user's class and sharing the whole: (n, classes).

    Classes that map to nothing are left out of the choice.
    """
    joined = np.zeros((len(probabilities), len(target)))
    for column, label in enumerate(labels):
        if label in mapping:
            joined[:, target.labels.index(mapping[label])] += probabilities[:, column]
    total = joined.sum(axis=1, keepdims=True)
    return np.asarray(joined / np.maximum(total, sys.float_info.min))
