"""Writes docs/reference.md from the commands' own help: `python docs/reference.py`."""

from __future__ import annotations

from pathlib import Path

import click

from finegraft.cli.main import COMMANDS, finegraft

HEAD = """# Command reference

Written by `python docs/reference.py` from the commands' own help; a test keeps it up to date. The JSON they print is
described in [files.md](files.md), what to use them for in [guide.md](guide.md).

Results go to stdout, progress to stderr. Exit codes: 0 done; 1 a problem in your data or files, with one message that
says what happened and how to mend it (`--debug` adds the traceback); 2 wrong usage; 130 stopped by Ctrl-C.
"""
_WIDTH = 90


def page() -> str:
    """The text of reference.md."""
    group = _context(finegraft, "finegraft", None)
    parts = [HEAD, _block("finegraft", finegraft.get_help(group))]
    for name in COMMANDS:
        command = finegraft.get_command(group, name)
        assert command is not None
        parts.append(_block(f"finegraft {name}", command.get_help(_context(command, name, group))))
    return "\n".join(parts)


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    """What `--help` is printed in, with a width of its own, so that every terminal writes the same page."""
    return click.Context(
        command,
        parent,
        name,
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        **finegraft.context_settings,
    )


def _block(heading: str, text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return f"## {heading}\n\n```text\n{lines}\n```\n"


if __name__ == "__main__":
    Path(__file__).with_name("reference.md").write_text(page(), encoding="utf-8")
