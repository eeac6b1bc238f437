from __future__ import annotations

import importlib
import sys

import pytest

from finegraft.errors import MissingExtra


def test_without_h11_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h11", None)
    monkeypatch.delitem(sys.modules, "finegraft.fetching.exchange", raising=False)
    with pytest.raises(MissingExtra, match=r"Fetching needs the 'train' extra, .* pip install \"finegraft\[train\]\""):
        importlib.import_module("finegraft.fetching.exchange")
