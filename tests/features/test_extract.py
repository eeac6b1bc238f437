from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from finegraft.errors import UnreadableFile
from finegraft.features.extract import KIND, extract, feature_key
from finegraft.features.store import Store
from finegraft.runtimes import Runtime

Item = int


class Squares:
    """A runtime whose features of number n are (n, n²); it counts what it computes."""

    name, version, outputs, streams, batch = "squares", "1", ("features",), 2, 1

    def __init__(self) -> None:
        self.seen: list[int] = []
        self._lock = threading.Lock()

    def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
        with self._lock:
            self.seen += x[:, 0].tolist()
        return {"features": np.concatenate([x, x**2], axis=1).astype(np.float64)}


def keys_of(items: list[Item]) -> list[bytes]:
    return [feature_key(f"digest {item}", "what") for item in items]


def one(item: Item) -> np.ndarray:
    if item < 0:
        raise UnreadableFile("unreadable", f"{item} is bad")
    return np.array([item])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path)


def never() -> Runtime:
    raise AssertionError("nothing is missing, so no engine is opened")


def test_rows_come_in_the_order_asked_for(store: Store) -> None:
    items = [5, 2, 9, 0]
    found = extract(items, keys_of(items), one, Squares, store)
    assert found.values.dtype == np.float32
    assert found.values.tolist() == [[5, 25], [2, 4], [9, 81], [0, 0]]
    assert (found.failed, found.computed) == ({}, 4)


def test_only_what_is_missing_is_computed(store: Store) -> None:
    extract([1, 2, 3], keys_of([1, 2, 3]), one, Squares, store)
    runtime, told = Squares(), list[tuple[int, int]]()
    items = [3, 7, 1, 8]
    found = extract(items, keys_of(items), one, lambda: runtime, store, lambda done, of: told.append((done, of)))
    assert sorted(runtime.seen) == [7, 8]
    assert told == [(1, 2), (2, 2)]
    assert found.values.tolist() == [[3, 9], [7, 49], [1, 1], [8, 64]]
    assert found.computed == 2
    again = extract(items, keys_of(items), one, never, store)
    assert again.computed == 0
    assert again.values.tobytes() == found.values.tobytes(), "bit for bit what was computed"


def test_copies_are_computed_once_and_each_gets_the_row(store: Store) -> None:
    runtime, items = Squares(), [4, 6, 4, 4, 6]
    found = extract(items, keys_of(items), one, lambda: runtime, store)
    assert sorted(runtime.seen) == [4, 6]
    assert found.values[:, 0].tolist() == items


def test_failed_rows_are_named_and_not_remembered(store: Store) -> None:
    items = [1, -2, 3, -2]
    found = extract(items, keys_of(items), one, Squares, store)
    assert {row: (error.code, error.reason) for row, error in found.failed.items()} == {
        1: ("unreadable", "-2 is bad"),
        3: ("unreadable", "-2 is bad"),
    }
    assert found.values.tolist() == [[1, 1], [0, 0], [3, 9], [0, 0]]
    assert store.sizes() == {KIND: (2, 16)}
    assert sorted(extract(items, keys_of(items), one, Squares, store).failed) == [1, 3]


def test_nothing_readable_and_nothing_asked_for(store: Store) -> None:
    found = extract([-1, -2], keys_of([-1, -2]), one, Squares, store)
    assert (found.values.shape, sorted(found.failed)) == ((2, 0), [0, 1])
    assert extract([], [], one, never, store).values.shape == (0, 0)


def test_an_error_of_our_own_passes_and_keeps_what_was_done(store: Store) -> None:
    def load(item: Item) -> np.ndarray:
        if item == 50:
            raise ZeroDivisionError
        return one(item)

    items = list(range(100))
    with pytest.raises(ZeroDivisionError):
        extract(items, keys_of(items), load, Squares, store)
    runtime = Squares()
    extract(items, keys_of(items), one, lambda: runtime, store)
    assert sorted(runtime.seen) == list(range(50, 100))


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from finegraft.features.extract import extract
from finegraft.features.store import Store
from tests.features.test_extract import Squares, keys_of, one

def told(done, of):
    if done == 150:
        os.kill(os.getpid(), signal.SIGKILL)

items = list(range(400))
extract(items, keys_of(items), one, Squares, Store.open(Path(sys.argv[1])), told)
"""


def test_a_killed_extraction_goes_on_from_what_was_stored(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path], cwd=root, check=False)
    assert killed.returncode == -signal.SIGKILL
    runtime, items = Squares(), list(range(400))
    with Store.open(tmp_path) as store:
        found = extract(items, keys_of(items), one, lambda: runtime, store)
    assert sorted(runtime.seen) == list(range(128, 400)), "150 were done, two transactions of 64 kept"
    assert found.values[:, 1].tolist() == [item**2 for item in items]


def test_a_key_tells_apart_everything_that_decides() -> None:
    parts = [("d",), ("d", "a"), ("d", "b"), ("da",), ("d", "a", "b"), ("d", "ab"), ("d", "a", ""), ("d", "a", "b", "")]
    assert len({feature_key(*part) for part in parts}) == len(parts)
    assert feature_key("d", "a") == feature_key("d", "a")
