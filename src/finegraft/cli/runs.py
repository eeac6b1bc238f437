"""`finegraft runs DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from finegraft.cli.output import json_option, percent, print_json
from finegraft.cli.printable import printable
from finegraft.evaluation.run import Run
from finegraft.evaluation.run import runs as find_runs


@click.command("runs")
@click.argument("folder", default=".")
@json_option
def command(folder: str, as_json: bool) -> None:
    """
    \b
      finegraft runs
      finegraft runs FOLDER

    A table of the finished runs in FOLDER (default: this folder) and below, the best accuracy first.
    """
    found = [row for run in find_runs(folder) if (row := _row(run)) is not None]
    rows = sorted(found, key=lambda row: (-row["accuracy"], row["path"]))
    if as_json:
        print_json({"rows": rows})
        return
    if not rows:
        click.echo(f"There are no finished runs in {folder}. Make one with: finegraft train PHOTOS -o RUN")
        return
    table: list[tuple[str, ...]] = [("run", "accuracy", "95 % interval", "judged", "backbone", "made")]
    table += [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip())


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    low, high = map(percent, row["accuracy_interval"])
    made = row["created"].replace("T", " ")[:16]
    return (
        printable(row["path"]),
        percent(row["accuracy"]),
        f"{low} to {high}",
        f"{row['n_judged']:,} {row['judged_on']}",
        printable(row["backbone"]),
        made,
    )


def _row(run: Run) -> dict[str, Any] | None:
    """What the table says of `run`; None, and a word on stderr, where its run.json was edited and lacks it."""
    try:
        return _read(run.path, run.settings)
    except (KeyError, TypeError, AttributeError) as error:
        click.echo(printable(f"{run.path} is left out: its run.json was edited ({error!r})."), err=True)
        return None


def _read(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    accuracy = settings["metrics"]["accuracy"]
    return {
        "path": str(path),
        "accuracy": accuracy["value"],
        "accuracy_interval": accuracy["interval"],
        "n_train": settings["n_train"],
        "n_judged": settings["n_judged"],
        "judged_on": settings["judged_on"],
        "backbone": settings["backbone"]["name"],
        "created": settings["created"],
    }
