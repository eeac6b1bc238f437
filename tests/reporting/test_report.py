from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from finegraft.data.dataset import Dataset
from finegraft.errors import StorageError
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.recalls import of_classes
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.reporting import wording
from finegraft.reporting.material import Material
from finegraft.reporting.report import page_of, report
from finegraft.targets import Category, Number, Tags
from tests.making import photo
from tests.reporting.making import HOSTILE, evaluation_of, history_of, run_of
from tests.reporting.reading import Outline

FLOWERS = ("daisy", "rose", "tulip")


def written(source: Run | Evaluation, folder: Path) -> Outline:
    path = report(source, folder / "report.html")
    outline = Outline(path.read_text(encoding="utf-8"))
    assert outline.errors == []
    return outline


def test_the_verdict_says_how_good_on_what_and_what_was_left_out(tmp_path: Path) -> None:
    run = run_of(tmp_path, FLOWERS, left_out=[("notes.txt", "not a photo"), ("b.jpg", "cut off")])
    text = written(run, tmp_path).text
    accuracy = run.evaluation().accuracy
    assert accuracy.interval is not None
    low, high = (f"{100 * end:.1f}" for end in accuracy.interval)
    assert f"{100 * accuracy.value:.1f} % right {low}–{high} %" in text
    assert "Judged on 40 photos it has not seen." in text
    actual, predicted, times = run.evaluation().most_confused(2)[0]
    often = "twice" if times == 2 else f"{times} times"
    assert f"It most often takes {actual} for {predicted} ({often})." in re.sub(r"\s+(?=[.(])", " ", text).replace(
        " .", "."
    )
    assert "2 files were left out" in text
    assert "It learned 3 classes from 480 photos; the judged ones are the test part you gave." in text


def test_every_part_of_a_run_is_told(tmp_path: Path) -> None:
    outline = written(run_of(tmp_path, FLOWERS, left_out=[("notes.txt", "not a photo: text")]), tmp_path)
    headings = ["How good", "Where it errs", "Furthest off", "Class by class", "How it learned", "The data"]
    assert [a["id"] for a in outline.all("section")] == [
        "mistakes", "worst", "merits", "calibration", "unsure", "growth", "slices", "classes", "data", "learning",
        "making", "use",
    ]  # fmt: skip
    for words in (
        *headings, "Macro F1", "Calibration error", "notes.txt", "not a photo: text", "fedcba9876543210",
        "12 s", "16 s", "packages numpy", "temperature", "Same bytes.", "onnxruntime",
    ):  # fmt: skip
        assert words in outline.text
    figures = [s for s in outline.all("svg") if s.get("role") == "img" and s.get("class") != "photo"]
    assert len(figures) == 7  # strip, ruler, calibration, unsure, rate, error, loss
    assert len([s for s in outline.all("svg") if s.get("role") == "group"]) == 1  # the matrix, which holds links


def test_numbers_of_merit_are_those_of_the_run(tmp_path: Path) -> None:
    stored = {"accuracy": {"value": 0.5, "interval": [0.25, 0.75]}, "new_name": {"value": 1.25, "interval": None}}
    text = written(run_of(tmp_path, FLOWERS, metrics=stored), tmp_path).text
    assert "Share of right answers. 50.0 % 25.0–75.0 %" in text
    assert "New name 1.250 –" in text


def test_the_unsure_sentence_counts_the_judged_records(tmp_path: Path) -> None:
    run = run_of(tmp_path, FLOWERS, unsure_below=0.97)
    evaluation = run.evaluation()
    kept = evaluation.probabilities.max(axis=1) >= 0.97
    right = (evaluation.truth == evaluation.predicted)[kept].mean()
    assert (
        f"It calls {(~kept).sum()} of 40 answers unsure; of the other {kept.sum()}, {100 * right:.1f} % ("
        in written(run, tmp_path).text
    )


def test_pictures_of_the_worst_answers_are_upright_and_carry_no_exif(tmp_path: Path) -> None:
    outline = written(run_of(tmp_path, FLOWERS), tmp_path)
    images = outline.all("image")
    assert len(images) == 12
    for attributes in images:
        kind, _, content = str(attributes["href"]).partition(";base64,")
        decoded = base64.b64decode(content)
        photo = Image.open(io.BytesIO(decoded))
        assert kind == "data:image/webp"
        assert (attributes["width"], attributes["height"]) == (str(photo.width), str(photo.height))
        assert photo.width < photo.height  # the file lies on its side, its orientation tag says so
        assert b"Exif" not in decoded
    shown = [s for s in outline.all("svg") if s.get("class") == "photo"]
    assert all(str(s["aria-label"]).startswith("test/") for s in shown)
    assert {u["href"] for u in outline.all("use")} == {f"#{i['id']}" for i in images}
    assert len(shown) > len(images)  # each is held once, however often it is shown


def test_without_the_data_the_report_says_so_and_lists_the_worst_answers(tmp_path: Path) -> None:
    run = run_of(tmp_path, FLOWERS)
    shutil.rmtree(tmp_path / "data")
    outline = written(run, tmp_path)
    assert "No pictures: the data is no longer at" in outline.text
    assert run.evaluation().top_losses(1)[0].key in outline.text
    assert outline.all("image") == []


def test_a_photo_that_is_gone_or_broken_leaves_its_place_empty(tmp_path: Path) -> None:
    run = run_of(tmp_path, FLOWERS)
    worst = run.evaluation().top_losses(2)
    (tmp_path / "data" / worst[0].key).unlink()
    (tmp_path / "data" / worst[1].key).write_bytes(b"no photo")
    outline = written(run, tmp_path)
    assert len(outline.all("image")) == 10
    assert outline.text.count("no picture") == 2


def test_a_key_that_leads_out_of_the_data_is_not_followed(tmp_path: Path) -> None:
    run = run_of(tmp_path, FLOWERS, photos=False)
    evaluation = run.evaluation()
    outside = tmp_path / "secret.jpg"
    Image.new("RGB", (8, 8)).save(outside)
    keys = ("../secret.jpg", str(outside), *evaluation.keys[2:])
    run.write_evaluation(Evaluation(keys, evaluation.target, evaluation.truth, evaluation.probabilities))
    assert written(run, tmp_path).all("image") == []


def test_a_table_and_a_test_part_of_its_own_may_name_files_elsewhere(tmp_path: Path) -> None:
    run = run_of(tmp_path, FLOWERS, photos=False)
    evaluation = run.evaluation()
    (tmp_path / "beside.jpg").write_bytes(photo(1))
    (tmp_path / "elsewhere.jpg").write_bytes(photo(2))
    (tmp_path / "data" / "labels.csv").write_text("file,label\n")
    worst = [evaluation.keys.index(judged.key) for judged in evaluation.top_losses(2)]
    keys = list(evaluation.keys)
    keys[worst[0]], keys[worst[1]] = "../beside.jpg", str(tmp_path / "elsewhere.jpg")
    run.write_evaluation(Evaluation(tuple(keys), evaluation.target, evaluation.truth, evaluation.probabilities))
    stored, root = run.settings, str(tmp_path / "data")
    for changed, pictures in [
        ({"data": f"{root}/labels.csv", "root": root}, 2),
        ({"data": root, "root": root, "source": {"test": str(tmp_path)}}, 2),
        ({"data": root, "root": root, "source": {"test": None}}, 0),
        ({"data": f"{tmp_path}/beside.jpg", "root": root}, 0),
    ]:
        assert len(written(run.with_settings({**stored, **changed}), tmp_path).all("image")) == pictures, changed


def test_pictures_come_from_where_an_archive_was_unpacked(tmp_path: Path) -> None:
    run = run_of(tmp_path, FLOWERS)
    moved = tmp_path / "unpacked"
    (tmp_path / "data").rename(moved)
    changed = {**run.settings, "data": str(tmp_path / "set.zip"), "root": str(moved)}
    assert len(written(run.with_settings(changed), tmp_path).all("image")) == 12
    shutil.rmtree(moved)
    outline = written(run.with_settings(changed), tmp_path)
    assert outline.all("image") == []
    assert f"No pictures: the data is no longer at {tmp_path}/set.zip" in outline.text


def test_hostile_names_stay_text_everywhere(tmp_path: Path) -> None:
    left_out = [(f"train/{name}.jpg", f"why {name}") for name in HOSTILE]
    rows = [{"key": HOSTILE[0], "other": HOSTILE[1], "kind": HOSTILE[0], "score": 1.0, "note": HOSTILE[1]}]
    run = run_of(
        tmp_path,
        tuple(sorted(HOSTILE)),
        left_out=left_out,
        findings={HOSTILE[0]: 2},
        finding_rows=rows,
        command=HOSTILE[0],
        settings={HOSTILE[0]: HOSTILE[1]},
        environment={"platform": HOSTILE[0]},
    )
    outline = written(run, tmp_path)
    assert {"script", "b"} & {name for name, _ in outline.elements} == set()
    assert not [key for _, attributes in outline.elements for key in attributes if key.startswith("on")]
    assert "<script>alert(1)</script>" in outline.text
    assert "\u202e" not in outline.text


def test_the_policy_allows_its_own_style_and_embedded_pictures_only(tmp_path: Path) -> None:
    outline = written(run_of(tmp_path, FLOWERS), tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    policy = next(str(m["content"]) for m in outline.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"(?:src|href|url)\s*[=(]\s*[\"']?(?:https?:)?//", page)
    assert "style" not in {key for _, attributes in outline.elements for key in attributes}


def test_the_page_has_landmarks_and_tables_have_captions_and_scopes(tmp_path: Path) -> None:
    outline = written(run_of(tmp_path, FLOWERS), tmp_path)
    assert outline.all("html") == [{"lang": "en"}]
    for landmark in ("header", "nav", "main", "footer", "h1"):
        assert len(outline.all(landmark)) == 1, landmark
    assert len(outline.all("caption")) == len(outline.all("table")) > 5
    assert all(th.get("scope") in ("row", "col") for th in outline.all("th"))
    ids = [str(a["id"]) for _, a in outline.elements if "id" in a]
    assert len(ids) == len(set(ids))
    links = [str(a["href"]) for a in outline.all("a")]
    assert links
    assert {link[1:] for link in links} <= set(ids)


def test_a_bare_evaluation_has_fewer_sections_and_claims_less(tmp_path: Path) -> None:
    outline = written(evaluation_of(FLOWERS), tmp_path)
    assert [a["id"] for a in outline.all("section")] == [
        "mistakes", "worst", "merits", "calibration", "unsure", "classes", "data",
    ]  # fmt: skip
    assert "Judged on 120 records." in outline.text
    assert "has not seen" not in outline.text
    assert "finegraft predict" not in outline.text


def test_one_record_and_no_mistake(tmp_path: Path) -> None:
    evaluation = Evaluation(("a.jpg",), Category(("a", "b")), np.array([0]), np.array([[0.9, 0.1]]))
    text = written(evaluation, tmp_path).text
    assert "100.0 % right 20.7–100.0 %" in text
    assert "It made no mistake here." in text
    assert "Every answer was right" in text
    assert "none judged" in text


def test_parts_that_are_missing_are_said_to_be(tmp_path: Path) -> None:
    run = run_of(tmp_path, FLOWERS)
    (run.path / "log.jsonl").unlink()
    (run.path / "lr.json").unlink()
    kept = {key: run.settings[key] for key in ("data", "modality", "target")}
    run.write_settings(kept)
    text = written(run, tmp_path).text
    for words in ("No epoch was recorded", "No learning-rate curve was recorded.", "No file was left out."):
        assert words in text
    assert "How long it took was not recorded." in text


def test_a_given_rate_is_named_where_no_curve_was_drawn(tmp_path: Path) -> None:
    run = run_of(tmp_path, FLOWERS)
    (run.path / "lr.json").unlink()
    assert "The learning rate 0.0015 was given, so none was searched for." in written(run, tmp_path).text


def test_long_lists_fold_and_a_thousand_classes_fit(tmp_path: Path) -> None:
    left_out = [(f"train/{i}.txt", "not a photo") for i in range(1500)]
    outline = written(run_of(tmp_path, FLOWERS, left_out=left_out), tmp_path)
    assert "1,488 more files" in outline.text
    assert "The rest of the 1,500 are in manifest.jsonl." in outline.text
    many = evaluation_of([f"class {i:04d}" for i in range(1000)], n=3000)
    assert "Each of the 1,000 classes, the worst first" in written(many, tmp_path).text
    assert (tmp_path / "report.html").stat().st_size < 2_000_000


def test_counts_of_the_data_are_those_of_the_manifest(tmp_path: Path) -> None:
    run = run_of(tmp_path, FLOWERS)
    dataset = run.dataset()
    rows = [
        f"{c} {sum(r.label == c for r in dataset.part('train'))} {sum(r.label == c for r in dataset.part('test'))}"
        for c in FLOWERS
    ]
    text = written(run, tmp_path).text
    assert all(row in text for row in rows)
    assert "All 48 40 88" in text


def test_the_commands_are_quoted_for_the_shell(tmp_path: Path) -> None:
    run = run_of(tmp_path / "it's my run", FLOWERS)
    assert "finegraft predict '" in written(run, tmp_path).text
    assert "'\"'\"'s my run/run' photo.jpg" in written(run, tmp_path).text


def test_a_report_is_the_same_each_time_and_replaces_the_last(tmp_path: Path) -> None:
    run = run_of(tmp_path, FLOWERS)
    first = report(run, run.report).read_bytes()
    assert report(run, run.report).read_bytes() == first


def test_where_nothing_can_be_written_the_error_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="Free some space or choose a folder you can write to"):
        report(evaluation_of(FLOWERS), tmp_path / "file" / "report.html")


def test_an_empty_manifest_is_told(tmp_path: Path) -> None:
    run = run_of(tmp_path, FLOWERS)
    run.write_dataset(Dataset((), tmp_path / "data", "vision"))
    assert "No file was left out." in written(run, tmp_path).text


def test_every_epoch_is_listed(tmp_path: Path) -> None:
    text = written(run_of(tmp_path, FLOWERS), tmp_path).text
    for place, row in enumerate(history_of(8), start=1):
        assert f"{place} {row['train_loss']:.3f} {row['valid_loss']:.3f} {100 * row['error_rate']:.1f} % 0.5 s" in text


def test_a_found_rate_stands_among_the_settings_and_what_was_not_set_is_left_out(tmp_path: Path) -> None:
    run = run_of(tmp_path, FLOWERS, settings={"lr": None, "size": None, "seed": 3}, lr=0.00125)
    text = written(run, tmp_path).text
    assert "learning rate 0.00125" in text
    assert "size –" not in text


def test_how_photos_are_prepared_stands_apart_from_the_backbone(tmp_path: Path) -> None:
    preprocess = {"size": 256, "decoder": {"decoder": "Pillow", "jpg": "libjpeg-turbo 3.0"}}
    text = written(run_of(tmp_path, FLOWERS, preprocess=preprocess), tmp_path).text
    assert "Photos as the model sees them size 256" in text
    assert "Decoder decoder Pillow jpg libjpeg-turbo 3.0" in text


def test_files_left_out_are_listed_once(tmp_path: Path) -> None:
    rows = [
        {"key": "broken.jpg", "other": None, "kind": "unreadable", "score": 1.0, "note": "Cut off."},
        {"key": "b.jpg", "other": "a.jpg", "kind": "exact-copy", "score": 1.0, "note": "Same bytes."},
    ]
    run = run_of(tmp_path, FLOWERS, left_out=[("broken.jpg", "It is cut off.")], finding_rows=rows)
    text = written(run, tmp_path).text
    assert text.count("broken.jpg") == 1
    assert "Every finding (1)" in text


@pytest.mark.parametrize(("folder", "quoted"), [("run", '"run/model.fg"'), ('a"b', "'a\"b/model.fg'")])
def test_the_python_lines_use_double_quotes_where_they_can(tmp_path: Path, folder: str, quoted: str) -> None:
    run = run_of(tmp_path, FLOWERS)
    material = replace(Material.of(run), folder=Path(folder))
    assert f"fg.load({quoted}).predict" in Outline(page_of(material)).text


def test_tags_and_numbers_have_pages_of_their_own(tmp_path: Path) -> None:
    tags = TagsEvaluation(("a.jpg", "b.jpg"), Tags(("red", "round")), np.eye(2), np.array([[0.9, 0.2], [0.1, 0.8]]))
    numbers = NumberEvaluation(("a.jpg", "b.jpg", "c.jpg"), Number(), np.arange(3.0), np.array([0.1, 1.2, 1.9]))
    assert "round" in Outline(report(tags, tmp_path / "tags.html").read_text()).text
    assert "c.jpg" in Outline(report(numbers, tmp_path / "numbers.html").read_text()).text


def test_two_classes_have_their_curves_and_three_have_none(tmp_path: Path) -> None:
    assert "ranking" in {a["id"] for a in written(evaluation_of(("no", "yes")), tmp_path).all("section")}
    assert "ranking" not in {a["id"] for a in written(evaluation_of(("a", "b", "c")), tmp_path).all("section")}


def test_of_records_that_belong_together_every_interval_of_a_class_is_by_cluster() -> None:
    """Ten photos of each of twelve people, all right or all wrong: twelve pieces of evidence, not 120."""
    labels, people = FLOWERS, np.repeat(np.arange(12), 10)
    truth = people % len(labels)
    answers = np.where(people < len(labels), (truth + 1) % len(labels), truth)
    probabilities = np.full((120, len(labels)), 0.1 / (len(labels) - 1))
    probabilities[np.arange(120), answers] = 0.9
    keys = tuple(f"{i}.jpg" for i in range(120))
    alone = Evaluation(keys, Category(tuple(labels)), truth, probabilities)
    together = replace(alone, groups=tuple(f"person {p}" for p in people))
    for recall in of_classes(together):
        assert recall.effect > 2
        between = wording.percent_range(recall.interval)
        assert between in page_of(Material(together))
        assert between not in page_of(Material(alone))
