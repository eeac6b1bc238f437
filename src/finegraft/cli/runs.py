"""`finegraft runs DIR`."""

from __future__ import annotations

from typing import Any

import click

from finegraft.cli.output import json_option, percent, print_json
from finegraft.evaluation.run import Run
from finegraft.evaluation.run import runs as find_runs


@click.command("runs")
@click.argument("folder", default=".")
@json_option
def command(folder: str, as_json: bool) -> None:
    """A table of the finished runs in FOLDER (default: this folder) and below, the best accuracy first.

    \b
      finegraft runs
    """
    rows = sorted((_row(run) for run in find_runs(folder)), key=lambda row: (-row["accuracy"], row["path"]))
    if as_json:
        print_json({"rows": rows})
        return
    if not rows:
        click.echo(f"There are no finished runs in {folder}. Make one with: finegraft train PHOTOS -o RUN")
        return
    width = max(len(row["path"]) for row in rows)
    click.echo(f"{'run':<{width}}  accuracy  95 % interval    judged  backbone  made")
    for row in rows:
        low, high = row["accuracy_interval"]
        click.echo(
            f"{row['path']:<{width}}  {percent(row['accuracy']):>8}  {percent(low)} to {percent(high)}  "
            f"{row['n_judged']:>6}  {row['backbone']:<8}  {row['created']}"
        )


def _row(run: Run) -> dict[str, Any]:
    settings = run.settings
    accuracy = settings["metrics"]["accuracy"]
    return {
        "path": str(run.path),
        "accuracy": accuracy["value"],
        "accuracy_interval": accuracy["interval"],
        "n_train": settings["n_train"],
        "n_judged": settings["n_judged"],
        "judged_on": settings["judged_on"],
        "backbone": settings["backbone"]["name"],
        "created": settings["created"],
    }
