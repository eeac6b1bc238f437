"""A few hundred requests of `benchmarks.fuzzing`, which `make accept` sends by the ten thousand."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator

import pytest
from PIL import Image

from benchmarks import mutations
from benchmarks.fuzzing import Verdict, by_description, by_photos, faults_of
from benchmarks.served import Answer, Server, serving
from tests.serving.making import bundle_at

pytestmark = pytest.mark.xdist_group("serving-fuzzing")
ENVELOPE = b'{"error": {"code": "empty", "message": "The body is empty."}}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("bundle")
    with serving(bundle_at(folder / "pets.fg"), "--feedback", folder / "verdicts.jsonl") as started:
        yield started
        assert started.complaints == []


def test_requests_made_from_the_description_find_no_fault(server: Server) -> None:
    verdict = Verdict()
    by_description(server, 240, 0, verdict, lambda: None)
    assert verdict.examples == []
    assert verdict.asked == 240
    assert {200, 400, 404, 415, 422} <= set(verdict.statuses)


def test_mutated_photos_find_no_fault(server: Server) -> None:
    verdict = Verdict()
    by_photos(server, 200, 0, verdict, lambda: None)
    assert verdict.examples == []
    assert verdict.asked == 200
    assert {200, 400, 413, 415} <= set(verdict.statuses)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Answer(200, "application/json", b"{}"), []),
        (Answer(400, "application/json", ENVELOPE), []),
        (Answer(400, "text/plain", ENVELOPE), ["envelope"]),
        (Answer(400, "application/json", b"{}"), ["envelope"]),
        (Answer(400, "application/json", b"no JSON"), ["envelope"]),
        (Answer(307, "application/json", b""), ["envelope", "undocumented"]),
        (Answer(500, "application/json", ENVELOPE), ["crashed", "undocumented"]),
        (Answer(418, "application/json", ENVELOPE), ["undocumented"]),
    ],
)
def test_what_is_a_fault(answer: Answer, found: list[str]) -> None:
    assert [kind for kind, _ in faults_of(answer, {200, 400})] == found


def test_an_answer_that_did_not_come_is_a_fault() -> None:
    verdict = Verdict()
    verdict.count(None, iter([("lost", "reset")]), "GET /")
    assert verdict.to_json()["wrong"] == 1
    assert verdict.examples == ["lost: GET /: reset"]


def test_photos_to_mutate_are_sound_and_mutations_the_same_each_time() -> None:
    for content in mutations.photos():
        with Image.open(io.BytesIO(content)) as opened:
            opened.load()
            assert opened.format == "ICO" or opened.size == (mutations.WIDTH, mutations.HEIGHT)
    one, two = ([mutations.request(random.Random(f"7/{n}")) for n in range(50)] for _ in range(2))
    assert one == two
    assert len({sent.content for sent in one}) > 40
