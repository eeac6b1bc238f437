from __future__ import annotations

import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from finegraft.errors import StorageError
from finegraft.features import store as storing
from finegraft.features.store import DEFAULT_LIMIT, Store, cache_folder, opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "cache") as kept:
        yield kept


def value_of(number: int, size: int = 3000) -> bytes:
    """A value that its key tells, so that a torn or mixed one is seen."""
    return number.to_bytes(4) * (size // 4)


def test_what_was_put_is_there_by_kind_and_key(store: Store) -> None:
    store.put_many("features", {b"a": b"1", b"b": b""})
    store.put("graphs", b"a", b"2")
    assert store.get_many("features", [b"b", b"a", b"c"]) == {b"a": b"1", b"b": b""}
    assert store.get("graphs", b"a") == b"2"
    assert store.get("checks", b"a") is None
    assert store.sizes() == {"features": (2, 1), "graphs": (1, 1)}


def test_a_later_value_replaces_an_earlier_one(store: Store) -> None:
    store.put("features", b"a", b"1")
    store.put("features", b"a", b"2")
    assert store.get("features", b"a") == b"2"


def test_more_keys_than_one_statement_takes(store: Store) -> None:
    values = {str(i).encode(): value_of(i, 8) for i in range(1203)}
    store.put_many("features", values)
    assert store.get_many("features", [*values, b"unknown"]) == values


def test_it_outlives_the_process_that_wrote_it(tmp_path: Path) -> None:
    with Store.open(tmp_path) as first:
        first.put("features", b"a", b"1")
        first.set_limit(7_000_000)
    with Store.open(tmp_path) as second:
        assert second.get("features", b"a") == b"1"
        assert second.limit == 7_000_000


def test_no_values_are_no_work(store: Store) -> None:
    store.put_many("features", {})
    assert store.get_many("features", []) == {}
    assert store.sizes() == {}


def test_the_limit_is_four_gibibytes_unless_told_and_rounded_up_to_a_megabyte(store: Store) -> None:
    assert store.limit == DEFAULT_LIMIT == 4 * 2**30
    store.set_limit(1_000_001)
    assert store.limit == 2_000_000
    store.set_limit(0)
    assert store.limit == 1_000_000
    store.clear()
    assert store.limit == 1_000_000, "a setting outlives clearing"


def on_disk(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def test_clearing_gives_the_disk_space_back(store: Store, tmp_path: Path) -> None:
    store.put_many("features", {str(i).encode(): value_of(i, 30_000) for i in range(200)})
    assert on_disk(tmp_path / "cache") > 6_000_000
    store.clear()
    assert store.sizes() == {}
    assert on_disk(tmp_path / "cache") < 100_000


def test_the_least_recently_used_go_first(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 2_000_000_000.0
    monkeypatch.setattr(storing.time, "time", lambda: now)
    for name in (b"old", b"used", b"young"):
        store.put("features", name, value_of(1, 400_000))
        now += 3 * 86_400
    store.set_limit(1_000_000)
    store.get("features", b"used")
    assert store.trim() == 400_000
    assert set(store.get_many("features", [b"old", b"used"])) == {b"used"}
    store.put("features", b"new", value_of(1, 400_000))
    assert store.trim() == 400_000
    assert store.sizes() == {"features": (2, 800_000)}
    assert set(store.get_many("features", [b"used", b"young", b"new"])) == {b"used", b"new"}
    assert on_disk(tmp_path / "cache") < 1_000_000
    assert store.trim() == 0


def test_closing_trims(tmp_path: Path) -> None:
    with Store.open(tmp_path) as full:
        full.set_limit(1_000_000)
        full.put_many("features", {str(i).encode(): value_of(i, 300_000) for i in range(5)})
    with Store.open(tmp_path) as trimmed:
        assert trimmed.sizes() == {"features": (3, 900_000)}, "down to nine tenths of the limit"


def test_many_threads_use_one_store(store: Store) -> None:
    def work(thread: int) -> None:
        for i in range(30):
            number = thread * 100 + i
            store.put_many("features", {str(number).encode(): value_of(number)})
            assert store.get("features", str(number).encode()) == value_of(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert store.sizes() == {"features": (240, 720_000)}


WRITER = """
import sys
from pathlib import Path
from finegraft.features.store import Store
folder, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
store = Store.open(folder)
print("open", flush=True)
for start in range(first, first + count, 20):
    numbers = range(start, min(start + 20, first + count))
    store.put_many("features", {str(i).encode(): i.to_bytes(4) * 750 for i in numbers})
    known = store.get_many("features", [str(i).encode() for i in range(20_000)])
    assert all(value == int(key).to_bytes(4) * 750 for key, value in known.items())
    assert all(str(i).encode() in known for i in numbers)
store.close()
"""


def writer(folder: Path, first: int, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, folder, str(first), str(count)], stdout=subprocess.PIPE)


def test_two_processes_open_write_and_read_at_once(tmp_path: Path) -> None:
    both = [writer(tmp_path / "cache", first, 300) for first in (0, 10_000)]
    for process in both:
        process.communicate()
        assert process.returncode == 0
    with Store.open(tmp_path / "cache") as store:
        assert store.sizes() == {"features": (600, 600 * 3000)}


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.11])
def test_a_writer_killed_at_any_moment_leaves_whole_transactions(tmp_path: Path, delay: float) -> None:
    process = writer(tmp_path, 0, 20_000)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"open\n"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with Store.open(tmp_path) as store:
        known = store.get_many("features", [str(i).encode() for i in range(20_000)])
        assert len(known) % 20 == 0, "all of a transaction, or nothing"
        for key, value in known.items():
            assert value == value_of(int(key))
        store.put("features", b"after", b"x")
        assert store.get("features", b"after") == b"x"
    with sqlite3.connect(tmp_path / "store.sqlite") as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    plain.close()


def test_a_file_that_is_no_store_is_told_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"something else" * 1000)
    with pytest.raises(StorageError, match=r"The cache .*store\.sqlite is damaged \(.*\)\. Delete it: that costs time"):
        Store.open(tmp_path)


def test_damage_within_is_told_with_the_mend(tmp_path: Path) -> None:
    with Store.open(tmp_path) as whole:
        whole.put_many("features", {str(i).encode(): value_of(i) for i in range(400)})
    path = tmp_path / "store.sqlite"
    content = bytearray(path.read_bytes())
    content[8192:] = os.urandom(len(content) - 8192)
    path.write_bytes(content)
    damaged = Store.open(tmp_path)
    for action in (
        lambda: damaged.get_many("features", [str(i).encode() for i in range(400)]),
        lambda: damaged.put("features", b"a", b"1"),
        damaged.sizes,
        damaged.clear,
        damaged.close,
    ):
        with pytest.raises(StorageError, match="Delete it: that costs time only"):
            action()
    damaged._connection.close()


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    with caplog.at_level(logging.WARNING), Store.open(tmp_path / "file" / "cache") as store:
        assert "cannot be used" in caplog.text
        assert "nothing will be remembered" in caplog.text
        assert store.path is None
        store.put("features", b"a", b"1")
        assert store.get("features", b"a") == b"1", "within this process it remembers"


@pytest.fixture
def not_root() -> Iterator[None]:
    """Root may write anywhere: be nobody for a while."""
    if os.name != "posix" or os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """pytest's own folders may be entered by their owner only."""
    folder = Path(tempfile.mkdtemp(prefix="finegraft-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_read_only_folder_is_done_without(
    open_folder: Path, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> None:
    with Store.open(open_folder) as full:
        full.put("features", b"a", b"1")
    open_folder.chmod(0o555)
    request.getfixturevalue("not_root")
    with caplog.at_level(logging.WARNING), Store.open(open_folder) as store:
        store.put("features", b"b", b"2")
    assert "The cache" in caplog.text


def test_a_full_disk_loses_the_memory_not_the_work(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")  # SQLite's own way to a full disk
    with caplog.at_level(logging.WARNING):
        store.put_many("features", {str(i).encode(): value_of(i) for i in range(100)})
    assert "is full" in caplog.text
    assert "this will be computed again" in caplog.text
    assert store.sizes() == {}, "nothing of the transaction stays"


@pytest.mark.parametrize(
    ("finegraft", "xdg", "wanted"),
    [("/x/own", "/x/xdg", "/x/own"), (None, "/x/xdg", "/x/xdg/finegraft"), (None, "", "/home/me/.cache/finegraft")],
)
def test_where_the_cache_lies(finegraft: str | None, xdg: str, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_CACHE_HOME", xdg)
    monkeypatch.setenv("FINEGRAFT_CACHE", finegraft) if finegraft else monkeypatch.delenv("FINEGRAFT_CACHE")
    assert cache_folder() == Path(wanted)


def test_opened_leaves_a_given_store_open_and_closes_its_own(store: Store, empty_cache: Path) -> None:
    with opened(store) as same:
        assert same is store
    store.put("features", b"a", b"1")
    with opened(None) as default:
        assert default.path == empty_cache / "store.sqlite"
    with pytest.raises(sqlite3.ProgrammingError):
        default.sizes()


def test_a_reader_waits_for_nobody(tmp_path: Path) -> None:
    """A transaction that another connection keeps open hides its values and stops no reader."""
    with Store.open(tmp_path) as store:
        store.put("features", b"a", b"1")
        other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO entries VALUES ('features', x'62', x'32', 0)")
        done = threading.Event()
        reader = threading.Thread(target=lambda: (store.get("features", b"a"), done.set()))
        reader.start()
        assert done.wait(30)
        assert store.get("features", b"b") is None
        other.execute("COMMIT")
        other.close()
        reader.join()
        assert store.get("features", b"b") == b"2"
