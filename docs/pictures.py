"""Makes the README's pictures of a report: `python docs/pictures.py RUN`, with a Chromium and the extra `dev`.

The first screen as docs/images/report.png; the confusion matrix with the first pairs below it as report-mistakes.jpg.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from finegraft.evaluation.run import Run
from finegraft.reporting.report import report

IMAGES = Path(__file__).resolve().parent / "images"
FIRST, FURTHER = 1280, 960  # CSS pixels: wide enough for two columns, narrow enough to be read when shown smaller
PAIRS = 2  # that the second picture shows


def bottom_of(page: Any, selector: str, nth: int = 0) -> float:
    """Where an element ends, in CSS pixels from the top of the page."""
    return float(
        page.evaluate(
            "([s, n]) => document.querySelectorAll(s)[n].getBoundingClientRect().bottom + scrollY", [selector, nth]
        )
    )


def taken(page: Any, top: float, bottom: float) -> Image.Image:
    """The whole width of the page between two heights."""
    width = page.viewport_size["width"]
    clip = {"x": 0, "y": top, "width": width, "height": bottom - top}
    return Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip))).convert("RGB")


def main(run: Path) -> None:
    """Build the report of `run`, seen from its own place so that no path of this machine is in it, and take both."""
    os.chdir(run.resolve().parent)
    written = report(Run.open(run.name), Path(run.name) / "report.html")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": FIRST, "height": 844}, color_scheme="light")
        page.goto(written.resolve().as_uri())
        first = taken(page, 0, bottom_of(page, "header") + 8)
        first.quantize(80, dither=Image.Dither.NONE).save(IMAGES / "report.png", optimize=True)
        page.set_viewport_size({"width": FURTHER, "height": 844})
        top = bottom_of(page, "nav")
        further = taken(page, top, bottom_of(page, ".confused", PAIRS - 1) + 24)
        further.save(IMAGES / "report-mistakes.jpg", quality=69, optimize=True, progressive=True)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Which run? Type: python docs/pictures.py RUN")
    main(Path(sys.argv[1]))
