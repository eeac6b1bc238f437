"""The API as its clients see it."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import finegraft as fg
from finegraft.data.contents import digest_of
from finegraft.inference.prediction import Prediction
from finegraft.serving.limits import Limits
from tests.inference.making import LABELS, description, predictor
from tests.making import photo
from tests.serving.making import Fixed, api, bundle_at

PHOTO = photo(1)
OTHER_PART = b'--x\r\ncontent-disposition: form-data; name="other"\r\n\r\n1\r\n--x--\r\n'


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_at(tmp_path_factory.mktemp("bundle") / "pets.fg")


def wanted(bundle: Path, content: bytes) -> dict[str, Any]:
    told = fg.load(bundle).predict(content).to_json()
    del told["path"]
    return told


def test_a_photo_is_answered_as_the_bundle_answers_it(bundle: Path) -> None:
    with api(bundle) as (client, _):
        answer = client.post("/v1/predict", content=PHOTO)
    assert answer.status_code == 200
    told = answer.json()
    assert told["model"]["name"] == "pets"
    (row,) = told["predictions"]
    assert row.pop("name") is None
    assert row.pop("digest") == digest_of(PHOTO)
    assert row == wanted(bundle, PHOTO)


@pytest.mark.parametrize("kind", ["image/jpeg", "application/x-www-form-urlencoded", "text/plain", ""])
def test_what_a_client_calls_a_photo_is_not_believed(bundle: Path, kind: str) -> None:
    with api(bundle) as (client, _):
        answer = client.post("/v1/predict", content=PHOTO, headers={"content-type": kind} if kind else {})
    assert answer.status_code == 200


def test_one_bad_file_of_many_gives_one_error_and_the_other_answers(bundle: Path) -> None:
    contents = [photo(seed) for seed in range(31)]
    files = [("file", (f"{n}.jpg", content)) for n, content in enumerate(contents)]
    files.insert(7, ("file", ("bad.jpg", b"no photo at all")))
    with api(bundle) as (client, _):
        answer = client.post("/v1/predict?top=2", files=files)
    assert answer.status_code == 200
    rows = answer.json()["predictions"]
    assert [row["name"] for row in rows] == [name for _, (name, _) in files]
    bad = rows.pop(7)
    assert bad["error"]["code"] == "not-a-photo"
    for row, content in zip(rows, contents, strict=True):
        assert row["label"] == wanted(bundle, content)["label"]
        assert len(row["ranking"]) == 2


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "empty"),
        (b"no photo at all", 415, "not-a-photo"),
        (PHOTO[: len(PHOTO) // 2], 400, "unreadable"),
    ],
)
def test_a_single_file_that_cannot_be_answered_is_an_error_of_the_request(
    bundle: Path, content: bytes, status: int, code: str
) -> None:
    with api(bundle) as (client, _):
        answer = client.post("/v1/predict", content=content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.json()["error"]) == {"code", "message"}


def test_a_photo_of_too_many_pixels_is_refused_before_it_is_decoded(bundle: Path) -> None:
    file = io.BytesIO()
    Image.new("1", (9000, 9000)).save(file, "PNG")
    with api(bundle) as (client, _):
        started = time.perf_counter()
        answer = client.post("/v1/predict", content=file.getvalue())
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too-large")
    assert time.perf_counter() - started < 2


def test_bodies_are_refused_by_what_they_announce_and_by_what_comes(bundle: Path) -> None:
    limits = Limits(body=10_000)

    def pieces() -> Any:
        for _ in range(20):
            yield b"x" * 1000

    with api(bundle, limits=limits) as (client, _):
        for content in (b"x" * 10_001, pieces()):
            answer = client.post("/v1/predict", content=content)
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too-large")
            assert answer.headers["connection"] == "close"
        files = [("file", ("a.jpg", b"x" * 12_000))]
        assert client.post("/v1/predict", files=files).status_code == 413


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b'{"rows": []}', "application/json", 415, "unsupported"),
        (b"no parts", "multipart/form-data", 400, "bad-multipart"),
        (b"no parts", "multipart/form-data; boundary=x", 400, None),
        (OTHER_PART, "multipart/form-data; boundary=x", 400, "no-file"),
    ],
)
def test_bodies_of_another_kind_are_refused(
    bundle: Path, content: bytes, kind: str, status: int, code: str | None
) -> None:
    with api(bundle) as (client, _):
        answer = client.post("/v1/predict", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert code is None or answer.json()["error"]["code"] == code


def test_more_files_than_a_request_may_have_are_refused(bundle: Path) -> None:
    with api(bundle, limits=Limits(files=3)) as (client, _):
        answer = client.post("/v1/predict", files=[("file", (f"{n}.jpg", PHOTO)) for n in range(4)])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad-multipart")


@pytest.mark.parametrize("top", ["0", "-1", "x", "1.5", "9999999999", "١", "", "0000001" + "9" * 5000])
def test_a_parameter_that_is_none_is_refused(bundle: Path, top: str) -> None:
    with api(bundle) as (client, _):
        answer = client.post("/v1/predict", params={"top": top}, content=PHOTO)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad-parameter")


def test_several_models_answer_by_name_and_the_first_without(bundle: Path, tmp_path: Path) -> None:
    other = bundle_at(tmp_path / "bears.fg", seed=3)
    with api(bundle, other) as (client, _):
        first, second = (client.post(f"/v1/{path}predict", content=PHOTO) for path in ("", "models/bears/"))
        unknown = client.post("/v1/models/cats/predict", content=PHOTO)
        listed = client.get("/v1/models").json()["models"]
    assert (first.json()["model"]["name"], second.json()["model"]["name"]) == ("pets", "bears")
    assert first.json()["model"]["digest"] == listed["pets"]["digest"] != listed["bears"]["digest"]
    assert second.json()["predictions"][0]["probability"] == wanted(other, PHOTO)["probability"]
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "no-such-model")


def test_a_model_tells_of_itself(bundle: Path) -> None:
    with api(bundle) as (client, _):
        told = client.get("/v1/model").json()
        assert client.get("/v1/models/pets").json() == told
    assert told["labels"] == list(LABELS)
    assert told["kind"] == "category"
    assert "## How good it is" in told["card"]


def test_it_is_ready_once_the_models_were_checked_and_until_it_drains(bundle: Path) -> None:
    with api(bundle, load=False) as (client, made):
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        assert client.post("/v1/predict", content=PHOTO).json()["error"]["code"] == "not-ready"
        made.models["pets"].load()
        assert client.get("/readyz").json() == {"status": "ready", "models": ["pets"]}
        made.draining = True
        assert client.get("/readyz").status_code == 503
        answer = client.post("/v1/predict", content=PHOTO)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "shutting-down")
        assert client.get("/healthz").status_code == 200


def test_without_the_token_nothing_is_told_but_whether_it_lives(bundle: Path) -> None:
    with api(bundle, token="a secret") as (client, _):
        right, wrong = ({"authorization": f"Bearer {token}"} for token in ("a secret", "a guess"))
        for headers in ({}, wrong, {"authorization": "a secret"}):
            answer = client.post("/v1/predict", content=PHOTO, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert [client.get(path).status_code for path in ("/metrics", "/v1/model", "/openapi.json")] == [401] * 3
        assert [client.get(path).status_code for path in ("/healthz", "/readyz")] == [200] * 2
        assert client.post("/v1/predict", content=PHOTO, headers=right).status_code == 200


def test_a_full_queue_says_so_at_once_and_takes_more_later(bundle: Path) -> None:
    with api(bundle, limits=Limits(queue=3), workers=1) as (client, made):
        loaded = made.models["pets"].loaded
        assert loaded is not None
        fixed = Fixed(loaded.predictor)
        object.__setattr__(loaded, "predictor", fixed)
        answers: list[int] = []
        posting = [
            threading.Thread(target=lambda: answers.append(client.post("/v1/predict", content=PHOTO).status_code))
            for _ in range(3)
        ]
        for thread in posting:
            thread.start()
        end = time.monotonic() + 20
        while made._answerer.taken < 3 and time.monotonic() < end:
            time.sleep(0.01)
        refused = client.post("/v1/predict", content=PHOTO)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "queue-full")
        assert refused.headers["retry-after"] == "1"
        assert "finegraft_queue_files 3.0" in client.get("/metrics").text
        fixed.go.set()
        for thread in posting:
            thread.join(30)
        assert answers == [200] * 3
        assert client.post("/v1/predict", content=PHOTO).status_code == 200


def test_an_answer_that_takes_too_long_is_given_up(bundle: Path) -> None:
    with api(bundle, limits=Limits(seconds=0.2), workers=1) as (client, made):
        loaded = made.models["pets"].loaded
        assert loaded is not None
        fixed = Fixed(loaded.predictor)
        object.__setattr__(loaded, "predictor", fixed)
        answer = client.post("/v1/predict", content=PHOTO)
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "too-late")
        fixed.go.set()


def test_what_goes_wrong_inside_is_told_without_its_inside(bundle: Path) -> None:
    with api(bundle) as (client, made):
        loaded = made.models["pets"].loaded
        assert loaded is not None
        object.__setattr__(loaded, "predictor", None)
        answer = client.post("/v1/predict", content=PHOTO)
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
        assert answer.headers["x-request-id"] in answer.json()["error"]["message"]
        assert "NoneType" not in answer.text


def test_it_counts_what_it_does(bundle: Path) -> None:
    with api(bundle) as (client, _):
        label = client.post("/v1/predict", content=PHOTO).json()["predictions"][0]["label"]
        client.post("/v1/predict", content=b"no photo")
        client.get("/nowhere")
        told = client.get("/metrics")
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = told.text.splitlines()
    assert 'finegraft_requests_total{route="/v1/predict",status="200"} 1.0' in lines
    assert 'finegraft_requests_total{route="/v1/predict",status="415"} 1.0' in lines
    assert 'finegraft_requests_total{route="other",status="404"} 1.0' in lines
    assert f'finegraft_answers_total{{label="{label}",model="pets"}} 1.0' in lines
    assert 'finegraft_file_errors_total{code="not-a-photo",model="pets"} 1.0' in lines
    assert 'finegraft_probability_count{model="pets"} 1.0' in lines


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/predict", 405), ("POST", "/healthz", 405)])
def test_other_methods_and_places_have_the_same_envelope(bundle: Path, method: str, path: str, status: int) -> None:
    with api(bundle) as (client, _):
        answer = client.request(method, path)
        assert answer.status_code == status
        assert answer.json()["error"]["code"] == "wrong-method"
        assert client.get("/nowhere").json()["error"]["code"] == "no-such-route"
        for header in ("x-content-type-options", "x-request-id", "cache-control"):
            assert header in answer.headers
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/healthz/", "/v1/models/", "/v1/predict/"])
def test_a_path_with_a_stroke_too_many_is_none_and_leads_nowhere(bundle: Path, path: str) -> None:
    with api(bundle) as (client, _):
        answer = client.get(path, headers={"host": "elsewhere.example"}, follow_redirects=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no-such-route")
    assert "location" not in answer.headers


VERDICT = {"digest": "abc123", "label": LABELS[0], "right": True}


def test_verdicts_are_kept_a_line_each_and_nothing_of_the_photo(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    with api(bundle, feedback=path) as (client, _):
        assert client.get("/v1/models").json()["feedback"] is True
        told = client.post("/v1/predict", content=PHOTO).json()["predictions"][0]
        other = next(label for label in LABELS if label != told["label"])
        verdict = {"digest": told["digest"], "label": told["label"], "right": False, "wanted": other}
        assert client.post("/v1/feedback", json=verdict).json() == {"kept": True}
        assert client.post("/v1/models/pets/feedback", json=VERDICT).status_code == 200
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["right"] for row in rows] == [False, True]
    assert set(rows[0]) == {"time", "model", "digest", "label", "right", "wanted"}
    assert rows[0]["digest"] == digest_of(PHOTO)
    assert rows[0]["model"]["name"] == "pets"


@pytest.mark.parametrize(
    "verdict",
    [
        b"no json",
        b"[1]",
        b"[" * 2000,
        {**VERDICT, "digest": "../../etc"},
        {**VERDICT, "digest": ""},
        {**VERDICT, "label": "zebra"},
        {**VERDICT, "right": "yes"},
        {**VERDICT, "label": []},
        {**VERDICT, "label": None},
        {**VERDICT, "wanted": LABELS[1]},
        {**VERDICT, "right": False, "wanted": {}},
        {**VERDICT, "right": False, "wanted": "zebra"},
        {},
    ],
)
def test_what_is_no_verdict_is_refused_and_not_kept(bundle: Path, tmp_path: Path, verdict: Any) -> None:
    path = tmp_path / "feedback.jsonl"
    content = verdict if isinstance(verdict, bytes) else json.dumps(verdict).encode()
    with api(bundle, feedback=path) as (client, _):
        answer = client.post("/v1/feedback", content=content)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad-feedback")
        assert client.post("/v1/feedback", content=b" " * 100_000).status_code == 413
    assert path.read_bytes() == b""


def test_without_a_file_for_them_there_is_no_place_for_verdicts(bundle: Path) -> None:
    with api(bundle) as (client, _):
        assert client.get("/v1/models").json()["feedback"] is False
        assert client.post("/v1/feedback", json=VERDICT).status_code == 404
        assert "/v1/feedback" not in client.get("/openapi.json").json()["paths"]


def test_the_bytes_of_all_requests_together_have_a_limit_and_are_given_back(bundle: Path) -> None:
    limits = Limits(held=len(PHOTO) + 10)
    with api(bundle, limits=limits) as (client, made):
        for _ in range(3):
            assert client.post("/v1/predict", content=PHOTO).status_code == 200
        with made._room.guest() as other:
            other.take(20)
            answer = client.post("/v1/predict", content=PHOTO)
            assert (answer.status_code, answer.json()["error"]["code"]) == (429, "queue-full")
        assert client.post("/v1/predict", content=PHOTO).status_code == 200
        assert made._room._held == 0


def test_the_description_names_every_route_and_status_it_may_answer_with(bundle: Path) -> None:
    with api(bundle) as (client, _):
        document = client.get("/openapi.json").json()
        for path in document["paths"]:
            for method in document["paths"][path]:
                answer = client.request(method, path.replace("{name}", "pets"), content=PHOTO)
                assert str(answer.status_code) in document["paths"][path][method]["responses"]
    assert json.dumps(document)
    assert document["openapi"] == "3.1.0"


def test_a_heat_map_comes_with_the_answer_where_it_is_asked_for(bundle: Path) -> None:
    with api(bundle) as (client, made):
        row = client.post("/v1/predict?explain=true&top=1", content=PHOTO).json()["predictions"][0]
        plain = client.post("/v1/predict?top=1&explain=false", content=PHOTO).json()["predictions"][0]
        kind, _, encoded = row.pop("heatmap").partition(",")
        assert row == plain
        assert kind == "data:image/png;base64"
        with Image.open(io.BytesIO(base64.b64decode(encoded, validate=True))) as picture:
            assert (picture.format, picture.mode) == ("PNG", "RGBA")
        assert 'finegraft_answers_total{label="' in made.metrics.text().decode()


def test_of_several_files_each_has_its_heat_map_or_its_error(bundle: Path) -> None:
    parts = [("file", ("a.jpg", PHOTO)), ("file", ("b.jpg", b"none")), ("file", ("c.jpg", PHOTO))]
    with api(bundle) as (client, _):
        rows = client.post("/v1/predict?explain=true", files=parts).json()["predictions"]
    assert ["heatmap" in row for row in rows] == [True, False, True]
    assert rows[1]["error"]["code"] == "not-a-photo"


def test_a_model_that_cannot_tell_where_it_looked_says_so(tmp_path: Path) -> None:
    predictor().save(tmp_path / "plain.fg")
    with api(tmp_path / "plain.fg") as (client, _):
        told = client.post("/v1/predict?explain=true", content=PHOTO)
        assert (told.status_code, told.json()["error"]["code"]) == (422, "no-heatmap")
        assert client.post("/v1/predict", content=PHOTO).status_code == 200


@pytest.mark.parametrize("given", ["yes", "1", "TRUE", ""])
def test_explain_is_true_or_false(bundle: Path, given: str) -> None:
    with api(bundle) as (client, _):
        told = client.post(f"/v1/predict?explain={given}", content=PHOTO)
    assert (told.status_code, told.json()["error"]["code"]) == (422, "bad-parameter")


def test_it_tells_how_far_answers_drift_from_the_judged_ones(tmp_path: Path) -> None:
    scores = {"edges": [0.5], "shares": [0.5, 0.5]}
    bundle_at(tmp_path / "old.fg", description=description(scores=scores))
    bundle_at(tmp_path / "unjudged.fg")
    with api(tmp_path / "old.fg", tmp_path / "unjudged.fg") as (client, made):

        def drift() -> list[str]:
            lines = client.get("/metrics").text.splitlines()
            return [line for line in lines if line.startswith("finegraft_score_drift")]

        client.post("/v1/models/unjudged/predict", content=PHOTO)
        assert drift() == []
        loaded = made.models["old"].loaded
        assert loaded is not None
        sure = Prediction("ant", 0.9, (("ant", 0.9), ("Bee", 0.1)))
        for _ in range(99):
            made.metrics.count(loaded, sure)
        assert drift() == ['finegraft_score_drift{model="old"} NaN']
        client.post("/v1/predict", content=PHOTO)
        (line,) = drift()
        assert 0 < float(line.split()[-1]) < 10
        for _ in range(250):
            made.metrics.count(loaded, sure)
        for _ in range(250):
            made.metrics.count(loaded, replace(sure, ranking=(("ant", 0.4), ("Bee", 0.3))))
        assert drift() == ['finegraft_score_drift{model="old"} 0.0']
        bundle_at(tmp_path / "old.fg", seed=1, description=description(scores=scores))
        made.models["old"].load()
        client.post("/v1/predict", content=PHOTO)
        assert drift() == ['finegraft_score_drift{model="old"} NaN']
