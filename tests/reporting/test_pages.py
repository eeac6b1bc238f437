"""The pages in a real browser: narrow and wide, light and dark, on screen and on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from finegraft.reporting.gallery import gallery
from finegraft.reporting.report import report
from tests.reporting.making import HOSTILE, evaluation_of, run_of
from tests.reporting.test_gallery import answered, failed

pytestmark = pytest.mark.page
PAGES = ("run", "hostile", "bare", "many", "gallery", "empty")
# What is cut off rather than scrolled or wrapped: wider than the window, and not inside a frame that scrolls.
OVERFLOWING = """() => [...document.querySelectorAll('body *')].filter(e =>
  e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll')).map(e => e.outerHTML.slice(0, 80))"""
# Text smaller than 8 px is not read by anyone.
TINY = """() => [...document.querySelectorAll('svg text')].filter(t =>
  t.getBoundingClientRect().height < 8 && !t.closest('.scroll')).length"""
# The lines of every paragraph as the browser has set them: characters that share a bottom edge.
LINES = """() => [...document.querySelectorAll('p')].flatMap(p => {
  const lines = new Map(), range = document.createRange();
  const walker = document.createTreeWalker(p, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    for (let i = 0; i < node.length; i++) {
      range.setStart(node, i); range.setEnd(node, i + 1);
      const bottom = Math.round(range.getBoundingClientRect().bottom / 6);
      lines.set(bottom, (lines.get(bottom) ?? '') + node.data[i]);
    }
  return [...lines.values()];
})"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    left_out = [("notes.txt", "not a photo"), ("a" * 200 + ".jpg", "the file is cut off " * 10)]
    items: list[Any] = [answered(f"{name}.jpg", name, 0.6, "close call") for name in HOSTILE]
    items += [failed("a" * 200, "unreadable", "The file is cut off.")]
    many = [f"a rather long class name {i}" for i in range(40)]
    return {
        "run": report(run_of(folder / "a", ("daisy", "rose", "tulip"), left_out=left_out), folder / "run.html"),
        "hostile": report(run_of(folder / "b", tuple(sorted(HOSTILE)), left_out=left_out), folder / "hostile.html"),
        "bare": report(evaluation_of(("a", "b")), folder / "bare.html"),
        "many": report(evaluation_of(many, n=400), folder / "many.html"),
        "gallery": gallery(items, folder / "gallery.html"),
        "empty": gallery([], folder / "empty.html"),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_and_is_quiet(browser: Any, pages: dict[str, Path], name: str, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on(
        "request", lambda request: noise.append(request.url) if not request.url.startswith(("file:", "data:")) else None
    )
    page.goto(pages[name].as_uri())
    assert noise == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate(TINY) == 0
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert paper == {"light": "rgb(251, 250, 246)", "dark": "rgb(20, 24, 21)"}[scheme]
    page.close()


def test_no_line_of_running_text_is_longer_than_seventy_characters(browser: Any, pages: dict[str, Path]) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 844})
    page.goto(pages["run"].as_uri())
    lines = page.evaluate(LINES)
    assert len(lines) > 15
    assert max(map(len, lines)) <= 70, max(lines, key=len)
    page.close()


def test_the_keyboard_reaches_the_content_and_shows_where_it_is(browser: Any, pages: dict[str, Path]) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 844})
    page.goto(pages["run"].as_uri())
    page.keyboard.press("Tab")
    focused = "document.activeElement"
    assert page.evaluate(f"{focused}.textContent") == "Skip to the content"
    assert page.evaluate(f"{focused}.getBoundingClientRect().left") >= 0
    assert page.evaluate(f"getComputedStyle({focused}).outlineStyle") == "solid"
    page.close()


def test_on_paper_everything_is_unfolded_and_light(browser: Any, pages: dict[str, Path]) -> None:
    page = browser.new_page(viewport={"width": 794, "height": 1123}, color_scheme="dark")
    page.emulate_media(media="print")
    page.goto(pages["run"].as_uri())
    assert page.evaluate("document.querySelector('details td').getBoundingClientRect().height") > 0
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgba(0, 0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.documentElement).color") == "rgb(28, 33, 29)"
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    page.close()
