"""`finegraft fetch LIST -o DIR`."""

from __future__ import annotations

import os
from collections import Counter as Tally
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from finegraft.cli.output import Counter, json_option, print_json
from finegraft.cli.printable import printable
from finegraft.fetching.reasons import KINDS
from finegraft.fetching.settings import Settings

if TYPE_CHECKING:
    from finegraft.fetching.crawl import Fetched

_DEFAULT = Settings()
_MB = 2**20
_SHOWN = 3  # rows of each kind of trouble
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def _header(ctx: click.Context, param: click.Parameter, value: str) -> str:  # noqa: ARG001
    if not value.isascii() or not value.isprintable() or not value.strip():
        raise click.BadParameter(f"{value!r} must be of letters, digits and signs.")
    return value.strip()


@click.command("fetch")
@click.argument("list_", metavar="LIST")
@click.option("-o", "--output", metavar="DIR", required=True, help="The folder to fill, new or fetched into before.")
@click.option("--label", metavar="NAME", help="Give every row this label.")
@click.option("--target", metavar="COLUMN", help="The column with the label: its name, or its number from 1.")
@click.option("--url", metavar="COLUMN", help="The column with the address.")
@click.option("--again", is_flag=True, help="Also ask again for what failed for good, such as 404.")
@click.option("--max-size", type=click.FloatRange(min=0, min_open=True), default=_DEFAULT.max_bytes / _MB,
              metavar="MB", show_default=True, help="The largest file.")  # fmt: skip
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=_DEFAULT.timeout, metavar="SECONDS",
              show_default=True, help="The longest time for one file.")  # fmt: skip
@click.option("--retries", type=click.IntRange(min=0), default=_DEFAULT.retries, show_default=True,
              help="Further tries after 429, 5xx, a lost connection or a timeout.")  # fmt: skip
@click.option("--workers", type=click.IntRange(1, 256), default=_DEFAULT.workers, show_default=True,
              help="Rows under way at once.")  # fmt: skip
@click.option("--per-host", type=click.IntRange(1, 256), default=_DEFAULT.per_host, show_default=True,
              help="Connections to one host at once.")  # fmt: skip
@click.option("--ignore-robots", is_flag=True, help="Fetch what robots.txt or X-Robots-Tag: noai forbids.")
@click.option("--allow-private", is_flag=True, help="Also reach this machine and private networks.")
@click.option("--user-agent", default=_DEFAULT.user_agent, show_default=True, callback=_header,
              help="How to introduce yourself; some hosts want an address to write to in it.")  # fmt: skip
@click.option("--strict", is_flag=True, help="End with 1 when any row failed.")
@json_option
def command(
    list_: str,
    output: str,
    label: str | None,
    target: str | None,
    url: str | None,
    again: bool,
    strict: bool,
    as_json: bool,
    max_size: float,
    ignore_robots: bool,
    **limits: Any,
) -> int:
    """
    \b
      finegraft fetch photos.csv -o PHOTOS
      finegraft fetch urls_teddy.txt -o PHOTOS

    Download the photos of LIST into DIR, a folder for each label. LIST is a CSV or TSV with a column of labels and one
    of addresses, a text with a label and an address on each line, or with addresses alone, which all get the name of
    the file as their label; - is a list on stdin.

    Every file is opened and checked, and kept once. Stopped or killed, the same command goes on where it was; run to
    the end, it tries again what may go better another time. DIR/.fetched.jsonl tells of every row what became of it
    and where its photo came from.
    """
    from finegraft.fetching.crawl import fetch
    from finegraft.fetching.lists import read_list

    settings = Settings(max_bytes=int(max_size * _MB), obey_robots=not ignore_robots, **limits)
    listed = read_list(list_, label=label, target=target, url=url)
    for note in (*listed.notes, *_proxies()):
        click.echo(printable(note), err=True)
    done = fetch(listed, Path(output), settings, again=again, progress=Counter("rows done"))
    if as_json:
        print_json(_object(done))
    else:
        click.echo("\n".join(describe(done)))
    return 1 if not done.count("saved") or (strict and done.count("failed")) else 0


def describe(done: Fetched) -> list[str]:
    """What was saved, then what was not and why, then what to do next."""
    saved, skipped, failed = (done.count(outcome) for outcome in ("saved", "skipped", "failed"))
    new = "" if done.fetched == saved else f" ({done.fetched:,} new)"
    lines = [
        printable(f"{_number(saved, 'photo')} saved in {done.folder}{new}, {skipped:,} skipped, {failed:,} failed.")
    ]
    counts = {printable(label): count for label, count in _classes(done).items()}
    width = max(map(len, counts), default=0)
    lines += ["", *(f"  {name:<{width}}  {count:>7,}" for name, count in counts.items())] if counts else []
    return [*lines, *_problems(done), "", *_next(done)]


def _problems(done: Fetched) -> list[str]:
    """The kinds of trouble by their number, each with a few of its rows."""
    kinds = Tally(line.kind for line in done.lines if line.kind)
    lines = ["", "Not saved:"] if kinds else []
    for kind, count in kinds.most_common():
        lines.append(f"  {count:>5,}  {kind:<12} {KINDS[kind]}")
        rows = [line for line in done.lines if line.kind == kind][:_SHOWN]
        lines += [printable(f"           line {row.row}, {row.url or 'no address'}: {row.reason}") for row in rows]
    if sum(kinds.values()) > sum(min(count, _SHOWN) for count in kinds.values()):
        lines.append(printable(f"All rows are in {done.manifest}; --json prints those not saved."))
    return lines


def _next(done: Fetched) -> list[str]:
    later = sum(line.retry and line.kind != "private" for line in done.lines if line.outcome == "failed")
    lines = [f"{_number(later, 'row')} may go better another time: run the same command again."] if later else []
    return [*lines, printable(f"Next: finegraft check {done.folder}")] if done.count("saved") else lines


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _classes(done: Fetched) -> dict[str, int]:
    counted = Tally(line.label for line in done.lines if line.outcome == "saved" and line.label)
    return {label: counted[label] for label in sorted(counted)}


def _object(done: Fetched) -> dict[str, Any]:
    return {
        "saved": done.count("saved"),
        "skipped": done.count("skipped"),
        "failed": done.count("failed"),
        "fetched": done.fetched,
        "classes": _classes(done),
        "kinds": dict(Tally(line.kind for line in done.lines if line.kind).most_common()),
        "problems": [
            {"row": line.row, "label": line.label, "url": line.url, "outcome": line.outcome, "kind": line.kind,
             "reason": line.reason, "retry": line.retry}
            for line in done.lines if line.kind
        ],
        "path": str(done.folder),
        "manifest": str(done.manifest),
    }  # fmt: skip


def _proxies() -> list[str]:
    """A note where the environment names a proxy."""
    named = sorted({name for name in os.environ if name.lower() in _PROXIES and os.environ[name]})
    if not named:
        return []
    return [f"The proxy in {named[0]} is not used: behind one, nobody can tell which machines are reached."]
