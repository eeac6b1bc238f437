"""`finegraft check DATA`."""

from __future__ import annotations

from collections import Counter as Tally
from pathlib import Path
from statistics import median
from typing import Any

import click

from finegraft.cli.data_options import DataOptions, data_options
from finegraft.cli.output import json_option, must_be_writable, print_json
from finegraft.cli.printable import printable
from finegraft.data.dataset import Dataset
from finegraft.data.findings import KINDS
from finegraft.features.store import Store

_SHOWN = 40


@click.command("check")
@click.argument("data")
@data_options
@click.option("--html", "page", metavar="FILE", help="Also write a page: what was found, with pictures of it.")
@click.option("--strict", is_flag=True, help="End with 1 when anything was found.")
@json_option
def command(data: str, page: str | None, strict: bool, as_json: bool, **options: Any) -> int:
    """
    \b
      finegraft check PHOTOS
      finegraft check PHOTOS --html check.html
      finegraft check photos.csv --target species

    Open every file of DATA once and say what is wrong with it. DATA is a folder with one folder of photos per class, a
    table with a column of paths (CSV, TSV, Parquet, or a list of paths and labels), or a zip or tar of these.
    """
    if page is not None:
        must_be_writable(Path(page))
    source = DataOptions.taken_from(options)
    with Store.open() as store:
        dataset = source.read(data, store)
    if as_json:
        print_json(
            {
                "records": len(dataset.usable),
                "classes": dataset.counts(),
                "left_out": len(dataset.left_out),
                "findings": [finding.to_json() for finding in dataset.findings],
            }
        )
    else:
        click.echo("\n".join(describe(dataset, grouped=source.group is not None)))
    if page is not None:
        _write_page(dataset, Path(page))
    return 1 if strict and dataset.findings else 0


def _write_page(dataset: Dataset, path: Path) -> None:
    from finegraft import modality
    from finegraft.data.contents import read_content
    from finegraft.errors import UnreadableFile
    from finegraft.reporting.findings import findings_page

    thumbnail = modality.get(dataset.modality).thumbnail

    def shown(key: str) -> bytes | None:
        try:
            return thumbnail(read_content(dataset.root / key), 200)
        except UnreadableFile:  # it went away since it was checked
            return None

    findings_page(dataset, shown, path)
    click.echo(f"Page: {path}", err=True)


def _summary(dataset: Dataset) -> list[str]:
    """How many photos can be used, and what their labels are."""
    usable, counts = dataset.usable, dataset.counts()
    numbers = sorted(record.label for record in usable if isinstance(record.label, float))
    if numbers:
        what = "labelled with numbers"
    elif any(isinstance(record.label, tuple) for record in usable):
        what = f"with {len(counts)} tags, several to a photo,"
    else:
        what = f"of {len(counts)} classes"
    head = f"{len(usable):,} photos {what} can be used, {len(dataset.left_out):,} files are left out."
    if numbers:
        return [head, "", f"  from {numbers[0]:g} to {numbers[-1]:g}, in the middle {median(numbers):g}"]
    names = {printable(name): count for name, count in counts.items()}
    width = max(map(len, names), default=0)
    return [head, "", *(f"  {name:<{width}}  {count:>7,}" for name, count in names.items())]


def _parts(dataset: Dataset, grouped: bool) -> list[str]:
    """How many photos lie in each given split, and what stays together because the user tied it (`grouped`)."""
    splits = Tally(record.split for record in dataset.usable if record.split is not None)
    lines = [f"Given splits: {', '.join(f'{name} {count:,}' for name, count in splits.most_common())}."]
    if not grouped:
        return lines if splits else []
    sizes = Tally(record.together for record in dataset.usable).values()
    largest = f"the largest has {max(sizes):,} photos" if sizes else "no photo is in any"
    return [*(lines if splits else []), f"{len(sizes):,} groups stay together; {largest}."]


def describe(dataset: Dataset, grouped: bool = False) -> list[str]:
    """The summary first, then a line for each finding. `grouped`: tell of the groups that photos are in."""
    lines = _summary(dataset)
    if parts := _parts(dataset, grouped):
        lines += ["", *parts]
    kinds = Tally(finding.kind for finding in dataset.findings)
    if not kinds:
        return [*lines, "", "Nothing is wrong with them."]
    lines += ["", "Findings:"]
    lines += [f"  {count:>5,}  {kind:<13} {KINDS[kind]}" for kind, count in kinds.most_common()]
    lines.append("")
    for finding in dataset.findings[:_SHOWN]:
        other = f" (and {finding.other})" if finding.other else ""
        lines.append(printable(f"  {finding.key or 'the whole set'}{other}: {finding.kind}. {finding.note}"))
    if len(dataset.findings) > _SHOWN:
        lines.append(f"  … and {len(dataset.findings) - _SHOWN:,} more: add --json to see all.")
    return lines
