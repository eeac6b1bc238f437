"""The command as a person runs it: a process of its own, its exit code, and what it says where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "finegraft")
FAST = ("--epochs", "1", "--head", "linear")  # training options for tests that do not look at the result


@dataclass(frozen=True)
class Done:
    """An ended process. `out` and `err` are text, bytes that are none escaped as in file names."""

    code: int
    out: str
    err: str

    @property
    def object(self) -> Any:
        """The one JSON value that is all of stdout."""
        assert self.out.endswith("\n")
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    @property
    def rows(self) -> list[Any]:
        """The JSON value of each line of stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> str:
        """The last line of stderr; the process failed with this one message and no traceback."""
        assert self.code in (1, 2), self
        assert "Traceback" not in self.err, self.err
        assert self.err.count("Error: ") == 1, self.err
        return self.err.rstrip("\n").splitlines()[-1]


def finegraft(
    *arguments: str | Path,
    stdin: str | bytes = b"",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    shell: str = "",
) -> Done:
    """Run `finegraft ARGUMENTS`. `shell` is a line of sh that runs it as "$@", with pipes and limits around it."""
    command = [*COMMAND, *map(str, arguments)]
    if shell:
        command = ["sh", "-c", shell, "sh", *command]
    done = subprocess.run(
        command,
        input=os.fsencode(stdin) if isinstance(stdin, str) else stdin,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        timeout=120,
        check=False,
    )
    return Done(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))


def content(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, hidden ones too, by its path inside."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
