"""Where onnxruntime-web comes from, with a small package and an npm of our own in its place."""

from __future__ import annotations

import hashlib
import io
import logging
import stat
import sys
import tarfile
from pathlib import Path

import pytest

from finegraft.errors import ExportError
from finegraft.exporting import web_runtime

CONTENTS = {name: name.encode() * 3 for name in web_runtime.DIGESTS}


@pytest.fixture(autouse=True)
def small(empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that stand for the package's, an empty cache, a working folder of our own, and no npm."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}
    monkeypatch.setattr(web_runtime, "DIGESTS", digests)
    (tmp_path / "bin").mkdir()
    (tmp_path / "here" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here" / "below")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def node_modules(folder: Path, contents: dict[str, bytes]) -> Path:
    dist = folder / "node_modules" / web_runtime.PACKAGE / "dist"
    dist.mkdir(parents=True)
    for name, content in contents.items():
        (dist / name).write_bytes(content)
    return dist


def npm(tmp_path: Path, contents: dict[str, bytes], code: int = 0) -> Path:
    """A program called npm that writes down what it was asked, and packs `contents`."""
    with tarfile.open(tmp_path / "package.tgz", "w:gz") as archive:
        for name, content in contents.items():
            row = tarfile.TarInfo(f"package/dist/{name}")
            row.size = len(content)
            archive.addfile(row, io.BytesIO(content))
    program = tmp_path / "bin" / "npm"
    program.write_text(
        f"#!{sys.executable}\nimport pathlib, shutil, sys\n"
        f"pathlib.Path({str(tmp_path / 'asked.txt')!r}).write_text(' '.join(sys.argv[1:]))\n"
        f"if {code}: sys.exit('npm error no network')\n"
        f"shutil.copy({str(tmp_path / 'package.tgz')!r}, 'onnxruntime-web.tgz')\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return tmp_path / "asked.txt"


def test_it_is_taken_from_node_modules_above_and_then_from_the_cache(tmp_path: Path) -> None:
    dist = node_modules(tmp_path / "here", CONTENTS)
    first = web_runtime.files()
    assert first[web_runtime.LOADER] == CONTENTS["ort.wasm.bundle.min.mjs"]
    assert first[web_runtime.BINARY] == CONTENTS["ort-wasm-simd-threaded.wasm"]
    assert b"Permission is hereby granted" in first["LICENSE.txt"]
    assert b"THIRD PARTY" in first["notices.txt"].upper()
    dist.rename(tmp_path / "gone")
    assert web_runtime.files() == first


def test_npm_is_asked_once_for_the_one_version_and_it_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    asked = npm(tmp_path, CONTENTS)
    with caplog.at_level(logging.WARNING, "finegraft"):
        web_runtime.files()
    assert caplog.messages == ["Fetching onnxruntime-web 1.30.0 with npm, once (33 MB)."]
    assert asked.read_text().split()[:2] == ["pack", "onnxruntime-web@1.30.0"]
    asked.unlink()
    web_runtime.files()
    assert not asked.exists()


def test_without_npm_the_way_out_is_named() -> None:
    with pytest.raises(ExportError) as caught:
        web_runtime.files()
    assert str(caught.value) == (
        "A page that answers needs onnxruntime-web 1.30.0, and there is no npm to fetch it. Where npm and a network "
        "are: npm install onnxruntime-web@1.30.0. Then export from that folder, or copy its node_modules to where you "
        "export."
    )


def test_an_npm_that_fails_is_quoted(tmp_path: Path) -> None:
    npm(tmp_path, CONTENTS, code=1)
    with pytest.raises(ExportError, match=r"npm could not fetch onnxruntime-web 1\.30\.0: npm error no network\. "):
        web_runtime.files()


@pytest.mark.parametrize("name", web_runtime.DIGESTS)
def test_other_files_than_the_tested_ones_are_refused(tmp_path: Path, name: str) -> None:
    npm(tmp_path, CONTENTS | {name: b"something else"})
    with pytest.raises(ExportError, match=r"is not onnxruntime-web 1\.30\.0: its files have other digests\."):
        web_runtime.files()


@pytest.mark.parametrize("contents", [{}, {**CONTENTS, next(iter(CONTENTS)): b"of another version"}])
def test_another_version_that_a_project_has_is_left_alone(tmp_path: Path, contents: dict[str, bytes]) -> None:
    dist = node_modules(tmp_path / "here", contents)
    before = {path.name: path.read_bytes() for path in dist.iterdir()}
    with pytest.raises(ExportError, match="there is no npm to fetch it"):
        web_runtime.files()
    npm(tmp_path, CONTENTS)
    assert set(web_runtime.files()) >= set(web_runtime._NAMES.values())
    assert {path.name: path.read_bytes() for path in dist.iterdir()} == before


def test_make_fetches_it_into_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm(tmp_path, CONTENTS)
    monkeypatch.setattr(sys, "argv", ["web_runtime", str(tmp_path / "here" / "node_modules")])
    assert web_runtime.main() == 0
    dist = tmp_path / "here" / "node_modules" / web_runtime.PACKAGE / "dist"
    assert {path.name: path.read_bytes() for path in dist.iterdir()} == CONTENTS
