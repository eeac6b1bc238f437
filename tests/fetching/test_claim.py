from __future__ import annotations

import sys
from pathlib import Path

import pytest

from finegraft.errors import StorageError
from finegraft.fetching.claim import alone_in


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_one_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "photos"
    refused = pytest.raises(StorageError, match=r"Another finegraft fetches into .*photos\. Wait for its end")
    with alone_in(folder), refused, alone_in(folder):
        pass
    with alone_in(folder):
        assert list(folder.iterdir()) == []


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with (
            pytest.raises(StorageError, match=r"Cannot fetch into .*: .*\. Choose another folder with -o\."),
            alone_in(place),
        ):
            pass
