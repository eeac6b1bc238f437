"""What docs/deploy.md shows: the client as printed, and what the container holds."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.making import photo
from tests.serving.making import bundle_at, process

ROOT = Path(__file__).parents[2]
DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.xdist_group("serving")


def test_the_client_that_is_shown_gets_its_answers(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", DEPLOY, re.S)
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    shown: dict[str, Any] = {}
    exec(code, shown)
    (tmp_path / "photo.jpg").write_bytes(photo(1))
    with process(bundle_at(tmp_path / "flowers.fg"), env={"FINEGRAFT_TOKEN": "a secret"}) as server:
        row = shown["label_of"](tmp_path / "photo.jpg", server.url, "a secret")
    assert {"label", "probability", "unsure", "ranking"} <= set(row)


def test_every_error_of_the_api_stands_in_the_table_with_its_status() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| (`.*?`) \|", DEPLOY, re.M)
    told = {
        (status, code)
        for statuses, codes in rows
        for status in statuses.split(", ")
        for code in codes[1:-1].split("`, `")
    }
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/finegraft/serving").glob("*.py"))
    made = set(re.findall(r'Problem\(\s*(\d+),\s*"([\w-]+)"', source)) - {("500", "internal")}
    assert made
    assert made <= told
    assert {code for _, code in told} - {code for _, code in made} == {
        "unreadable", "not-a-photo", "empty", "wrong-method",  # of files, and of Starlette
    }  # fmt: skip


def test_serving_loads_neither_torch_nor_what_only_training_needs(tmp_path: Path) -> None:
    script = (
        "import sys; sys.argv = ['finegraft', 'serve', '--help']\n"
        "import finegraft.serving.running, finegraft.serving.models\n"
        "from finegraft.serving.models import named\n"
        f"(served,) = named([__import__('pathlib').Path({str(bundle_at(tmp_path / 'flowers.fg'))!r})]).values()\n"
        "served.load()\n"
        "print(sorted({'torch', 'timm', 'sklearn', 'scipy', 'pandas', 'onnx', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_container_installs_the_extra_that_serves_and_runs_without_rights() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert '"/src[serve]"' in text
    assert "USER 65532:65532" in text
    assert 'ENTRYPOINT ["/opt/finegraft/bin/finegraft", "serve"]' in text
    for copied in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.M):
        assert all((ROOT / name).exists() for name in copied.split())
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {f"!{name}" for name in ("pyproject.toml", "README.md", "LICENSE", "constraints.txt", "src")} <= set(ignored)


def test_the_extra_that_serves_brings_no_torch() -> None:
    wanted = [line for line in importlib.metadata.requires("finegraft") or [] if "extra == 'serve'" in line]
    names = {re.split(r"[ <>=!;\[]", line)[0].lower() for line in wanted}
    assert names == {"starlette", "uvicorn", "h11", "python-multipart", "prometheus-client"}
