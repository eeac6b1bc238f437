"""`finegraft predict MODEL PATH…`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from finegraft.cli.choices import OneOf
from finegraft.cli.model import open_model
from finegraft.cli.output import must_be_writable, percent
from finegraft.cli.printable import printable
from finegraft.cli.sorting import Sorter, must_lie_outside
from finegraft.cli.stdin_list import paths_on_stdin
from finegraft.errors import UsageError
from finegraft.inference.prediction import AnyPrediction, Prediction, PredictionError, TagsPrediction
from finegraft.targets import Category

if TYPE_CHECKING:
    from finegraft.inference.predictor import Predictor
    from finegraft.vision.asked import Asked

Answer = AnyPrediction | PredictionError
Row = dict[str, Any]
# Prints one answer, and whatever must come before the first.
Writer = Callable[[Answer], None]


@click.command("predict")
@click.argument("model")
@click.argument("paths", nargs=-1, required=True)
@click.option("--path", "path_column", metavar="COL", help="Column of a table that holds the paths of the photos.")
@click.option("--top", type=click.IntRange(min=1), default=3, show_default=True, help="How many classes to show.")
@click.option("--among", metavar="A,B,…", help="Choose only among these classes; one alone is answered yes or no.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values.")
@click.option(
    "--html", "page", metavar="FILE", help="Also write a page: each photo with its ranking, least sure first."
)
@click.option("--sort-into", metavar="DIR", help="Also copy each photo into a folder named by its class.")
@click.option("--engine", type=OneOf(["auto", "openvino", "onnxruntime"]), default="auto", show_default=True)
@click.option("--strict", is_flag=True, help="End with 1 when any file cannot be answered.")
def command(
    model: str,
    paths: tuple[str, ...],
    path_column: str | None,
    top: int,
    among: str | None,
    as_json: bool,
    as_csv: bool,
    page: str | None,
    sort_into: str | None,
    engine: str,
    strict: bool,
) -> int:
    """
    \b
      finegraft predict RUN photo.jpg
      finegraft predict imagenet photo.jpg --among hotdog
      finegraft predict RUN photos.csv --path file --csv
      find . -name '*.jpg' | finegraft predict RUN - --json

    Answer for PATHs: files, folders, globs, zips and tars, tables with a column of paths, or - for a list on stdin (a
    line each, or ended by null bytes as from find -print0). MODEL is a RUN folder, a bundle, or the word imagenet.
    Every file and every row gets an answer or a named error, in order.
    """
    style = _style(as_json, as_csv)
    if page is not None:
        must_be_writable(Path(page))
    if sort_into is not None:
        must_lie_outside(Path(sort_into), paths)
    files = _files(paths, path_column)  # before the model: a wrong path should not wait for it
    predictor = open_model(model, engine)
    if among is not None:
        predictor = predictor.among([name.strip() for name in among.split(",") if name.strip()])
    if sort_into is not None:
        _must_answer_with_classes(predictor)
    write = _writer(style, top, files, predictor)
    kept: list[tuple[Path | None, Row]] = []
    answered = failed = 0
    sorter = None if sort_into is None else Sorter(Path(sort_into))
    with closing(_answered(predictor, files)) as answers:
        for file, answer in answers:
            write(answer)
            answered += not isinstance(answer, PredictionError)
            failed += isinstance(answer, PredictionError)
            if page is not None:
                kept.append((file, _row(answer, top)))
            if sorter is not None and file is not None and isinstance(answer, Prediction):
                sorter.copy(replace(answer, path=str(file)))
    if page is not None:
        _write_page(kept, Path(page), predictor.description["modality"])
    if failed and style is None:
        click.echo(f"{failed:,} of {answered + failed:,} files could not be answered.", err=True)
    return 1 if failed and (strict or not answered) else 0


def _must_answer_with_classes(predictor: Predictor) -> None:
    if not isinstance(predictor.target, Category):
        what = "several tags" if predictor.labels else "a number"
        raise UsageError(
            f"--sort-into needs one class for each photo, and this model answers with {what}.",
            "Write the answers down with --csv or --json.",
        )


def _style(as_json: bool, as_csv: bool) -> str | None:
    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other.", "Give one of them.")
    return "json" if as_json else "csv" if as_csv else None


def _files(paths: tuple[str, ...], column: str | None) -> list[Asked] | Iterator[Path]:
    """What is to be answered; a list where its number is known, so that the model can choose its engine."""
    from finegraft.vision.asked import asked

    if "-" in paths:
        if len(paths) > 1 or column is not None:
            raise UsageError("- means a list on stdin and stands alone.", f"Got {' '.join(paths)}.")
        return paths_on_stdin()
    return list(asked(paths, column))


def _answered(
    predictor: Predictor, files: list[Asked] | Iterator[Path]
) -> Generator[tuple[Path | None, Answer], None, None]:
    """Each file, where there is one, and its answer under the name it was asked by."""
    if not isinstance(files, list):
        with closing(predictor.predict_many(files)) as answers:
            for answer in answers:
                yield Path(answer.path or ""), answer
        return
    with closing(predictor.predict_many([one.path for one in files if one.path is not None])) as answers:
        for one in files:
            if one.path is None:
                yield None, PredictionError(one.shown, one.code, one.reason)
            else:
                yield one.path, replace(next(answers), path=one.shown)


def _writer(style: str | None, top: int, files: list[Asked] | Iterator[Path], predictor: Predictor) -> Writer:
    if style == "json":
        return lambda answer: click.echo(json.dumps(_row(answer, top)))
    if style == "csv":
        return _csv_writer(predictor)
    width = min(60, max((len(printable(one.shown)) for one in files), default=0)) if isinstance(files, list) else 40
    return lambda answer: click.echo(_line(answer, top, width))


def _row(answer: Answer, top: int) -> Row:
    return answer.to_json() if isinstance(answer, PredictionError) else answer.to_json(top)


def _csv_writer(predictor: Predictor) -> Writer:
    """For a class its probability; for tags a column of 0 and 1 each, as a table to learn from has them; for a number
    the ends of its interval.
    """
    if isinstance(predictor.target, Category):
        columns: tuple[str, ...] = ("label", "probability")
    else:
        columns = predictor.labels or ("value", "low", "high")
    _echo_csv("path", *columns, "unsure", "error")

    def write(answer: Answer) -> None:
        if isinstance(answer, PredictionError):
            _echo_csv(answer.path, *[""] * len(columns), "", f"{answer.code}: {answer.message}")
        else:
            _echo_csv(answer.path, *_cells(answer, predictor.labels), answer.unsure or "", "")

    return write


def _cells(answer: AnyPrediction, labels: tuple[str, ...]) -> list[str]:
    if isinstance(answer, Prediction):
        return [answer.label, f"{answer.probability:.6f}"]
    if isinstance(answer, TagsPrediction):
        given = {label for label, _ in answer.labels}
        return [str(int(label in given)) for label in labels]
    row = answer.to_json()
    return [str(cell) for cell in (row["value"], *(row["interval"] or ("", "")))]


def _echo_csv(*cells: str | None) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    click.echo(buffer.getvalue(), nl=False)


def _line(answer: Answer, top: int, width: int) -> str:
    if isinstance(answer, PredictionError):
        said = f"– {answer.message} ({answer.code})"
    else:
        said = _said(answer, top)
        said += f"   unsure: {answer.unsure}" if answer.unsure else ""
    return f"{printable(answer.path or ''):<{width}}  {printable(said)}"


def _said(answer: AnyPrediction, top: int) -> str:
    """The answer in a line: the first classes, all tags, or the number with its interval."""
    if isinstance(answer, Prediction):
        return "   ".join(f"{label} {percent(p)}" for label, p in answer.ranking[:top])
    if isinstance(answer, TagsPrediction):
        return "   ".join(f"{label} {percent(p)}" for label, p in answer.labels) or "no tag"
    if answer.interval is None:
        return f"{answer.value:.4g}"
    low, high = answer.interval
    return f"{answer.value:.4g}   {low:.4g} to {high:.4g}"


def _write_page(rows: Iterable[tuple[Path | None, Row]], path: Path, modality: str) -> None:
    from finegraft import modality as modalities
    from finegraft.data.contents import read_content
    from finegraft.errors import UnreadableFile
    from finegraft.reporting.gallery import gallery

    thumbnail = modalities.get(modality).thumbnail

    def picture(file: Path | None, row: Row) -> bytes | None:
        try:
            return None if file is None or "error" in row else thumbnail(read_content(file), 320)
        except UnreadableFile:  # it went away since it was answered
            return None

    gallery(((picture(file, row), row, Path(row["path"]).name) for file, row in rows), path)
    click.echo(f"Page: {path}", err=True)
