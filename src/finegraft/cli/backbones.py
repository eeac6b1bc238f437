"""`finegraft backbones`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import click

from finegraft.cli.output import json_option, print_json
from finegraft.errors import MissingExtra


@click.command("backbones")
@json_option
def command(as_json: bool) -> None:
    """
    \b
      finegraft backbones
      finegraft train PHOTOS -o RUN --backbone lite2

    The pretrained models to graft onto, and which are at hand without a network.
    """
    rows = [*_embedded(), *_in_hub_cache()]
    if as_json:
        print_json({"backbones": rows})
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        size = f"{row['size']} px" if row["size"] else ""
        state = "at hand" if row["at_hand"] else 'missing: pip install "finegraft[train]"'
        click.echo(f"{row['name']:<{width}}  {size:>6}  {row['licence']:<10}  {state}  ({row['source']})")
    click.echo(f"{'timm:NAME':<{width}}  any model of timm; its weights come from the hub, or from --weights FILE")
    click.echo(f"{'FILE.onnx':<{width}}  any frozen model, with FILE.json beside it saying how its input looks")


def _embedded() -> list[dict[str, Any]]:
    from finegraft.models.backbones import DEFAULT, EMBEDDED, embedded_file

    rows = []
    for name, row in EMBEDDED.items():
        try:
            at_hand = embedded_file(row).is_file()
        except MissingExtra:
            at_hand = False
        rows.append(
            {
                "name": name,
                "default": name == DEFAULT,
                "at_hand": at_hand,
                "source": f"registry package {row.package}",
                "architecture": row.architecture,
                "size": row.graft_size,
                "licence": row.licence,
                "digest": row.sha256,
            }
        )
    return rows


def _in_hub_cache() -> list[dict[str, Any]]:
    """Models of timm whose weights an earlier download left in the hub's cache."""
    if importlib.util.find_spec("huggingface_hub") is None:  # it comes with timm, and nothing else could use them
        return []
    # Where the cache lies hangs on five variables and a default; this module knows them and imports little.
    from huggingface_hub import constants

    found = sorted(Path(constants.HF_HUB_CACHE).glob("models--timm--*/snapshots/*/model.safetensors"))
    names = sorted({path.parts[-4].removeprefix("models--timm--") for path in found})
    return [
        {
            "name": f"timm:{name}",
            "default": False,
            "at_hand": True,
            "source": f"hub timm/{name}",
            "architecture": name,
            "size": None,
            "licence": "see its card",
            "digest": None,
        }
        for name in names
    ]
