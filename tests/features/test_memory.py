from __future__ import annotations

from pathlib import Path

from finegraft.features.memory import CheckMemory
from finegraft.features.store import Store


def test_values_come_back_as_they_were_also_in_another_process(tmp_path: Path) -> None:
    values = {b"a": b"\x00\xff", b"b c": b"long " * 10_000}
    with Store.open(tmp_path) as store:
        CheckMemory(store).put(values)
    with Store.open(tmp_path) as store:
        assert CheckMemory(store).get([b"b c", b"a", b"unknown"]) == values
        assert store.sizes() == {"checks": (2, 50_002)}


def test_nothing_to_keep_is_no_error(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        CheckMemory(store).put({})
        assert CheckMemory(store).get([]) == {}
