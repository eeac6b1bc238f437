"""`finegraft cache`."""

from __future__ import annotations

import re

import click

from finegraft.cli.choices import OneOf
from finegraft.cli.output import json_option, print_json
from finegraft.data import archives
from finegraft.errors import UsageError
from finegraft.features.store import Store, cache_folder

_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@click.command("cache")
@click.argument("action", metavar="[see|limit|clear]", type=OneOf(["see", "limit", "clear"]), default="see")
@click.argument("size", required=False)
@json_option
def command(action: str, size: str | None, as_json: bool) -> None:
    """
    \b
      finegraft cache
      finegraft cache limit 2GB
      finegraft cache clear

    See, limit or clear what is remembered: features, checks, graphs and unpacked archives. Losing it costs time only.
    """
    if (size is not None) != (action == "limit"):
        raise UsageError(
            "A size goes with `cache limit`, and with nothing else.", "For example: finegraft cache limit 2GB"
        )
    kept = cache_folder() / "archives"
    with Store.open() as store:
        if action == "clear":
            store.clear()
            archives.clear(kept)
        elif size is not None:
            store.set_limit(parse_size(size))
            store.trim()
        kinds = store.sizes()
        count, unpacked = archives.sizes(kept)
        found = {
            "path": None if store.path is None else str(store.path),
            "bytes": sum(size for _, size in kinds.values()),
            "limit": store.limit,
            "kinds": {kind: {"entries": entries, "bytes": size} for kind, (entries, size) in kinds.items()},
            "archives": {"path": str(kept), "entries": count, "bytes": unpacked},
        }
    if as_json:
        print_json(found)
        return
    click.echo(
        f"{found['path'] or 'nothing on disk'}: {_readable(found['bytes'])} of at most {_readable(found['limit'])}"
    )
    for kind, (entries, total) in kinds.items():
        click.echo(f"  {kind:<9} {entries:>9,} entries  {_readable(total):>9}")
    if count:
        click.echo(f"{kept}: {count:,} unpacked archives, {_readable(unpacked)}, which the limit does not count")


def parse_size(text: str) -> int:
    """`2GB`, `500 MB` or plain bytes, as bytes. Raises `UsageError` on anything else."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", text)
    unit = found.group(2).upper() if found else ""
    if found is None or unit not in _UNITS:
        raise UsageError(f"{text!r} is not a size.", "Write it like 2GB or 500MB.")
    return int(float(found.group(1)) * _UNITS[unit])


def _readable(size: object) -> str:
    value = float(str(size))
    for unit in ("bytes", "KB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable: GB ends the loop")
