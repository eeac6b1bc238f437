from __future__ import annotations

from pathlib import Path

import pytest

from finegraft.data.naming import folder_name

HOSTILE = [
    "..",
    ".",
    "",
    "/etc",
    "../../up",
    "a/b",
    "a:b",
    "a\\b",
    "C:\\x",
    ".hidden",
    " spaced ",
    "dot.",
    "nul\0l",
    "\x1b[31m",
    "50%",
    "%2E",
    "\ud800",
    "x" * 5000,
    "x" * 4999 + "y",
    "é" * 300,
]


@pytest.mark.parametrize("label", HOSTILE)
def test_every_label_is_the_name_of_one_visible_folder(tmp_path: Path, label: str) -> None:
    place = tmp_path / folder_name(label)
    place.mkdir()
    assert place.resolve().parent == tmp_path.resolve()
    assert [path.name for path in tmp_path.glob("[!.]*")] == [place.name]


def test_no_two_labels_share_a_folder() -> None:
    assert len({folder_name(label) for label in HOSTILE}) == len(HOSTILE)
    assert folder_name("brown bear") == "brown bear"
    assert folder_name("Größe 猫") == "Größe 猫"
