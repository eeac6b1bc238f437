"""The store as the memory of checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from finegraft.features.store import Store

KIND = "checks"


class CheckMemory:
    """Keeps what checking files has shown (see `finegraft.vision.remembering.Memory`), in a `Store`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """The values there are for `keys`."""
        return self._store.get_many(KIND, keys)

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keep all `values`, in one transaction."""
        self._store.put_many(KIND, values)
