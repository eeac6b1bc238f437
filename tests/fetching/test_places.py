from __future__ import annotations

import pytest

from finegraft.fetching.places import place
from tests.making import SUFFIXES, photo

DIGEST = "0123456789abcdef" * 2


@pytest.mark.parametrize("kind", SUFFIXES)
def test_the_suffix_follows_the_content(kind: str) -> None:
    assert place("rose", "/photo.exe", DIGEST, photo(0, kind=kind)) == f"rose/photo-0123456789ab{SUFFIXES[kind]}"


@pytest.mark.parametrize(
    ("path", "stem"),
    [
        ("/a/IMG_0001.JPG", "IMG-0001"),
        ("/a/IMG%200001.JPG?size=large/x.png", "IMG-0001"),
        ("/", "photo"),
        ("/a/", "photo"),
        ("/photo", "photo"),
        ("/..", "photo"),
        ("/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "photo"),
        ("/%2e%2e%5cwindows.jpg", "windows"),
        ("/.hidden.jpg", "hidden"),
        ("/a%00b.jpg", "a-b"),
        ("/%F0%9F%8C%B9.jpg", "photo"),
        ("/" + "x" * 500 + ".jpg", "x" * 40),
        ("/a.tar.gz", "a-tar"),
    ],
)
def test_of_the_address_only_letters_and_digits_are_kept(path: str, stem: str) -> None:
    assert place("rose", path, DIGEST, photo(0)) == f"rose/{stem}-0123456789ab.jpg"


@pytest.mark.parametrize("label", ["..", "/etc", "a/../../b", "C:\\x", ".git", ""])
def test_a_label_is_one_folder(label: str) -> None:
    folder, _, name = place(label, "/a.jpg", DIGEST, photo(0)).rpartition("/")
    assert folder not in ("", ".", "..")
    assert not folder.startswith(".")
    assert "/" not in folder
    assert "\\" not in folder
    assert name == "a-0123456789ab.jpg"
