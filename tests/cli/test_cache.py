from __future__ import annotations

import time
from pathlib import Path

import pytest

from finegraft.cli.cache import parse_size
from finegraft.errors import UsageError
from finegraft.vision.remembering import _SETTLED_NS
from tests.cli.running import finegraft


def test_see_limit_and_clear(photos: Path, empty_cache: Path) -> None:
    # Files that changed a moment ago are not remembered: these may just have been made.
    newest = max(path.stat().st_ctime for path in photos.rglob("*"))
    time.sleep(max(0.0, newest + _SETTLED_NS / 1e9 + 0.1 - time.time()))
    assert finegraft("check", photos).code == 0
    seen = finegraft("cache", "--json").object
    assert seen["path"] == str(empty_cache / "store.sqlite")
    assert seen["kinds"]["checks"]["entries"] > 0
    assert seen["bytes"] == seen["kinds"]["checks"]["bytes"] > 0
    assert finegraft("cache", "limit", "2GB", "--json").object["limit"] == 2 * 10**9
    assert finegraft("cache", "clear", "--json").object["bytes"] == 0
    after = finegraft("cache", "see", "--json").object
    assert (after["kinds"], after["limit"]) == ({}, 2 * 10**9)
    assert after["archives"] == {"path": str(empty_cache / "archives"), "entries": 0, "bytes": 0}
    assert "0 bytes of at most 2.0 GB" in finegraft("cache").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["limit"], "A size goes with `cache limit`, and with nothing else. For example: finegraft cache limit 2GB"),
        (["clear", "2GB"], "A size goes with `cache limit`, and with nothing else. For example: finegraft cache li"),
        (["limit", "2XB"], "'2XB' is not a size. Write it like 2GB or 500MB."),
        (["cler"], "Invalid value for '[see|limit|clear]': 'cler' is not one of 'see', 'limit', 'clear'. Did you"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    done = finegraft("cache", *arguments)
    assert done.code == 2
    assert done.error.startswith(f"Error: {said}")


def test_sizes() -> None:
    assert [parse_size(text) for text in ("7", "1.5 kb", "500MB", "2GB")] == [7, 1500, 500 * 10**6, 2 * 10**9]
    with pytest.raises(UsageError, match="'-1GB' is not a size"):
        parse_size("-1GB")


def test_a_cache_that_cannot_be_used_costs_only_a_warning(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = finegraft("check", photos, "--json", env={"FINEGRAFT_CACHE": str(tmp_path / "file")})
    assert (done.code, done.object["records"]) == (0, 20)
    assert "nothing will be remembered" in done.err


def test_a_damaged_cache_says_how_to_mend_it(photos: Path, empty_cache: Path) -> None:
    empty_cache.mkdir()
    (empty_cache / "store.sqlite").write_bytes(b"this is no database" * 100)
    done = finegraft("check", photos)
    assert (done.code, done.out) == (1, "")
    assert done.error.endswith("store.sqlite is damaged (file is not a database). Delete it: that costs time only.")
