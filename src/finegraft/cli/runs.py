"""`finegraft runs DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from finegraft.cli.output import json_option, percent, print_json
from finegraft.cli.printable import printable
from finegraft.evaluation.run import Run
from finegraft.evaluation.run import runs as find_runs

# What a run is placed by, by the kind of its target.
_LEADING = {"category": "accuracy", "tags": "exact_match", "number": "mae"}


@click.command("runs")
@click.argument("folder", default=".")
@json_option
def command(folder: str, as_json: bool) -> None:
    """
    \b
      finegraft runs
      finegraft runs FOLDER

    A table of the finished runs in FOLDER (default: this folder) and below, the best first: by accuracy, by the share
    with all tags right, or by how far off the numbers are.
    """
    found = [row for run in find_runs(folder) if (row := _row(run)) is not None]
    rows = sorted(found, key=_place)
    if as_json:
        print_json({"rows": rows})
        return
    if not rows:
        click.echo(f"There are no finished runs in {folder}. Make one with: finegraft train PHOTOS -o RUN")
        return
    of_classes = all(row["metric"] == "accuracy" for row in rows)
    head = "accuracy" if of_classes else "result"
    table: list[tuple[str, ...]] = [("run", head, "95 % interval", "judged", "backbone", "made")]
    table += [_cells(row, of_classes) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip())


def _place(row: dict[str, Any]) -> tuple[int, float, str]:
    """Classes first, then tags, then numbers; the best of each first."""
    kind = list(_LEADING).index(row["target"])
    return kind, row["value"] if row["target"] == "number" else -row["value"], row["path"]


def _cells(row: dict[str, Any], of_classes: bool) -> tuple[str, ...]:
    written = _number if row["target"] == "number" else percent
    value = written(row["value"])
    ends = row["interval"]
    made = row["created"].replace("T", " ")[:16]
    return (
        printable(row["path"]),
        value if of_classes else f"{row['metric'].replace('_', ' ')} {value}",
        "" if ends is None else f"{written(ends[0])} to {written(ends[1])}",
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
    target = settings["target"].get("kind", "category")
    metric = _LEADING[target]
    found = settings["metrics"][metric]
    accuracy = {"accuracy": found["value"], "accuracy_interval": found["interval"]} if metric == "accuracy" else {}
    return {
        "path": str(path),
        "target": target,
        "metric": metric,
        "value": found["value"],
        "interval": found["interval"],
        **accuracy,
        "n_train": settings["n_train"],
        "n_judged": settings["n_judged"],
        "judged_on": settings["judged_on"],
        "backbone": settings["backbone"]["name"],
        "created": settings["created"],
    }


def _number(value: float) -> str:
    return f"{value:.4g}"
