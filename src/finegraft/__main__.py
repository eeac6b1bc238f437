"""`python -m finegraft`: the command line where the command itself is not on the PATH."""

from __future__ import annotations

from finegraft.cli.main import main

main()
