from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from finegraft.data.contents import digest_of, read_content
from finegraft.errors import UnreadableFile


def refused(path: Path, **limits: int) -> tuple[str, str]:
    with pytest.raises(UnreadableFile) as caught:
        read_content(path, **limits)
    return caught.value.code, caught.value.reason


def test_the_content_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "ü x").write_bytes(bytes(range(256)))
    assert read_content(tmp_path / "ü x") == bytes(range(256))


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(3 * 2**20))
    assert refused(tmp_path / "big", max_bytes=2**20) == (
        "too-large",
        "The file has 3 MB; at most 1 MB are read. Save a smaller copy.",
    )


def test_what_is_no_file_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe") == ("unreadable", "This is a pipe or a device, not a file.")
    assert refused(tmp_path) == ("unreadable", "This is a folder, not a file.")


def test_missing_and_dangling_and_circular(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("gone")
    (tmp_path / "loop").symlink_to("loop")
    assert refused(tmp_path / "none") == ("unreadable", "There is no such file. Check the path.")
    assert refused(tmp_path / "dangling") == ("unreadable", "This link leads nowhere: gone does not exist.")
    assert refused(tmp_path / "loop")[1].startswith("The file cannot be read (Too many levels")
    assert refused(Path("null\0byte"))[1].startswith("The file cannot be read (")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_bytes(b"x")

    def forbidden(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", forbidden)  # root, who runs these tests in CI, may read anything
    assert refused(tmp_path / "secret")[1].startswith("You may not read this file. Change its permissions")


def test_the_digest_is_blake2b_of_16_bytes() -> None:
    assert digest_of(b"photo") == hashlib.blake2b(b"photo", digest_size=16).hexdigest()
