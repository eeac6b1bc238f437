"""A command with a fault."""

from __future__ import annotations

import click


@click.command("faulty")
def command() -> None:
    """Fail as a programming mistake does."""
    raise KeyError("lost")
