"""`finegraft predict MODEL PATH…`."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import click

from finegraft.cli.model import open_model
from finegraft.cli.output import percent
from finegraft.errors import UsageError
from finegraft.inference.prediction import Prediction, PredictionError

Answer = Prediction | PredictionError
# Prints one answer, and whatever must come before the first.
Writer = Callable[[Answer], None]


@click.command("predict")
@click.argument("model")
@click.argument("paths", nargs=-1, required=True)
@click.option("--top", type=click.IntRange(min=1), default=3, show_default=True, help="How many classes to show.")
@click.option("--among", metavar="A,B,…", help="Choose only among these classes; one alone is answered yes or no.")
@click.option("--json", "style", flag_value="json", help="One JSON object a line.")
@click.option("--csv", "style", flag_value="csv", help="Comma-separated values.")
@click.option(
    "--html", "page", metavar="FILE", help="Also write a page: each photo with its ranking, least sure first."
)
@click.option("--sort-into", metavar="DIR", help="Also copy each photo into a folder named by its answer.")
@click.option("--engine", type=click.Choice(["auto", "openvino", "onnxruntime"]), default="auto", show_default=True)
@click.option("--strict", is_flag=True, help="End with 1 when any file cannot be answered.")
def command(
    model: str,
    paths: tuple[str, ...],
    top: int,
    among: str | None,
    style: str | None,
    page: str | None,
    sort_into: str | None,
    engine: str,
    strict: bool,
) -> int:
    """Answer for PATHs: files, folders, globs, or - for a list on stdin.

    \b
      finegraft predict RUN photo.jpg
      finegraft predict imagenet photo.jpg --among hotdog
      find . -name '*.jpg' | finegraft predict RUN - --json

    MODEL is a RUN folder, a bundle, or the word imagenet. Every file gets an answer or a named error, in order.
    """
    files = _files(paths)  # before the model: a wrong path should not wait for it
    predictor = open_model(model, engine)
    if among is not None:
        predictor = predictor.among([name.strip() for name in among.split(",") if name.strip()])
    write = _writer(style, top, files)
    kept: list[Answer] = []
    answered = failed = 0
    if sort_into is not None:
        from finegraft.cli.sorting import Sorter

        sorter = Sorter(Path(sort_into))
    with closing(predictor.predict_many(files)) as answers:
        for answer in answers:
            write(answer)
            answered += isinstance(answer, Prediction)
            failed += isinstance(answer, PredictionError)
            if page is not None:
                kept.append(answer)
            if sort_into is not None and isinstance(answer, Prediction):
                sorter.copy(answer)
    if page is not None:
        _write_page(kept, Path(page), predictor.description["modality"], top)
    if failed and style is None:
        click.echo(f"{failed:,} of {answered + failed:,} files could not be answered.", err=True)
    return 1 if failed and (strict or not answered) else 0


def _files(paths: tuple[str, ...]) -> list[Path] | Iterator[Path]:
    """The photos meant; a list where their number is known, so that the model can choose its engine."""
    from finegraft.vision.sources import photos

    if "-" in paths:
        if len(paths) > 1:
            raise UsageError("- means a list on stdin and stands alone.", f"Got {' '.join(paths)}.")
        return (Path(line) for line in (text.rstrip("\r\n") for text in sys.stdin) if line)
    return list(photos(paths))


def _writer(style: str | None, top: int, files: object) -> Writer:
    if style == "json":
        return lambda answer: click.echo(json.dumps(_row(answer, top)))
    if style == "csv":
        return _csv_writer()
    width = min(60, max((len(str(path)) for path in files), default=0)) if isinstance(files, list) else 40
    return lambda answer: click.echo(_line(answer, top, width))


def _row(answer: Answer, top: int) -> dict[str, object]:
    return answer.to_json(top) if isinstance(answer, Prediction) else answer.to_json()


def _csv_writer() -> Writer:
    _echo_csv("path", "label", "probability", "unsure", "error")

    def write(answer: Answer) -> None:
        if isinstance(answer, Prediction):
            _echo_csv(answer.path, answer.label, f"{answer.probability:.6f}", answer.unsure or "", "")
        else:
            _echo_csv(answer.path, "", "", "", f"{answer.code}: {answer.message}")

    return write


def _echo_csv(*cells: str | None) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    click.echo(buffer.getvalue(), nl=False)


def _line(answer: Answer, top: int, width: int) -> str:
    if isinstance(answer, PredictionError):
        return f"{answer.path or '':<{width}}  – {answer.message} ({answer.code})"
    ranking = "   ".join(f"{label} {percent(p)}" for label, p in answer.ranking[:top])
    return f"{answer.path or '':<{width}}  {ranking}{f'   unsure: {answer.unsure}' if answer.unsure else ''}"


def _write_page(answers: Iterable[Answer], path: Path, modality: str, top: int) -> None:
    from finegraft import modality as modalities
    from finegraft.errors import UnreadableFile
    from finegraft.reporting.gallery import gallery

    thumbnail = modalities.get(modality).thumbnail

    def picture(answer: Answer) -> bytes | None:
        try:
            return thumbnail(Path(answer.path or "").read_bytes(), 320)
        except (OSError, UnreadableFile):  # its row says what is wrong with it
            return None

    gallery(((picture(answer), _row(answer, top), Path(answer.path or "").name) for answer in answers), path)
    click.echo(f"Page: {path}", err=True)
