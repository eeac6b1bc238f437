"""Reports in a real browser, as axe-core and the keyboard find them: two classes and 37, narrow and wide, in either
scheme.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from finegraft.reporting.report import page_of, report
from tests.reporting.making import evaluation_of, run_of
from tests.reporting.test_cells import pictured
from tests.reporting.test_pages import OVERFLOWING

pytestmark = pytest.mark.page
BREEDS = tuple(f"breed {i:02d}" for i in range(37))
UNFOLDED = "document.querySelectorAll('details').forEach(d => d.open = true)"
SHOWN = "[...document.querySelectorAll('.panel')].filter(p => p.getBoundingClientRect().height).map(p => p.id)"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    left_out = [("notes.txt", "not a photo")]
    return {
        "two": report(run_of(folder / "a", ("no", "yes"), left_out=left_out), folder / "two.html"),
        "many": report(run_of(folder / "b", BREEDS, left_out=left_out), folder / "many.html"),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["two", "many"])
def test_axe_finds_nothing(browser: Any, pages: dict[str, Path], name: str, width: int, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page.goto(pages[name].as_uri())
    if name == "two":  # of 37 classes as they are met: unfolded they are the same, and axe takes four times as long
        page.evaluate(UNFOLDED)
    page.evaluate("location.hash = document.querySelector('svg a').getAttribute('href')")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(one["id"], one["impact"], one["nodes"][0]["html"][:120]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_the_keyboard_opens_the_photos_of_a_number_and_leads_back(browser: Any, pages: dict[str, Path]) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 844})
    page.goto(pages["two"].as_uri())
    assert page.evaluate(SHOWN) == []
    page.focus("svg a")
    said = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert said.split(":")[0] in ("no taken for yes", "yes taken for no")
    page.keyboard.press("Enter")
    (shown,) = page.evaluate(SHOWN)
    assert page.evaluate("document.activeElement.id") == shown
    heading = page.text_content(f"#{shown} h3")
    assert heading.startswith(said.split(":")[0])
    photos = page.evaluate(f"document.querySelectorAll('#{shown} svg.photo').length")
    assert photos == int(said.split(": ")[1].split("\u00a0")[0])
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate(SHOWN) == []
    assert page.evaluate("document.activeElement.id") == "matrix"
    page.close()


def test_the_matrix_can_be_passed_over(browser: Any, pages: dict[str, Path]) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 844})
    page.goto(pages["many"].as_uri())
    page.focus(".pass")
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "side-by-side"
    page.close()


def test_photos_held_once_are_drawn_wherever_they_are_shown(browser: Any, pages: dict[str, Path]) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 844})
    page.goto(pages["two"].as_uri())
    box = page.locator("#worst svg.photo").first.bounding_box()
    assert box["width"] == pytest.approx(box["height"])
    page.locator("#worst svg.photo").first.scroll_into_view_if_needed()
    pixels = page.locator("#worst svg.photo").first.screenshot()
    blank = page.locator("#worst .note").first.screenshot()
    assert len(pixels) > 3 * len(blank)  # a photo, not an empty square
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_long_file_names_stay_with_their_photos(browser: Any, tmp_path: Path, width: int) -> None:
    names = [f"folder/{'long-name-' * 12}{i}.jpg" for i in range(60)]
    material = pictured(evaluation_of(("no", "yes"), n=60, right=0.6, keys=names), settings={"unsure_below": 0.99})
    (tmp_path / "long.html").write_text(page_of(material), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.goto(f"{(tmp_path / 'long.html').as_uri()}#cell-0-1")
    assert page.evaluate("document.querySelectorAll('.line').length") > 12
    assert page.evaluate(OVERFLOWING) == []
    page.close()


def test_on_paper_nothing_is_behind_a_link_alone(browser: Any, pages: dict[str, Path]) -> None:
    page = browser.new_page(viewport={"width": 794, "height": 1123})
    page.emulate_media(media="print")
    page.goto(pages["two"].as_uri())
    assert page.evaluate("document.querySelector('.trio svg.photo').getBoundingClientRect().height") > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 794
    page.close()
