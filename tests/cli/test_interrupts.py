"""Ctrl-C in the middle of an import, and after the work is done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no timers that send signals")

# A module that is interrupted while it loads, as a compiled one may be, and then loads for a moment more.
LOADING = """
import os, signal, time
os.kill(os.getpid(), signal.SIGINT)
end = time.monotonic() + 0.2
while time.monotonic() < end:
    pass
loaded = True
"""
MAIN = """
import signal, sys, time
from finegraft.cli.interrupts import spare_imports
if {ignored}:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
spare_imports()
try:
    import loading
    sys.stdout.write(f"imported {{loading.loaded}}\\n")  # at once: Ctrl-C may come between the parts of a print
    time.sleep({wait})
except KeyboardInterrupt:
    print("stopped")
"""


def said(folder: Path, *, ignored: bool = False, wait: float = 60) -> str:
    (folder / "loading.py").write_text(LOADING)
    command = [sys.executable, "-c", MAIN.format(ignored=ignored, wait=wait)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=50, check=True).stdout


def test_the_import_ends_and_then_the_process_is_stopped(tmp_path: Path) -> None:
    assert said(tmp_path) == "imported True\nstopped\n"


def test_ignored_stays_ignored(tmp_path: Path) -> None:
    assert said(tmp_path, ignored=True, wait=0.1) == "imported True\n"


def test_elsewhere_ctrl_c_is_heard_at_once() -> None:
    code = (
        "import os, signal\nfrom finegraft.cli.interrupts import spare_imports\nspare_imports()\n"
        "try:\n    os.kill(os.getpid(), signal.SIGINT)\n    print('not heard')\n"
        "except KeyboardInterrupt:\n    print('stopped')\n"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "stopped\n"
    )


def test_other_threads_change_nothing() -> None:
    code = (
        "import signal, threading\nfrom finegraft.cli.interrupts import spare_imports\n"
        "thread = threading.Thread(target=spare_imports)\nthread.start()\nthread.join()\n"
        "print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"


def test_after_the_work_it_is_not_heard() -> None:
    code = (
        "import os, signal\nfrom finegraft.cli.interrupts import ignore, spare_imports\nspare_imports()\nignore()\n"
        "os.kill(os.getpid(), signal.SIGINT)\nprint('done')\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "done\n"


# `finegraft`, with a command whose module is interrupted while it loads.
COMMAND = """
import sys
from finegraft.cli import main
main.COMMANDS["loading"] = ("loading", "Load.")
main.main(["loading"])
"""


def test_a_command_that_is_stopped_while_it_loads_says_so_once_it_has_loaded(tmp_path: Path) -> None:
    late = LOADING + "import sys\nsys.stderr.write('loaded\\n')\n"
    command = f"import click\n{late}\n@click.command()\ndef command():\n    time.sleep(60)\n"
    (tmp_path / "loading.py").write_text(command)
    ended = subprocess.run(
        [sys.executable, "-c", COMMAND], cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False
    )
    assert ended.returncode == 130
    assert ended.stderr.split("\n\n")[0] == "loaded"
    assert "Stopped. Nothing half-written is left" in ended.stderr
    assert "Traceback" not in ended.stderr
