"""The documents cannot lie: their commands and code run, their links lead somewhere, their numbers were measured."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

from finegraft.cli import main as cli
from finegraft.data.findings import KINDS, LEAVES_OUT
from tests.conftest import ROOT
from tests.making import folder_of_photos, photo

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
README = ROOT / "README.md"
FILES = ROOT / "docs" / "files.md"


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def fences(path: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands(path: Path) -> list[str]:
    lines = [line for block in fences(path, "sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("finegraft")]


def script(name: str) -> ModuleType:
    """A script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Place:
    """A folder that holds what the documents speak of, and how their commands went in it: (line, exit code, said)."""

    path: Path
    ran: list[tuple[str, int, str]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Photos made here, and every `finegraft` line of the README run on them, in order."""
    path = tmp_path_factory.mktemp("documents")
    folder_of_photos(path / "photos", {"rose": 12, "tulip": 12})
    folder_of_photos(path / "test-photos", {"rose": 4, "tulip": 4}, seed=1)
    folder_of_photos(path / "new-photos", {"mixed": 3}, seed=2)
    (path / "photo.jpg").write_bytes(photo(3, look="rose"))
    program = Path(sys.executable).parent / "finegraft"
    ran = []
    for line in commands(README):
        words = [str(program), *shlex.split(line)[1:]]
        done = subprocess.run(words, cwd=path, capture_output=True, text=True, check=False)
        ran.append((line, done.returncode, done.stdout + done.stderr))
    return Place(path, ran)


@pytest.fixture
def inside(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(place.path)
    return place


@pytest.mark.parametrize(
    "line", [pytest.param(line, id=f"{named(path)}: {line}") for path in DOCUMENTS for line in commands(path)]
)
def test_every_command_that_is_shown_can_be_typed(line: str) -> None:
    """Names of commands and options, and the values of choices, are those there are."""
    words = shlex.split(line)[1:]
    group = click.Context(cli.finegraft, info_name="finegraft", **cli.finegraft.context_settings)
    command = cli.finegraft.get_command(group, words[0])
    assert command is not None
    command.make_context(words[0], words[1:], parent=group)


def test_the_commands_of_the_readme_run_in_order(place: Place) -> None:
    assert [line.split()[1] for line, _, _ in place.ran] == ["check", "train", "predict", "predict", "eval", "predict"]
    assert [(line, said) for line, code, said in place.ran if code != 0] == []
    assert (place.path / "run" / "report.html").is_file()
    assert (place.path / "answers.html").is_file()
    assert {folder.name for folder in (place.path / "sorted").iterdir()} <= {"rose", "tulip"}


@pytest.mark.parametrize("document", ["README.md", "docs/guide.md"])
def test_the_python_that_is_shown_runs(document: str, place: Place, tmp_path: Path) -> None:
    block = "\n".join(fences(ROOT / document, "python"))
    shutil.copytree(place.path / "photos", tmp_path / "photos")
    shutil.copy(place.path / "photo.jpg", tmp_path)
    calm = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}  # other tests run beside it
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, env=calm, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Prediction(label='rose'" in done.stdout
    assert (tmp_path / "flowers.fg").is_file()


def test_the_readme_begins_with_the_two_commands_five_lines_and_a_picture() -> None:
    first = README.read_text(encoding="utf-8").split("\n## ")[0]
    assert first.index("make demo") < first.index("make test") < first.index("```python") < first.index("![")
    assert len(fences(README, "python")[0].split("\n\n")[1].splitlines()) == 5  # after the import
    assert (ROOT / "docs" / "images" / "report.png").stat().st_size <= 400_000


@pytest.mark.parametrize("target", ["demo", "test", "lint", "accept"])
def test_make_knows_the_targets_that_are_named(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """The anchors a heading gets on the pages of git hosts."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_links_lead_somewhere_and_no_path_of_a_machine_is_told(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if not link.startswith(("https://", "http://")):
            file, _, anchor = link.partition("#")
            target = path.parent / file if file else path
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link
    assert not re.search(r"/(?:root|home|tmp|work|Users)/", text)


def test_the_command_reference_is_up_to_date() -> None:
    written = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert written == script("reference").page(), "run: python docs/reference.py"


def test_the_numbers_of_the_readme_are_those_measured_last() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == script("measured").filled(text), "run: python docs/measured.py"


def test_every_number_of_the_readme_stands_in_the_ledger_word_for_word() -> None:
    from benchmarks.promises import ALL

    measured = script("measured")
    assert set(measured.ROWS) <= {promise.id for promise in ALL}
    acceptance = ROOT / "benchmarks" / "ACCEPTANCE.md"
    told = acceptance.read_text(encoding="utf-8").splitlines() if acceptance.exists() else []
    inside = README.read_text(encoding="utf-8").split(measured.START)[1].split(measured.END)[0]
    for row in re.findall(r"^\| (.+) \| (.+) \| `make accept ONLY=(.+)` \|$", inside, re.MULTILINE):
        _, words, name = row
        (line,) = (line for line in told if line.startswith(f"| {name} |"))
        assert words.split(", wanted")[0] in line


def test_no_other_part_of_the_readme_claims_a_measurement() -> None:
    measured = script("measured")
    before, rest = README.read_text(encoding="utf-8").split(measured.START)
    prose = re.sub(r"!\[.*?\]\(.*?\)", "", before + rest.split(measured.END)[1])
    claims = re.findall(r"\d[\d.,]*\s?(?:%|s\b|ms\b|seconds|times|GB|MB|img|photos)", prose)
    assert claims == ["95 %"]  # the level of the intervals


def keys_of(value: Any) -> Iterator[str]:
    """The keys of a JSON value that are ours, without those that are names of classes, stages, packages and options."""
    free = {"classes", "seconds", "findings", "environment", "settings", "decoder", "kinds", "metrics", "traits"}
    if isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_of(list(inner.values()) if key in free and isinstance(inner, dict) else inner)


def documented() -> set[str]:
    text = FILES.read_text(encoding="utf-8")
    return {word for code in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"[\w.\-]+", code)}


@pytest.mark.parametrize(
    "line",
    [
        "check photos",
        "train photos -o run2 --force",
        "eval run test-photos",
        "predict run photo.jpg run/run.json",
        "lr photos",
        "report run",
        "compare run run2",
        "runs .",
        "backbones",
        "cache",
    ],
)
def test_every_key_that_is_printed_is_described(line: str, inside: Place) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert cli.run([*shlex.split(line), "--json"]) == 0
    found = {key for row in printed.getvalue().splitlines() for key in keys_of(json.loads(row))}
    assert found
    assert found <= documented()


def test_every_file_and_key_of_a_run_is_described(inside: Place) -> None:
    run = inside.path / "run"
    assert {path.name for path in run.iterdir()} <= documented()
    rows = [json.loads((run / name).read_text(encoding="utf-8")) for name in ("run.json", "lr.json")]
    for name in ("manifest.jsonl", "log.jsonl", "evaluation.jsonl"):
        rows += map(json.loads, (run / name).read_text(encoding="utf-8").splitlines())
    assert set(keys_of(rows)) <= documented()
    assert set(rows[0]["metrics"]) <= documented()


def test_every_entry_and_key_of_a_bundle_is_described(inside: Place) -> None:
    with zipfile.ZipFile(inside.path / "run" / "model.fg") as bundle:
        assert {name.split("/")[0] for name in bundle.namelist()} <= documented()
        assert set(keys_of(json.loads(bundle.read("model.json")))) <= documented()


def test_the_kinds_of_finding_are_those_there_are() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (.+?) \| (yes|no) \|$", FILES.read_text(encoding="utf-8"), re.MULTILINE)
    assert {kind: meaning for kind, meaning, _ in rows} == KINDS
    assert {kind for kind, _, out in rows if out == "yes"} == LEAVES_OUT
