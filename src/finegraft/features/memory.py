"""The store as the memory of checks: small JSON values by text keys."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from finegraft.features.store import Store

KIND = "checks"


class CheckMemory:
    """Keeps what checking a file has shown (see `finegraft.vision.checks.Memory`), in a `Store`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, keys: Sequence[str]) -> Mapping[str, dict[str, Any]]:
        """The values there are for `keys`."""
        found = self._store.get_many(KIND, [key.encode() for key in keys])
        return {key.decode(): json.loads(value) for key, value in found.items()}

    def put(self, values: Mapping[str, dict[str, Any]]) -> None:
        """Keep all `values`, in one transaction."""
        self._store.put_many(KIND, {key.encode(): json.dumps(value).encode() for key, value in values.items()})
