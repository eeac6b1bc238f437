"""Bad hosts on this machine, and settings that do not wait for long."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import bad_answers
from benchmarks.bad_host import BadHost
from finegraft.fetching.settings import Settings


@pytest.fixture
def host() -> Iterator[BadHost]:
    """A host that answers as `bad_answers.CASES` say, and counts."""
    with BadHost(bad_answers.answer) as running:
        yield running


@pytest.fixture
def quick() -> Settings:
    """This machine may be reached; tries follow each other at once."""
    return Settings(allow_private=True, backoff=0.01)
