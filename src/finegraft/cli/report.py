"""`finegraft report RUN`."""

from __future__ import annotations

from pathlib import Path

import click

from finegraft.cli.output import json_option, print_json
from finegraft.evaluation.run import Run


@click.command("report")
@click.argument("run")
@click.option("-o", "--output", metavar="FILE", help="Where to write it; default: RUN/report.html.")
@json_option
def command(run: str, output: str | None, as_json: bool) -> None:
    """
    \b
      finegraft report RUN
      finegraft report RUN -o report.html

    Rebuild the report of RUN from the files in it.
    """
    from finegraft.reporting.report import report

    opened = Run.open(run)
    path = report(opened, Path(output) if output else opened.report)
    if as_json:
        print_json({"path": str(path)})
    else:
        click.echo(str(path))
