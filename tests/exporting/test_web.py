"""The page of an exported model in a real browser: the same answers as Python's, and nothing leaves it."""

from __future__ import annotations

import base64
import functools
import hashlib
import http.server
import io
import itertools
import json
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageCms

from benchmarks.web import LISTENING
from finegraft.data.atomic import write_atomically
from finegraft.errors import UnreadableFile
from finegraft.evaluation.run import Run
from finegraft.exporting import web
from finegraft.exporting.exports import export
from finegraft.exporting.golden import golden_set
from finegraft.exporting.opened import open_export
from finegraft.exporting.parity import TOLERANCE
from finegraft.inference import bundle
from finegraft.inference.predictor import Predictor
from finegraft.targets import Category, Number, Tags
from finegraft.vision.preprocess import Preprocess
from tests.exporting.test_plain import predictor
from tests.graphs import small_model
from tests.inference.making import LABELS, description
from tests.making import encoded, folder_of_photos, scene
from tests.pages import drop_and_paste

pytestmark = [pytest.mark.page, pytest.mark.xdist_group("exporting"), pytest.mark.usefixtures("web_runtime")]

# Which no browser but one reads; the page says so.
UNREAD = {"tiff.tif"}
SENDING = "(address) => fetch(address, { mode: 'no-cors' }).then(() => 'sent', (error) => error.name)"


@dataclass(frozen=True)
class Served:
    """A server of files and nothing else; `folder` is what lies at `url`, a folder in one of its folders."""

    folder: Path
    url: str


@pytest.fixture(scope="module")
def site(trained: Run, web_runtime: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *told: object) -> None:
            pass

    root = tmp_path_factory.mktemp("site")
    export(trained, root / "some" / "flowers", "web")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Served(root / "some" / "flowers", f"http://127.0.0.1:{server.server_port}/some/flowers/")
        server.shutdown()


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = folder_of_photos(tmp_path_factory.mktemp("photos") / "all", {"rose": 4})
    return sorted((folder / "rose").iterdir())


WIDTHS = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(params=[(width, scheme) for width in WIDTHS for scheme in ("light", "dark")], ids="-".join)
def opened(site: Served, browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page once its model answers; at the end nothing is wrong in its console, nothing wider than its window, and
    nothing was asked of others.
    """
    width, scheme = request.param
    with page_at(browser, site.url, viewport=WIDTHS[width], color_scheme=scheme) as page:
        wrong: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: wrong.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.reload()
        ready(page)
        yield page
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert wrong == []
        assert [url for url in asked if not url.startswith((site.url, "blob:"))] == []
        assert f"{site.url}model.onnx" in asked


class page_at:  # noqa: N801 - used as a function
    """A page of `browser` at `url`, closed in the end."""

    def __init__(self, browser: Any, url: str, **settings: Any) -> None:
        self.context = browser.new_context(**settings)
        self.url = url

    def __enter__(self) -> Any:
        page = self.context.new_page()
        page.add_init_script(LISTENING)
        page.goto(self.url)
        return page

    def __exit__(self, *error: object) -> None:
        self.context.close()


def until(page: Any, wanted: str) -> None:
    """Wait for it; the page's policy forbids Playwright's own way, which evaluates text."""
    end = time.monotonic() + 60
    while not page.evaluate(wanted):
        assert time.monotonic() < end, f"{wanted}: {page.inner_text('body')}"
        time.sleep(0.02)


def ready(page: Any) -> None:
    until(page, "document.getElementById('loading').hidden && document.title.includes(' · ')")


def answers(page: Any, count: int) -> Any:
    """The cards once so many are answered, the newest first."""
    answered = "[...document.querySelectorAll('#answers > li strong')].filter((e) => e.textContent != '…').length"
    until(page, f"{answered} == {count}")
    return page.locator("#answers > li")


def said(page: Any, files: list[Path]) -> list[dict[str, Any]]:
    """What the worker says of `files`, in their order: {"told": an answer} or {"wrong": words}."""
    page.set_input_files("#files", files)
    answers(page, len(files))
    rows: list[dict[str, Any]] = page.evaluate("said.splice(0)")
    page.click("#clear")
    return rows


def apart(told: dict[str, Any], values: np.ndarray, labels: tuple[str, ...]) -> float:
    """The largest difference of a probability."""
    got = {row["label"]: row["probability"] for row in told["ranking"]}
    return float(max(abs(got[label] - value) for label, value in zip(labels, values, strict=True)))


def test_a_chosen_photo_is_answered_with_every_class(opened: Any, photos: list[Path], trained: Run) -> None:
    opened.set_input_files("#files", photos[0])
    card = answers(opened, 1).first
    wanted = bundle.load(trained.model).predict(photos[0])
    assert card.locator("strong").inner_text() == wanted.label  # type: ignore[union-attr]
    shown = dict(zip(card.locator(".label").all_inner_texts(), card.locator(".number").all_inner_texts(), strict=True))
    assert shown == {label: f"{100 * share:.1f} %" for label, share in wanted.ranking}  # type: ignore[union-attr]
    assert card.locator("img").get_attribute("alt") == photos[0].name
    assert opened.title() == "flowers · finegraft"
    assert opened.locator("#about").inner_text().startswith("Answers with 3 classes, right for ")
    assert "nothing is sent anywhere" in opened.locator("#private").inner_text()


def test_several_at_once_and_a_bad_one_among_them(opened: Any, photos: list[Path], tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_bytes(b"no photo at all")
    opened.set_input_files("#files", [*photos, tmp_path / "notes.jpg"])
    cards = answers(opened, 5)
    assert cards.first.locator("strong").inner_text() == "No answer"
    assert cards.first.locator(".doubt").inner_text() == "The content is not a photo: it looks like a text."
    assert opened.locator("#answers > li.wrong").count() == 1
    assert opened.locator("#note").inner_text() == ""
    opened.click("#clear")
    assert cards.count() == 0


def test_a_heat_map_lies_where_python_s_lies(opened: Any, photos: list[Path], trained: Run) -> None:
    made = bundle.load(trained.model)
    told = [np.asarray(Image.open(io.BytesIO(made.explain(photo).heatmap)))[..., 3] / 255 for photo in photos]
    hottest = max(range(len(photos)), key=lambda row: told[row].std())
    opened.set_input_files("#files", photos[hottest])
    card = answers(opened, 1).first
    card.locator(".look").click()
    until(opened, "document.querySelector('canvas.heat') !== null")
    assert card.locator(".strength input").is_visible()
    assert card.locator("canvas.heat").bounding_box() == card.locator(".photo img").bounding_box()
    alpha = opened.evaluate(
        """() => {
            const { width, height } = document.querySelector("canvas.heat");
            const { data } = document.querySelector("canvas.heat").getContext("2d").getImageData(0, 0, width, height);
            return { width, height, alpha: Array.from(data.filter((_, at) => at % 4 === 3)) };
        }"""
    )
    got = np.reshape(alpha["alpha"], (alpha["height"], alpha["width"])) / 255
    wanted = told[hottest]
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).mean() < 0.04  # browsers enlarge in their own way
    assert np.corrcoef(got.ravel(), wanted.ravel())[0, 1] > 0.95


def test_dropped_and_pasted_photos_are_answered(opened: Any, photos: list[Path]) -> None:
    drop_and_paste(opened, photos[1].read_bytes())
    assert answers(opened, 2).locator(".name").all_inner_texts() == ["paste.jpg", "drop.jpg"]
    first, second = opened.evaluate("said")
    assert first["told"] == second["told"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_screen_reader_meets_nothing_serious(site: Served, browser: Any, scheme: str, photos: list[Path]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with page_at(browser, site.url, color_scheme=scheme) as page:
        ready(page)
        page.set_input_files("#files", photos)
        answers(page, 4)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "files"
        found = Axe().run(page).response["violations"]
        assert [row["id"] for row in found if row["impact"] in ("serious", "critical")] == []


@pytest.fixture(scope="module")
def page(site: Served, browser: Any) -> Iterator[Any]:
    with page_at(browser, site.url) as opened:
        ready(opened)
        yield opened


def test_awkward_pictures_are_answered_as_in_python(page: Any, trained: Run, tmp_path: Path) -> None:
    predictor = bundle.load(trained.model)
    pictures = golden_set()
    for name, content in pictures.items():
        (tmp_path / name).write_bytes(content)
    files = [tmp_path / name for name in pictures]
    found = dict(zip(pictures, said(page, files), strict=True))
    assert {name for name, row in found.items() if "wrong" in row} == UNREAD
    assert "Save it as JPEG." in found["tiff.tif"]["wrong"]
    for file in files:
        if file.name not in UNREAD:
            wanted, told = predictor.judgement(file), found[file.name]["told"]
            assert apart(told, wanted.values, predictor.labels) <= TOLERANCE, file.name
            assert told["unsure"] == predictor.predict(file).unsure  # type: ignore[union-attr]


# Of Display P3, lit as by D50.
PRIMARIES = {
    b"rXYZ": (0.5151, 0.2412, -0.0011),
    b"gXYZ": (0.2920, 0.6922, 0.0419),
    b"bXYZ": (0.1571, 0.0666, 0.7841),
}


def display_p3() -> bytes:
    """The profile that phones write: sRGB's with other primaries."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    places = range(132, 132 + 12 * int.from_bytes(profile[128:132]), 12)
    tags = {bytes(profile[at : at + 4]): int.from_bytes(profile[at + 4 : at + 8]) for at in places}
    for name, values in PRIMARIES.items():
        written = b"".join(round(value * 65536).to_bytes(4, signed=True) for value in values)
        profile[tags[name] + 8 : tags[name] + 20] = written
    return bytes(profile)


def jpegs() -> dict[str, bytes]:
    """JPEGs of every kind that a decoder has a way of its own for, by name."""
    made = {name: content for name, content in golden_set().items() if name.endswith(".jpg")}
    for subsampling, progressive in itertools.product((0, 1, 2), (False, True)):
        options: dict[str, Any] = {"quality": 80, "subsampling": subsampling, "progressive": progressive}
        name = f"{subsampling}{'-progressive' if progressive else ''}"
        made |= {f"{side}-{name}": encoded(scene(7, (side, 2 * side // 3)), **options) for side in (3, 97, 401, 1601)}
        made[f"restarts-{name}"] = encoded(scene(8, (333, 222)), restart_marker_blocks=7, **options)
        made[f"tall-{name}"] = encoded(scene(9, (150, 900)), **options)
    made["wide-gamut"] = encoded(scene(10), icc_profile=display_p3())
    made["inks"] = encoded(scene(11).convert("CMYK"))
    return made


def others() -> dict[str, bytes]:
    """Photos that the browser decodes, by name."""
    picture, rng = scene(12, (300, 200)), np.random.default_rng(0)
    misty = picture.copy()
    misty.putalpha(Image.fromarray(rng.integers(0, 256, (200, 300), dtype=np.uint8)))
    golden = {name: content for name, content in golden_set().items() if not name.endswith(".jpg")}
    return {name: content for name, content in golden.items() if name not in UNREAD} | {
        "see-through.png": encoded(misty, "PNG"),
        "see-through grey.png": encoded(misty.convert("LA"), "PNG"),
        "see-through.webp": encoded(misty, "WEBP", lossless=True),
        "a see-through colour.png": encoded(picture.convert("P"), "PNG", transparency=7),
        "a see-through colour.gif": encoded(picture.convert("P"), "GIF", transparency=5),
        "avif.avif": encoded(picture, "AVIF"),
        **{f"turned-{turn}.png": encoded(picture, "PNG", orientation=turn) for turn in (3, 6)},
        **{f"turned-{turn}.webp": encoded(picture, "WEBP", orientation=turn) for turn in (3, 6)},
    }


PREPROCESSES = {
    "crop": Preprocess(224),
    "pad": Preprocess(64, "pad", interpolation="lanczos"),
    "squish": Preprocess(33, "squish", interpolation="bilinear"),
}
SQUARE = """async ([content, settings]) => {
    const { square } = await import(new URL("page/preprocess.js", document.baseURI));
    const pixels = await square(Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0)), settings);
    return [...new Uint8Array(await crypto.subtle.digest("SHA-256", pixels))];
}"""


@pytest.mark.parametrize("resize", PREPROCESSES)
def test_pixels_are_those_of_python_to_the_bit(page: Any, resize: str) -> None:
    preprocess = PREPROCESSES[resize]
    different = []
    for name, content in (jpegs() | others()).items():
        digest = page.evaluate(SQUARE, [base64.b64encode(content).decode(), preprocess.to_json()])
        if bytes(digest) != hashlib.sha256(preprocess.load(content).tobytes()).digest():
            different.append(name)
    assert different == []


CUT = {
    "jpeg": lambda: encoded(scene(1))[:-400],
    "progressive": lambda: encoded(scene(1), progressive=True)[:-400],
    "png": lambda: encoded(scene(1), "PNG")[:-4000],
    "webp": lambda: encoded(scene(1), "WEBP")[:-400],
    "gif": lambda: encoded(scene(1).convert("P"), "GIF")[:-4000],
    "bmp": lambda: encoded(scene(1), "BMP")[:-4000],
    "avif": lambda: encoded(scene(1), "AVIF")[:-400],
    "empty": lambda: b"",
    "drawing": lambda: b"<svg xmlns='a'/>",
    "zeros": lambda: encoded(scene(1))[:700] + bytes(2000),
}


@pytest.mark.parametrize("kind", CUT)
def test_what_python_refuses_is_refused(page: Any, trained: Run, kind: str, tmp_path: Path) -> None:
    content = CUT[kind]()
    (tmp_path / "photo").write_bytes(content)
    with pytest.raises(UnreadableFile):
        bundle.load(trained.model).predict(content)
    (row,) = said(page, [tmp_path / "photo"])
    assert "wrong" in row


TARGETS = {"category": Category(LABELS), "tags": Tags(LABELS), "number": Number()}


@pytest.mark.parametrize("kind", TARGETS)
def test_every_target_is_answered_as_in_python(site: Served, browser: Any, kind: str, photos: list[Path]) -> None:
    made = predictor(TARGETS[kind])
    web.write(made, site.folder.with_name(kind))
    ask = open_export(site.folder.with_name(kind))
    with page_at(browser, site.url.replace("flowers", kind)) as page:
        ready(page)
        for photo, row in zip(photos, said(page, photos), strict=True):
            wanted = made.predict(photo).to_json()
            del wanted["path"]
            assert row["told"].keys() == wanted.keys() | ({"interval", "value"} if kind == "number" else set())
            assert row["told"]["unsure"] == wanted["unsure"]
            np.testing.assert_allclose(numbers(row["told"]), numbers(wanted), atol=1e-5, rtol=1e-5)
            assert words(row["told"]) == words(wanted)
            if kind == "number":
                assert row["told"]["value"] == pytest.approx(float(ask(photo)[0]), rel=1e-5)
        page.set_input_files("#files", photos[0])
        shown = answers(page, 1).first.locator("strong").inner_text()
        wanted = made.predict(photos[0]).to_json()
        if kind == "tags":
            assert shown == (", ".join(row["label"] for row in wanted["labels"]) or "none of its tags")
        if kind == "category":
            assert shown == wanted["label"]


def numbers(told: dict[str, Any]) -> list[float]:
    """All numbers of an answer, in order."""
    rows = [row["probability"] for name in ("labels", "ranking") for row in told.get(name, [])]
    return [*rows, *(told.get("interval") or []), *([told["value"]] if "value" in told else [])]


def words(told: dict[str, Any]) -> list[str]:
    return [row["label"] for name in ("labels", "ranking") for row in told.get(name, [])]


def test_nothing_can_be_sent_anywhere(site: Served, browser: Any) -> None:
    """Not even by a script that tried: the policy of the page holds in its worker, which a control has not."""
    reached: list[str] = []

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # as its base class calls it
            reached.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *told: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as other, page_at(browser, site.url) as page:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        ready(page)
        (worker,) = page.workers
        for name, place in (("page", page), ("worker", worker)):
            address = f"http://127.0.0.1:{other.server_port}/{name}"
            assert place.evaluate(SENDING, address) == "TypeError"
        control = page.context.new_page()
        assert control.evaluate(SENDING, f"http://127.0.0.1:{other.server_port}/control") == "sent"
        other.shutdown()
    assert reached == ["/control"]


def test_a_folder_that_is_not_whole_is_said(site: Served, browser: Any, photos: list[Path]) -> None:
    broken = site.folder.with_name("broken")
    shutil.copytree(site.folder, broken)
    (broken / "model.onnx").unlink()
    with page_at(browser, site.url.replace("flowers", "broken")) as page:
        until(page, "document.getElementById('note').classList.contains('wrong')")
        note = page.locator("#note").inner_text()
        assert note == "model.onnx cannot be loaded. Is the whole folder on the server?"
        page.set_input_files("#files", photos[0])
        assert answers(page, 1).first.locator(".doubt").inner_text() == "The model did not load."
    write_atomically(broken / "model.onnx", (site.folder / "model.onnx").read_bytes()[:-1])
    with page_at(browser, site.url.replace("flowers", "broken")) as page:
        until(page, "document.getElementById('note').classList.contains('wrong')")
        assert page.locator("#note").inner_text() == "model.onnx did not arrive whole. Load the page again."


def test_a_page_opened_as_a_file_says_what_it_needs(site: Served, browser: Any) -> None:
    with page_at(browser, (site.folder / "index.html").as_uri()) as page:
        until(page, "getComputedStyle(document.getElementById('note')).visibility == 'visible'")
        assert "put the folder on a web server" in page.locator("#note").inner_text()


def test_the_folder_describes_itself_and_names_nobody_else(site: Served) -> None:
    wanted = {"index.html", "model.onnx", "model.json", "page", "runtime"}
    assert {path.name for path in site.folder.iterdir()} == wanted
    assert web.is_export(site.folder)
    told = json.loads((site.folder / "model.json").read_bytes())
    assert told["web"]["name"] == "flowers"
    assert told["web"]["runtime"] == {"package": "onnxruntime-web", "version": "1.30.0", "licence": "MIT"}
    for name, size in told["web"]["files"].items():
        assert (site.folder / name).stat().st_size == size
    for file in [site.folder / "index.html", *(site.folder / "page").iterdir()]:
        assert "://" not in file.read_text().replace("http://www.w3.org/2000/svg", ""), file
    page = (site.folder / "index.html").read_text()
    assert "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'" in page
    assert "style=" not in page
    assert "onclick" not in page


def with_novelty(offset: float) -> bytes:
    """A small graph that says how much larger than `offset` the features of a photo are, plus one."""
    model = small_model()
    nodes = [
        helper.make_node("ReduceL2", ["features"], ["length"], axes=[1], keepdims=0),
        helper.make_node("Sub", ["length", "offset"], ["novelty"]),
    ]
    model.graph.node.extend(nodes)
    model.graph.initializer.append(numpy_helper.from_array(np.float32(offset - 1), "offset"))
    model.graph.output.append(helper.make_tensor_value_info("novelty", TensorProto.FLOAT, ["n"]))
    return bytes(model.SerializeToString())


def test_what_is_unlike_the_training_data_is_said(site: Served, browser: Any, photos: list[Path]) -> None:
    lengths = Predictor(with_novelty(1), Preprocess(8), Category(LABELS), description())
    middle = float(np.median([lengths.judgement(photo).novelty for photo in photos]))
    made = Predictor(with_novelty(middle), Preprocess(8), Category(LABELS), description())
    wanted = [made.predict(photo).unsure for photo in photos]  # type: ignore[union-attr]
    assert set(wanted) == {None, "unlike training"}
    web.write(made, site.folder.with_name("novelty"))
    with page_at(browser, site.url.replace("flowers", "novelty")) as page:
        ready(page)
        assert [row["told"]["unsure"] for row in said(page, photos)] == wanted
        page.set_input_files("#files", photos[wanted.index("unlike training")])
        doubt = answers(page, 1).first.locator(".doubt").inner_text()
        assert doubt == "Unlike anything it learned from: no class may fit."


def test_a_phone_is_offered_its_camera(site: Served, browser: Any) -> None:
    with page_at(browser, site.url, viewport=WIDTHS["phone"], has_touch=True, is_mobile=True) as page:
        ready(page)
        assert page.locator("#shoot").is_visible()
        assert page.locator("#shot").get_attribute("capture") == "environment"
        assert not page.locator("#camera").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_export_is_replaced_whole(site: Served, trained: Run) -> None:
    place = site.folder.with_name("again")
    shutil.copytree(site.folder, place)
    (place / "model.onnx").write_bytes(b"older")
    export(trained, place, "web", force=True)
    assert (place / "model.onnx").read_bytes() == (site.folder / "model.onnx").read_bytes()
    assert json.loads((place / "model.json").read_bytes())["web"]["name"] == "again"
