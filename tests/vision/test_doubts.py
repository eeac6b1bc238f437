"""From files to findings and groups: copies, flaws, and what stays together."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from finegraft.data.dataset import Dataset
from finegraft.vision import doubts, remembering
from finegraft.vision.sources import read
from tests.making import encoded, photo, scene


class Notes:
    """A memory in a dict."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}

    def get(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        return {key: self.values[key] for key in keys if key in self.values}

    def put(self, values: Mapping[bytes, bytes]) -> None:
        self.values |= values


def scenes(root: Path, counts: Mapping[str, int], start: int = 0) -> Path:
    """Class folders of scenes, all different."""
    number = start
    for name, count in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            (root / name / f"{i:02d}.jpg").write_bytes(encoded(scene(number), quality=92))
            number += 1
    return root


def copied(source: Path, target: Path, *, mirror: bool = False) -> None:
    """A near copy: smaller, recompressed at quality 40, mirrored if asked for."""
    image = Image.open(io.BytesIO(source.read_bytes()))
    image = ImageOps.mirror(image) if mirror else image
    target.write_bytes(encoded(image.resize((140, 105)), quality=40))


def kinds(data: Dataset) -> list[tuple[str, str | None, str]]:
    return [(f.key, f.other, f.kind) for f in data.findings]


def test_near_copies_are_said_and_stay_on_one_side(tmp_path: Path) -> None:
    root = scenes(tmp_path / "data", {"a": 12, "b": 12})
    for i in range(6):
        copied(root / f"a/0{i}.jpg", root / f"a/0{i}x.jpg", mirror=i % 2 == 1)
    data = read(root)
    assert kinds(data) == [(f"a/0{i}x.jpg", f"a/0{i}.jpg", "near-copy") for i in range(6)]
    assert ", mirrored." in data.findings[1].note
    for seed in range(8):
        sides = {r.key: r.split for r in data.split(0.3, seed).records}
        assert all(sides[f"a/0{i}x.jpg"] == sides[f"a/0{i}.jpg"] for i in range(6))


def test_a_near_copy_under_another_label_is_said_and_never_judged(tmp_path: Path) -> None:
    root = scenes(tmp_path / "data", {"a": 6, "b": 6})
    copied(root / "a/00.jpg", root / "b/00x.jpg")
    data = read(root)
    assert kinds(data) == [("b/00x.jpg", "a/00.jpg", "near-copy"), ("b/00x.jpg", "a/00.jpg", "two-labels")]
    for seed in range(20):
        assert {r.split for r in data.split(0.4, seed).records if "00" in r.key and r.group} == {"train"}


def test_a_near_copy_in_another_given_split_leaks(tmp_path: Path) -> None:
    root = scenes(tmp_path / "data", {"train/a": 5, "train/b": 5, "test/a": 2, "test/b": 2})
    copied(root / "train/a/00.jpg", root / "test/a/00x.jpg")
    assert kinds(read(root)) == [
        ("train/a/00.jpg", "test/a/00x.jpg", "near-copy"),
        ("test/a/00x.jpg", "train/a/00.jpg", "leak"),
    ]


def test_exact_copies_of_a_near_copy_share_its_group(tmp_path: Path) -> None:
    root = scenes(tmp_path / "data", {"a": 5, "b": 5})
    copied(root / "a/00.jpg", root / "a/x1.jpg")
    (root / "a/x2.jpg").write_bytes((root / "a/x1.jpg").read_bytes())
    data = read(root)
    assert kinds(data) == [("a/x2.jpg", "a/x1.jpg", "exact-copy"), ("a/x1.jpg", "a/00.jpg", "near-copy")]
    groups = {r.key: r.group for r in data.records}
    assert groups["a/00.jpg"] == groups["a/x1.jpg"] == groups["a/x2.jpg"] is not None


def test_flaws_are_said_with_the_file(tmp_path: Path) -> None:
    root = scenes(tmp_path / "data", {"a": 8, "b": 8})
    (root / "a/dark.jpg").write_bytes(encoded(Image.new("RGB", (200, 150), (5, 5, 5))))
    (root / "b/tiny.png").write_bytes(photo(1, (20, 16), kind="PNG"))
    assert kinds(read(root)) == [("a/dark.jpg", None, "dark"), ("b/tiny.png", None, "tiny")]


def test_what_was_found_is_remembered_while_the_photos_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "_SETTLED_NS", 0)
    root, memory = scenes(tmp_path / "data", {"a": 6, "b": 6}), Notes()
    copied(root / "a/00.jpg", root / "a/x.jpg")
    first = read(root, memory=memory)
    looked: list[int] = []
    really = doubts.near_copies
    monkeypatch.setattr(doubts, "near_copies", lambda looks, show: looked.append(len(looks)) or really(looks, show))
    again = read(root, memory=memory)
    assert (again.records, again.findings) == (first.records, first.findings)
    assert looked == []
    copied(root / "a/01.jpg", root / "a/y.jpg")
    assert len(read(root, memory=memory).findings) == 2
    assert looked == [14]


def test_bad_files_change_nothing_about_the_others(tmp_path: Path) -> None:
    root = scenes(tmp_path / "data", {"a": 6, "b": 6})
    copied(root / "a/00.jpg", root / "a/x.jpg")
    clean = read(root)
    (root / "a/00.txt").write_text("Hello")
    (root / "b/zz.jpg").write_bytes(photo(1)[:500])
    dirty = read(root)
    assert [r for r in dirty.records if r.left_out is None] == list(clean.records)
    assert [f for f in dirty.findings if f.kind == "near-copy"] == list(clean.findings)
