"""The page in a real browser: choosing, dropping, pasting, several at once, errors, a token, two widths."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import finegraft as fg
from finegraft.serving.pages import POLICY
from tests.inference.making import predictor
from tests.making import folder_of_photos, photo
from tests.pages import drop_and_paste
from tests.serving.making import Process, api, bundle_at, process

pytestmark = [pytest.mark.page, pytest.mark.xdist_group("serving-page")]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_at(tmp_path_factory.mktemp("bundle") / "pets.fg")


@pytest.fixture(scope="module")
def server(bundle: Path) -> Iterator[Process]:
    with process(bundle) as started:
        yield started


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = folder_of_photos(tmp_path_factory.mktemp("photos") / "all", {"rose": 4})
    return sorted((folder / "rose").iterdir())


@pytest.fixture(params=[{"width": 1280, "height": 900}, {"width": 390, "height": 844}], ids=["desktop", "phone"])
def opened(server: Process, browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page, and nothing wrong in its console at the end."""
    context = browser.new_context(viewport=request.param, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(server.url)
    until(page, "document.title.startsWith('pets')")
    yield page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [line for line in wrong if "status of 4" not in line] == []
    context.close()


ANSWERED = "[...document.querySelectorAll('#answers > li strong')].filter((e) => e.textContent != '…').length"


def until(page: Any, wanted: str) -> None:
    """Wait for it; the page's policy forbids Playwright's own way, which evaluates text."""
    end = time.monotonic() + 20
    while not page.evaluate(wanted):
        assert time.monotonic() < end, wanted
        time.sleep(0.02)


def answers(page: Any, count: int) -> Any:
    """The cards once so many are answered, the newest first."""
    until(page, f"{ANSWERED} == {count}")
    return page.locator("#answers > li")


def test_a_chosen_photo_is_answered_with_every_class(opened: Any, photos: list[Path], bundle: Path) -> None:
    opened.set_input_files("#files", photos[0])
    card = answers(opened, 1).first
    wanted = fg.load(bundle).predict(photos[0])
    assert card.locator("strong").inner_text() == wanted.label  # type: ignore[union-attr]
    shown = dict(zip(card.locator(".label").all_inner_texts(), card.locator(".number").all_inner_texts(), strict=True))
    assert shown == {label: f"{100 * share:.1f} %" for label, share in wanted.ranking}  # type: ignore[union-attr]
    assert card.locator("img").get_attribute("alt") == photos[0].name


def test_several_at_once_and_a_bad_one_among_them(opened: Any, photos: list[Path], tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_bytes(b"no photo at all")
    opened.set_input_files("#files", [*photos, tmp_path / "notes.jpg"])
    cards = answers(opened, 5)
    assert cards.first.locator("strong").inner_text() == "No answer"
    assert "not a photo" in cards.first.locator(".doubt").inner_text()
    assert opened.locator("#answers > li.wrong").count() == 1
    assert opened.locator("#note").inner_text() == ""
    opened.click("#clear")
    assert cards.count() == 0


def test_a_heat_map_is_laid_over_the_photo_and_its_strength_is_chosen(opened: Any, photos: list[Path]) -> None:
    opened.set_input_files("#files", photos[0])
    card = answers(opened, 1).first
    slider, heat = card.locator(".strength input"), card.locator("img.heat")
    assert (heat.count(), slider.is_visible()) == (0, False)
    card.locator(".look").click()
    until(opened, "document.querySelector('img.heat')?.complete && document.querySelector('img.heat').naturalWidth > 0")
    assert card.locator(".look").is_hidden()
    assert slider.is_visible()
    assert card.locator("img:not(.heat)").bounding_box() == heat.bounding_box()
    assert heat.evaluate("image => getComputedStyle(image).opacity") == "0.8"
    slider.press("ArrowLeft")
    slider.press("Home")
    assert heat.evaluate("image => getComputedStyle(image).opacity") == "0"


def test_a_model_without_heat_maps_says_so_on_its_button(tmp_path: Path, browser: Any, photos: list[Path]) -> None:
    predictor().save(tmp_path / "plain.fg")
    with process(tmp_path / "plain.fg") as started:
        page = browser.new_page()
        page.goto(started.url)
        page.set_input_files("#files", photos[0])
        card = answers(page, 1).first
        card.locator(".look").click()
        until(page, "document.querySelector('.look').textContent.includes('cannot tell where it looked')")
        assert page.locator("img.heat").count() == 0
        page.close()


def test_dropped_and_pasted_photos_are_answered(opened: Any, photos: list[Path]) -> None:
    drop_and_paste(opened, photos[1].read_bytes())
    names = answers(opened, 2).locator(".name").all_inner_texts()
    assert names == ["paste.jpg", "drop.jpg"]


def test_it_is_worked_with_the_keyboard_alone(opened: Any) -> None:
    seen = []
    for _ in range(8):
        opened.keyboard.press("Tab")
        seen.append(opened.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert seen[0] == "files"
    assert {"camera", "SUMMARY"} <= set(seen)
    assert opened.evaluate("getComputedStyle(document.querySelector('#drop')).outlineStyle") in {"none", "solid"}


def test_the_command_for_a_program_can_be_copied(opened: Any, server: Process) -> None:
    opened.click("summary")
    opened.click("#copy")
    command = opened.evaluate("navigator.clipboard.readText()")
    assert command == f"curl --data-binary @photo.jpg {server.url}/v1/predict"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_screen_reader_meets_nothing_serious(server: Process, browser: Any, scheme: str, photos: list[Path]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(server.url)
    until(page, "document.title.startsWith('pets')")
    page.set_input_files("#files", photos)
    answers(page, 4)
    found = Axe().run(page).response["violations"]
    assert [row["id"] for row in found if row["impact"] in ("serious", "critical")] == []
    context.close()


def test_a_token_is_asked_for_and_used(bundle: Path, browser: Any, photos: list[Path]) -> None:
    with process(bundle, env={"FINEGRAFT_TOKEN": "a secret"}) as server:
        page = browser.new_page()
        page.goto(server.url)
        page.wait_for_selector("#ask-token:visible")
        page.fill("#token", "a secret")
        page.keyboard.press("Enter")
        until(page, "document.title.startsWith('pets')")
        page.set_input_files("#files", photos[0])
        assert answers(page, 1).first.locator("strong").inner_text() != "No answer"
        assert "TOKEN" in page.locator("#curl").text_content()
        page.close()


def test_an_answer_can_be_called_wrong_and_the_right_one_named(
    bundle: Path, browser: Any, photos: list[Path], tmp_path: Path
) -> None:
    with process(bundle, "--feedback", tmp_path / "said.jsonl") as server:
        page = browser.new_page()
        page.goto(server.url)
        until(page, "document.title.startsWith('pets')")
        page.set_input_files("#files", photos[:2])
        first, second = answers(page, 2).all()
        until(page, "document.querySelectorAll('.verdict:not([hidden])').length == 2")
        first.locator("button.right").click()
        second.locator("button.amiss").click()
        second.locator("select").select_option(index=1)
        until(page, "[...document.querySelectorAll('#answers .verdict')].every((e) => e.textContent == 'Thank you.')")
        page.close()
    rows = [json.loads(line) for line in (tmp_path / "said.jsonl").read_text().splitlines()]
    assert sorted(row["right"] for row in rows) == [False, True]
    (wrong,) = (row for row in rows if not row["right"])
    assert wrong["wanted"] != wrong["label"]


def test_the_page_lets_nothing_foreign_in(bundle: Path) -> None:
    with api(bundle) as (client, _):
        page = client.get("/")
        assert page.headers["content-security-policy"] == POLICY
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        for name in ("page.css", "page.js", "cards.js", "photos.js", "icon.svg", "tokens.css"):
            file = client.get(f"/page/{name}")
            assert file.status_code == 200
            assert "http://" not in file.text.replace("http://www.w3.org/2000/svg", "")
        for name in ("nothing.js", "..%2fapp.py", "..%2F..%2Ferrors.py"):
            assert client.get(f"/page/{name}").status_code == 404
        assert "style=" not in page.text
        assert "onclick" not in page.text
        answer = client.post("/v1/predict", content=photo(1))
        assert "access-control-allow-origin" not in answer.headers
