"""`finegraft check DATA`."""

from __future__ import annotations

from collections import Counter as Tally

import click

from finegraft.cli.output import Counter, json_option, print_json
from finegraft.cli.printable import printable
from finegraft.data.dataset import Dataset
from finegraft.data.findings import KINDS
from finegraft.features.memory import CheckMemory
from finegraft.features.store import Store

_SHOWN = 40


@click.command("check")
@click.argument("data")
@click.option("--strict", is_flag=True, help="End with 1 when anything was found.")
@json_option
def command(data: str, strict: bool, as_json: bool) -> int:
    """
    \b
      finegraft check PHOTOS

    Open every file of DATA, a folder with one folder of photos per class, once and say what is wrong with it.
    """
    from finegraft.vision.sources import read

    with Store.open() as store:
        dataset = read(data, CheckMemory(store), Counter("checked"))
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
        click.echo("\n".join(describe(dataset)))
    return 1 if strict and dataset.findings else 0


def describe(dataset: Dataset) -> list[str]:
    """The summary first, then a line for each finding."""
    counts = dataset.counts()
    lines = [
        f"{len(dataset.usable):,} photos of {len(counts)} classes can be used, "
        f"{len(dataset.left_out):,} files are left out.",
        "",
    ]
    names = {printable(name): count for name, count in counts.items()}
    width = max(map(len, names), default=0)
    lines += [f"  {name:<{width}}  {count:>7,}" for name, count in names.items()]
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
