"""`finegraft predict MODEL PATH…`."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from finegraft.cli.choices import OneOf
from finegraft.cli.model import open_model
from finegraft.cli.output import must_be_writable, percent
from finegraft.cli.printable import printable
from finegraft.cli.sorting import Sorter, must_lie_outside
from finegraft.errors import UsageError
from finegraft.inference.prediction import Prediction, PredictionError

Answer = Prediction | PredictionError
Row = dict[str, Any]
# Prints one answer, and whatever must come before the first.
Writer = Callable[[Answer], None]


@click.command("predict")
@click.argument("model")
@click.argument("paths", nargs=-1, required=True)
@click.option("--top", type=click.IntRange(min=1), default=3, show_default=True, help="How many classes to show.")
@click.option("--among", metavar="A,B,…", help="Choose only among these classes; one alone is answered yes or no.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values.")
@click.option(
    "--html", "page", metavar="FILE", help="Also write a page: each photo with its ranking, least sure first."
)
@click.option("--sort-into", metavar="DIR", help="Also copy each photo into a folder named by its answer.")
@click.option("--engine", type=OneOf(["auto", "openvino", "onnxruntime"]), default="auto", show_default=True)
@click.option("--strict", is_flag=True, help="End with 1 when any file cannot be answered.")
def command(
    model: str,
    paths: tuple[str, ...],
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
      find . -name '*.jpg' | finegraft predict RUN - --json

    Answer for PATHs: files, folders, globs, or - for a list on stdin (a line each, or ended by null bytes as from
    find -print0). MODEL is a RUN folder, a bundle, or the word imagenet. Every file gets an answer or a named error,
    in order.
    """
    style = _style(as_json, as_csv)
    if page is not None:
        must_be_writable(Path(page))
    if sort_into is not None:
        must_lie_outside(Path(sort_into), paths)
    files = _files(paths)  # before the model: a wrong path should not wait for it
    predictor = open_model(model, engine)
    if among is not None:
        predictor = predictor.among([name.strip() for name in among.split(",") if name.strip()])
    write = _writer(style, top, files)
    kept: list[Row] = []
    answered = failed = 0
    sorter = None if sort_into is None else Sorter(Path(sort_into))
    with closing(predictor.predict_many(files)) as answers:
        for answer in answers:
            write(answer)
            answered += isinstance(answer, Prediction)
            failed += isinstance(answer, PredictionError)
            if page is not None:
                kept.append(_row(answer, top))
            if sorter is not None and isinstance(answer, Prediction):
                sorter.copy(answer)
    if page is not None:
        _write_page(kept, Path(page), predictor.description["modality"])
    if failed and style is None:
        click.echo(f"{failed:,} of {answered + failed:,} files could not be answered.", err=True)
    return 1 if failed and (strict or not answered) else 0


def _style(as_json: bool, as_csv: bool) -> str | None:
    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other.", "Give one of them.")
    return "json" if as_json else "csv" if as_csv else None


def _files(paths: tuple[str, ...]) -> list[Path] | Iterator[Path]:
    """The photos meant; a list where their number is known, so that the model can choose its engine."""
    from finegraft.vision.sources import photos

    if "-" in paths:
        if len(paths) > 1:
            raise UsageError("- means a list on stdin and stands alone.", f"Got {' '.join(paths)}.")
        return _listed()
    return list(photos(paths))


def _listed() -> Iterator[Path]:
    """The paths on stdin, each as soon as it is there.

    The first separator to arrive tells which kind of list it is; a null byte that came with it counts more than a line
    feed, which may belong to a name. Not through `sys.stdin`: a thread that waits in its buffer would stop the process
    from ending.
    """
    rest, end = b"", b""
    while chunk := os.read(0, 65_536):
        rest += chunk
        end = end or next((byte for byte in (b"\0", b"\n") if byte in chunk), b"")
        if end:
            *lines, rest = rest.split(end)
            yield from _named(lines, end)
    yield from _named([rest], end)


def _named(lines: Iterable[bytes], end: bytes) -> Iterator[Path]:
    """The paths on `lines`; empty ones are passed over, and the carriage returns of Windows are no part of a name."""
    for line in lines:
        name = line.removesuffix(b"\r") if end == b"\n" else line
        if name:
            yield Path(os.fsdecode(name))


def _writer(style: str | None, top: int, files: object) -> Writer:
    if style == "json":
        return lambda answer: click.echo(json.dumps(_row(answer, top)))
    if style == "csv":
        return _csv_writer()
    width = min(60, max((len(printable(str(path))) for path in files), default=0)) if isinstance(files, list) else 40
    return lambda answer: click.echo(_line(answer, top, width))


def _row(answer: Answer, top: int) -> Row:
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
        said = f"– {answer.message} ({answer.code})"
    else:
        said = "   ".join(f"{label} {percent(p)}" for label, p in answer.ranking[:top])
        said += f"   unsure: {answer.unsure}" if answer.unsure else ""
    return f"{printable(answer.path or ''):<{width}}  {printable(said)}"


def _write_page(rows: Iterable[Row], path: Path, modality: str) -> None:
    from finegraft import modality as modalities
    from finegraft.data.contents import read_content
    from finegraft.errors import UnreadableFile
    from finegraft.reporting.gallery import gallery

    thumbnail = modalities.get(modality).thumbnail

    def picture(row: Row) -> bytes | None:
        try:
            return None if "error" in row else thumbnail(read_content(Path(row["path"])), 320)
        except UnreadableFile:  # it went away since it was answered
            return None

    gallery(((picture(row), row, Path(row["path"]).name) for row in rows), path)
    click.echo(f"Page: {path}", err=True)
