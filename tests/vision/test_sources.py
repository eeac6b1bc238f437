from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from finegraft.data.dataset import Dataset
from finegraft.data.findings import LEAVES_OUT
from finegraft.errors import DataError
from finegraft.evaluation.run import Run
from finegraft.vision.sources import read
from finegraft.vision.walk import walk
from tests.making import folder_of_photos, photo


def kinds(data: Dataset) -> dict[str, str]:
    """Key -> kind of the findings that leave a file out."""
    return {f.key: f.kind for f in data.findings if f.kind in LEAVES_OUT}


def test_class_folders_become_records_sorted_by_key(tmp_path: Path) -> None:
    data = read(folder_of_photos(tmp_path, {"tulip": 5, "wild/rose": 6}))
    assert data.counts() == {"rose": 6, "tulip": 5}
    assert [r.key for r in data.records] == sorted(r.key for r in data.records)
    assert data.records[5].key == "wild/rose/0000.jpg"
    assert (data.root, data.modality, data.given_splits) == (tmp_path, "vision", frozenset())
    assert data.findings == ()
    assert all((data.root / r.key).is_file() for r in data.records)


def test_a_path_may_be_text(tmp_path: Path) -> None:
    assert read(str(folder_of_photos(tmp_path))).root == tmp_path


def test_given_splits_are_kept(tmp_path: Path) -> None:
    parts = {f"{part}/{name}": 5 for part in ("train", "val", "testing") for name in ("a", "b")}
    data = read(folder_of_photos(tmp_path, parts))
    assert data.given_splits == {"train", "validation", "test"}
    assert len(data.part("validation")) == 10


def test_a_file_counts_by_its_content(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"a": 5, "b": 5})
    (tmp_path / "a" / "view.php").write_bytes(photo(1))
    (tmp_path / "a" / "NAME WITH SPACE ü.JPG").write_bytes(photo(2, kind="WEBP"))
    (tmp_path / "a" / "page.jpg").write_bytes(b"<html>Not found</html>")
    (tmp_path / "b" / "nothing.png").write_bytes(b"")
    (tmp_path / "b" / "cut.jpg").write_bytes(photo(3)[:800])
    data = read(tmp_path)
    assert data.counts() == {"a": 7, "b": 5}
    assert kinds(data) == {"a/page.jpg": "not-a-photo", "b/cut.jpg": "unreadable", "b/nothing.png": "empty"}
    assert {r.key: r.left_out for r in data.left_out}["a/page.jpg"] == (
        "The content is not a photo: it looks like a web page."
    )
    assert all(f.note == r.left_out for f, r in zip(data.findings, data.left_out, strict=True))


def test_hidden_files_and_folders_are_none_of_ours(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"a": 5, "b": 5, ".cache/a": 2, "a/.thumbs": 2})
    (tmp_path / "a" / ".DS_Store").write_bytes(b"x")
    assert len(read(tmp_path)) == 10


def test_a_run_below_the_data_is_no_data(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"a": 5, "b": 5})
    before = read(tmp_path)
    run = Run.create(tmp_path / "run")
    assert read(tmp_path) == before, "an empty run, as `train` finds it while it reads"
    run.write_dataset(before)
    run.log({"epoch": 1})
    run.write_lr_curve({"lrs": [1]})
    (run.path / "checkpoints").mkdir()
    (run.path / "checkpoints" / "last.safetensors").write_bytes(b"x")
    assert read(tmp_path) == before, "a run that was killed"
    run.write_settings({"data": "."})
    (run.path / "notes.txt").write_text("my own")
    assert read(tmp_path) == before, "a finished run"
    assert len(list(walk(tmp_path))) == 10


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", b'{"distance": 5}'),
        ("run.json", b'{"run_format": "gpx"}'),
        ("run.json", b"[1]"),
        ("run.json", b"\xff"),
        ("run.json", b"[" * 100_000),
        ("unfinished.txt", b"sort these"),
    ],
)
def test_a_class_folder_with_a_file_named_as_in_a_run_stays_one(tmp_path: Path, name: str, content: bytes) -> None:
    folder_of_photos(tmp_path, {"a": 5, "b": 5})
    (tmp_path / "a" / name).write_bytes(content)
    data = read(tmp_path)
    assert data.counts() == {"a": 5, "b": 5}
    assert kinds(data) == {f"a/{name}": "not-a-photo"}


def test_a_run_that_was_asked_for_is_read(tmp_path: Path) -> None:
    Run.create(tmp_path / "run").write_settings({})
    assert kinds(read(tmp_path / "run")) == {"run.json": "not-a-photo"}


def test_files_beside_the_class_folders_are_named(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"a": 5, "b": 5})
    (tmp_path / "README.md").write_text("About")
    (tmp_path / "stray.jpg").write_bytes(photo(1))
    data = read(tmp_path)
    assert kinds(data) == {"README.md": "not-a-photo", "stray.jpg": "misplaced"}
    assert [r.label for r in data.left_out] == [None, None]
    assert data.left_out[1].left_out == ("This photo lies in no class folder. Move it into the folder of its class.")


def test_photos_outside_the_given_splits_are_named_and_not_used(tmp_path: Path) -> None:
    data = read(folder_of_photos(tmp_path, {"train/a": 5, "train/b": 5, "test/a": 5, "test/b": 5, "more/a": 2}))
    assert len(data.usable) == 20
    assert kinds(data) == {"more/a/0000.jpg": "misplaced", "more/a/0001.jpg": "misplaced"}
    assert "outside the given splits. Move it below the train folder" in str(data.left_out[0].left_out)


def test_copies_and_counts_are_findings_but_leave_nothing_out(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"a": 5, "b": 3})
    shutil.copy(tmp_path / "a" / "0000.jpg", tmp_path / "a" / "copy.jpg")
    shutil.copy(tmp_path / "a" / "0001.jpg", tmp_path / "b" / "copy.jpg")
    data = read(tmp_path)
    assert Counter(f.kind for f in data.findings) == {"exact-copy": 2, "two-labels": 1, "few": 1}
    assert data.left_out == ()


def test_a_copy_between_given_splits_is_a_leak(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"train/a": 5, "train/b": 5, "test/a": 5, "test/b": 5})
    shutil.copy(tmp_path / "train" / "a" / "0000.jpg", tmp_path / "test" / "a" / "copy.jpg")
    (leak,) = [f for f in read(tmp_path).findings if f.kind == "leak"]
    assert (leak.key, leak.other) == ("test/a/copy.jpg", "train/a/0000.jpg")


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    pool = folder_of_photos(tmp_path / "pool", {"cats": 5})
    data = folder_of_photos(tmp_path / "data", {"dog": 5})
    (data / "cat").symlink_to(pool / "cats", target_is_directory=True)
    (data / "dog" / "round").symlink_to(data, target_is_directory=True)
    (data / "dog" / "itself").symlink_to("itself")
    (data / "dog" / "gone.jpg").symlink_to("nowhere.jpg")
    found = read(data)
    assert found.counts() == {"cat": 5, "dog": 5}
    assert kinds(found) == {"dog/gone.jpg": "unreadable", "dog/itself": "unreadable"}


def test_a_pipe_is_a_finding_not_a_wait(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"a": 5, "b": 5})
    os.mkfifo(tmp_path / "a" / "pipe.jpg")
    assert kinds(read(tmp_path)) == {"a/pipe.jpg": "unreadable"}


def test_a_name_that_is_no_utf8_is_a_finding_that_can_be_written(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"a": 5, "b": 5})
    try:
        Path(os.fsdecode(os.fsencode(tmp_path / "a") + b"/caf\xe9.jpg")).write_bytes(photo(1))
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    data = read(tmp_path)
    assert kinds(data) == {"a/caf\\xe9.jpg": "unreadable"}
    assert data.left_out[0].left_out == "The name of this file is not valid UTF-8. Rename it."
    data.save(tmp_path / "manifest.jsonl")


def test_a_folder_that_cannot_be_listed_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_of_photos(tmp_path, {"a": 5, "b": 5, "secret": 5})
    really_scan, really_access = os.scandir, os.access

    def scandir(path: Any) -> Any:  # root, who runs these tests in CI, may list anything
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied")
        return really_scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "secret" and really_access(path, mode))
    data = read(tmp_path)
    assert kinds(data) == {"secret": "unreadable"}
    assert str(data.left_out[0].left_out).startswith("You may not list this folder.")
    with pytest.raises(DataError, match=r"You may not list the folder .*secret\. Change its permissions"):
        read(tmp_path / "secret")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("none", r"There is no file or folder .*none\. Check the path\."),
        (
            "file",
            r".*file is neither a table nor an archive\. Give the folder that holds the class folders, or a table",
        ),
        ("nothing", r".*nothing is empty\. Give the folder that holds the class folders, or a table of them\."),
        ("empty", r"The folder .*empty holds no files\. Put each class in a folder of its own: .*/rose/1\.jpg"),
        ("flat", r".*flat holds 3 photos but no class folders\. Put each class in a folder of its own"),
        ("splits", r".*splits holds 4 photos but no class folders\."),
    ],
)
def test_what_cannot_be_read_says_how_to_mend_it(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "file").write_bytes(photo(1))
    (tmp_path / "nothing").touch()
    (tmp_path / "empty" / "a").mkdir(parents=True)
    folder_of_photos(tmp_path, {"flat": 3, "splits/train": 2, "splits/test": 2})
    with pytest.raises(DataError, match=text):
        read(tmp_path / name)


def test_files_of_which_none_is_a_photo_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "text.jpg").write_text("Hello")
    data = read(tmp_path)
    assert data.classes == ()
    assert kinds(data) == {"a/text.jpg": "not-a-photo"}


def test_progress_reaches_the_total(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    read(folder_of_photos(tmp_path, {"a": 5, "b": 5}), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (10, 10)
    assert seen == sorted(seen)


@pytest.mark.shared_data
def test_scraped_bears(shared_data: Path) -> None:
    data = read(shared_data / "bears")
    assert data.counts() == {"black": 158, "grizzly": 163, "teddys": 160}
    assert kinds(data) == {
        "black/urls_black.txt": "not-a-photo",
        "grizzly/urls_grizzly.txt": "not-a-photo",
        "teddys/urls_teddys.txt": "not-a-photo",
    }
    assert {r.key for r in data.usable} >= {"teddys/00000084.php", "grizzly/00000167.ashx"}


@pytest.mark.shared_data
def test_clothing_with_its_given_splits(shared_data: Path) -> None:
    data = read(shared_data / "clothing")
    assert [len(data.part(p)) for p in ("train", "validation", "test")] == [3068, 341, 372]
    assert len(data.classes) == 10
    assert kinds(data) == {"LICENSE": "not-a-photo", "README.md": "not-a-photo"}
