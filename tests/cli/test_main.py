from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from finegraft import __version__
from finegraft.cli.main import COMMANDS
from tests.cli.running import COMMAND, finegraft

HEAVY = {"numpy", "PIL", "onnxruntime", "openvino", "torch", "timm", "sklearn", "rich"}
TRAINING = {"torch", "timm", "sklearn", "torchvision"}


def loaded_by(*arguments: object) -> set[str]:
    """The names of all modules that the command imported."""
    command = [sys.executable, "-X", "importtime", *COMMAND[1:], *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def test_help_says_first_what_to_type_and_names_every_command() -> None:
    done = finegraft("--help")
    assert (done.code, done.err) == (0, "")
    lines = [line.strip() for line in done.out.splitlines() if line.strip()]
    assert lines[:3] == [
        "Usage: finegraft [OPTIONS] COMMAND [ARGS]...",
        "Type this first:",
        "finegraft train PHOTOS -o RUN        PHOTOS holds one folder per class",
    ]
    for name, (_, says) in COMMANDS.items():
        assert f"{name} " in done.out
        assert says in " ".join(done.out.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_begins_with_what_to_type(name: str) -> None:
    done = finegraft(name, "--help")
    assert (done.code, done.err) == (0, "")
    lines = [line.strip() for line in done.out.splitlines() if line.strip()]
    assert lines[0].startswith(f"Usage: finegraft {name} ")
    assert lines[1].startswith(f"finegraft {name}")
    assert done.out == finegraft(name, "-h").out


def test_help_loads_nothing_heavy() -> None:
    assert not loaded_by("--help") & HEAVY
    assert not loaded_by("--version") & (HEAVY - {"numpy"})
    for name in COMMANDS:
        assert not loaded_by(name, "--help") & (HEAVY - {"numpy"}), name


def test_only_training_loads_what_training_needs(run: Path, photos: Path, rose: Path, tmp_path: Path) -> None:
    for command in (
        ("check", photos),
        ("predict", run, rose, "--html", f"{tmp_path}/page.html", "--sort-into", f"{tmp_path}/sorted"),
        ("eval", run, photos),
        ("report", run, "-o", f"{tmp_path}/report.html"),
        ("runs", run),
        ("backbones",),
        ("cache",),
    ):
        assert not loaded_by(*command) & TRAINING, command


def test_version_says_where_it_runs() -> None:
    done = finegraft("--version")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == f"finegraft {__version__}"
    for name in ("python", "platform", "processors", "numpy", "onnxruntime", "torch"):
        assert f"  {name} " in done.out


def test_no_command_shows_the_help_and_is_wrong_usage() -> None:
    done = finegraft()
    assert (done.code, done.out) == (2, "")
    assert "Type this first" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian", "photos"], "Error: There is no command 'trian'. Did you mean 'train'?"),
        (["xylophone"], f"Error: There is no command 'xylophone'. There are: {', '.join(COMMANDS)}."),
        (["--jsn"], "Error: No such option '--jsn'."),
        (["check", "photos", "--jsn"], "Error: No such option '--jsn'. Did you mean '--json'?"),
        (["check"], "Error: Missing argument 'DATA'."),
        (["check", "photos", "more"], "Error: Got unexpected extra argument (more)"),
        (["predict", "run"], "Error: Missing argument 'PATHS...'."),
        (
            ["predict", "run", "a.jpg", "--engine", "opnvino"],
            "Error: Invalid value for '--engine': 'opnvino' is not one of 'auto', 'openvino', 'onnxruntime'. "
            "Did you mean 'openvino'?",
        ),
        (["train", "photos"], "Error: Missing option '-o' / '--output'."),
        (
            ["train", "photos", "-o", "r", "--head", "zzz"],
            "Error: Invalid value for '--head': 'zzz' is not one of 'auto', 'linear', 'mlp'.",
        ),
    ],
)
def test_wrong_usage_is_2_and_says_what_was_meant(arguments: list[str], said: str) -> None:
    done = finegraft(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.error == said


def test_an_error_is_one_message_and_a_traceback_only_with_debug() -> None:
    said = "Error: There is no file or folder nowhere. Check the path."
    for arguments in (["check", "nowhere"], ["check", "nowhere", "--json"]):
        done = finegraft(*arguments)
        assert (done.code, done.out, done.err) == (1, "", said + "\n")
    for arguments in (["--debug", "check", "nowhere"], ["check", "nowhere", "--debug"]):
        done = finegraft(*arguments)
        assert done.code == 1
        assert done.err.startswith("Traceback")
        assert done.err.endswith(said + "\n")
    assert finegraft("check", "--", "--debug").err == "Error: There is no file or folder --debug. Check the path.\n"


def test_a_fault_of_our_own_is_one_message_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from finegraft.cli import main

    monkeypatch.setitem(COMMANDS, "check", ("tests.cli.faulty", ""))
    assert main.run(["check"]) == 1
    said = capsys.readouterr().err
    assert said == "Error: KeyError: 'lost'. This is a fault of finegraft: report it with what --debug shows.\n"
    assert main.run(["check", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error(run: Path, photos: Path) -> None:
    done = finegraft("predict", run, photos, "--json", shell='{ "$@"; echo $? >&2; } | head -1')
    assert len(done.rows) == 1
    assert done.err == "141\n"


def test_an_output_that_is_full_is_an_error() -> None:
    done = finegraft("backbones", shell='"$@" > /dev/full')
    assert (done.code, done.error) == (1, "Error: No space left on device.")


def test_closed_streams_are_no_error() -> None:
    assert finegraft("backbones", shell='"$@" >&-').code == 0
    assert finegraft("backbones", shell='"$@" >&- 2>&- <&-').code == 0
    assert finegraft("check", "nowhere", shell='"$@" 2>&-').code == 1
