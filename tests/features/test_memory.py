from __future__ import annotations

import json
from pathlib import Path

from finegraft.features.memory import CheckMemory
from finegraft.features.store import Store


def test_values_come_back_as_they_were_also_in_another_process(tmp_path: Path) -> None:
    values = {"a": {"digest": "é", "code": None}, "b c": {"nested": [1, {"x": 2.5}]}}
    with Store.open(tmp_path) as store:
        CheckMemory(store).put(values)
    with Store.open(tmp_path) as store:
        assert CheckMemory(store).get(["b c", "a", "unknown"]) == values
        assert store.sizes() == {"checks": (2, sum(len(json.dumps(value)) for value in values.values()))}
