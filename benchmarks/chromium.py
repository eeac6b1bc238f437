"""A real Chromium for measurements."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.promise import CannotMeasureError

# As the tests' browser: it asks nobody outside, whatever it would like to.
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--proxy-server=127.0.0.1:9")


@contextmanager
def browser() -> Iterator[Any]:
    """A browser as Playwright drives it. Raises `CannotMeasureError` where one of the two is missing."""
    try:
        from playwright import sync_api
    except ImportError as error:
        raise CannotMeasureError("Playwright is not installed (the extra dev brings it)") from error
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise CannotMeasureError("no Chromium is installed")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield found
        found.close()
