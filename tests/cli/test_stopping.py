"""Ctrl-C at many moments, and disks that fill up: nothing half-written is left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from finegraft.features.store import Store
from tests.cli.running import COMMAND, FAST, Done, content, finegraft

SAID = "Stopped. Nothing half-written is left; what was computed is remembered.\n"
# Sends itself Ctrl-C when the named function is called for the n-th time, so that the moment is certain.
INTERRUPTED = """
import importlib, os, signal, sys
module, name, calls, *arguments = sys.argv[1:]
place = importlib.import_module(module)
*owner, name = name.split(".")
for part in owner:
    place = getattr(place, part)
original, left = getattr(place, name), int(calls)

def interrupting(*given, **named):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGINT)
    return original(*given, **named)

setattr(place, name, interrupting)
from finegraft.cli.main import main
main(arguments)
"""


def interrupted(where: tuple[str, str, int], *arguments: str | Path) -> Done:
    command = [sys.executable, "-c", INTERRUPTED, *map(str, (*where, *arguments))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


MOMENTS = [
    ("finegraft.vision.checks", "check_files", 1),
    ("finegraft.data.dataset", "Dataset.save", 1),
    ("finegraft.features.store", "Store.put_many", 2),
    ("finegraft.evaluation.run", "Run.log", 1),
    ("finegraft.inference.bundle", "save", 1),
    ("finegraft.data.atomic", "_flush", 3),
    ("finegraft.evaluation.run", "Run.write_settings", 1),
]


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment[1])
def test_an_interrupted_training_leaves_no_run(
    photos: Path, tmp_path: Path, empty_cache: Path, moment: tuple[str, str, int]
) -> None:
    done = interrupted(moment, "train", photos, "-o", tmp_path / "run", *FAST, "--weights", "none", "--size", "64")
    assert done.code == 130, done.err
    assert done.err.endswith(SAID)
    assert "Traceback" not in done.err
    assert {path.name for path in tmp_path.iterdir()} <= {"cache"}
    with Store.open(empty_cache) as store:
        store.sizes()


def test_a_training_killed_before_its_last_step_is_no_run(photos: Path, tmp_path: Path) -> None:
    """All files are there but run.json, the report too: nothing takes them for a run, and it is started again."""
    killed = INTERRUPTED.replace("SIGINT", "SIGKILL")
    where = ("finegraft.evaluation.run", "Run.write_settings", "1")
    command = [sys.executable, "-c", killed, *where, "train", str(photos), "-o", str(tmp_path / "run"), *FAST]
    assert subprocess.run(command, capture_output=True, timeout=120, check=False).returncode == -signal.SIGKILL
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"report.html", "unfinished.txt"} <= left
    assert "run.json" not in left
    assert finegraft("runs", tmp_path, "--json").object == {"rows": []}
    assert finegraft("train", photos, "-o", tmp_path / "run", *FAST).code == 0


def test_an_interrupted_replacement_leaves_the_old_run(photos: Path, run: Path, tmp_path: Path) -> None:
    before = content(run)
    done = interrupted(("finegraft.evaluation.run", "Run.log", 1), "train", photos, "-o", run, *FAST, "--force")
    assert (done.code, done.err.endswith(SAID)) == (130, True)
    assert content(run) == before


@pytest.mark.parametrize(
    "moment",
    [
        ("finegraft.inference.bundle", "load", 1),
        ("finegraft.inference.predictor", "Predictor._prediction", 3),
        ("finegraft.reporting.gallery", "gallery", 1),
        ("finegraft.data.atomic", "_flush", 2),
    ],
    ids=lambda moment: moment[1],
)
def test_an_interrupted_prediction_leaves_nothing_half_written(
    run: Path, photos: Path, tmp_path: Path, moment: tuple[str, str, int]
) -> None:
    places = ("--html", tmp_path / "page.html", "--sort-into", tmp_path / "sorted")
    done = interrupted(moment, "predict", run, photos, "--json", *places)
    assert (done.code, done.err) == (130, "\n" + SAID)
    assert not (tmp_path / "page.html").exists()
    whole = set(content(photos).values())
    assert all(copy in whole for copy in content(tmp_path).values())
    for line in done.rows:
        assert "label" in line


def test_ctrl_c_while_a_list_is_awaited(run: Path, rose: Path) -> None:
    command = [*COMMAND, "predict", str(run), "-", "--json"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, bufsize=1, **pipes) as process:  # type: ignore[call-overload]
        process.stdin.write(f"{rose}\n")
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == "\n" + SAID
        assert process.wait(timeout=60) == 130


@pytest.mark.parametrize("kilobytes", [1, 100])
def test_a_full_disk_is_one_message_and_leaves_no_run(photos: Path, tmp_path: Path, kilobytes: int) -> None:
    """No file may grow above the limit, as on a full disk no file may grow at all."""
    limit = f'ulimit -f {2 * kilobytes}; exec "$@"'  # in blocks of 512 bytes
    done = finegraft("train", photos, "-o", tmp_path / "run", *FAST, shell=limit)
    assert (done.code, done.out) == (1, "")
    assert done.error.startswith(f"Error: Cannot write {tmp_path}/run/m")
    assert done.error.endswith("Free some space or choose a folder you can write to.")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_keeps_the_run_that_was_to_be_replaced(photos: Path, run: Path) -> None:
    before = content(run)
    done = finegraft("train", photos, "-o", run, *FAST, "--force", shell='ulimit -f 200; exec "$@"')
    assert done.code == 1
    assert content(run) == before


def test_a_full_disk_leaves_no_part_of_a_page_or_copy(run: Path, rose: Path, tmp_path: Path) -> None:
    for place in (("--html", tmp_path / "page.html"), ("--sort-into", tmp_path / "sorted")):
        done = finegraft("predict", run, rose, *place, shell='ulimit -f 1; exec "$@"')
        assert done.error.startswith(f"Error: Cannot write {place[1]}")
    assert content(tmp_path) == {}


def test_a_folder_that_cannot_be_written(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "run", Path("/proc/run")):  # /proc refuses root too
        done = finegraft("train", photos, "-o", place)
        assert (done.code, done.out) == (1, "")
        assert done.error.startswith(f"Error: Cannot start a run in {place}: ")
        assert done.error.endswith("choose a folder you can write to with -o.")
