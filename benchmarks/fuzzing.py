"""Thousands of requests that nobody should send, against a real server: `python -m benchmarks.fuzzing MODEL.fg`.

    python -m benchmarks.fuzzing MODEL.fg [--requests 10000] [--seed 0]

Half of them schemathesis makes from the server's own description, valid and not, some under another method, at another
path or with odd headers; half are mutated photos (`benchmarks.mutations`). Prints one JSON object: how many were
`asked`, the `statuses` that came back, how often each of the `faults` was found, the first `examples` of them, and
their number, `wrong`:

    crashed       a status of 500 or more
    envelope      an error in another form than {"error": {"code", "message"}}
    undocumented  a status, type or shape of answer that the description does not name
    lost          no answer
    down          the server has ended, says it is not alive, or answers a known photo in another way than at first
    complaint     its log tells of an error, or holds a line that is no JSON
"""

from __future__ import annotations

import argparse
import collections
import copy
import http.client
import itertools
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from benchmarks import mutations
from benchmarks.served import PATIENCE, Answer, Server, serving
from tests.making import photo

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "X")
HEADERS: tuple[dict[str, str], ...] = (
    {"Host": "["},
    {"Host": ""},
    {"Host": "a" * 5000},
    {"Accept": "text/html;q=x"},
    {"Accept-Encoding": "\xff"},
    {"Range": "bytes=0-"},
    {"Authorization": "Bearer \xe9"},
    {"Content-Encoding": "gzip"},
    {"Connection": "upgrade", "Upgrade": "h2c"},
    {"Connection": "close"},
    {"Cookie": "a=b; " * 16_000},
    {"Expect": "the unexpected"},
    {"X-Forwarded-For": "; drop table"},
    {"X-HTTP-Method-Override": "DELETE"},
)
SUFFIXES = (
    "",
    "",
    "",
    "/",
    "//",
    "%00",
    "%ff",
    "/..",
    ";x",
    "?top=0000001" + "9" * 5000,
    "?top=%D9%A1",
    "?" + "&" * 9000,
)
ROUND, CLIENTS, EXAMPLES, LONGEST = 10, 4, 20, 3600.0


@dataclass
class Verdict:
    """What was asked, and what was wrong with the answers."""

    asked: int = 0
    statuses: collections.Counter[int] = field(default_factory=collections.Counter)
    faults: collections.Counter[str] = field(default_factory=collections.Counter)
    examples: list[str] = field(default_factory=list)

    def count(self, answer: Answer | None, found: Iterator[tuple[str, str]], request: str) -> None:
        """One answer, None for none, and its faults."""
        self.asked += 1
        if answer is not None:
            self.statuses[answer.status] += 1
        for kind, words in found:
            self.add(kind, f"{request}: {words}")

    def add(self, kind: str, words: str) -> None:
        """One fault."""
        self.faults[kind] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{kind}: {words[:400]}")

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        statuses = {str(status): count for status, count in sorted(self.statuses.items())}
        wrong = sum(self.faults.values())
        return {"asked": self.asked, "wrong": wrong, "statuses": statuses, "faults": dict(self.faults)} | {
            "examples": self.examples
        }


def faults_of(answer: Answer, documented: set[int], head: bool = False) -> Iterator[tuple[str, str]]:
    """(kind, words) of each; `head` is whether it was asked for its head alone."""
    if answer.status >= 500:
        yield "crashed", f"{answer.status} {answer.content[:200]!r}"
    if answer.status >= 300 and not head and answer.code is None:
        yield "envelope", f"{answer.status} {answer.kind} {answer.content[:200]!r}"
    if answer.status not in documented:
        yield "undocumented", f"status {answer.status}"


class Guard:
    """Asks now and then whether the server is still the one it was."""

    def __init__(self, server: Server, verdict: Verdict) -> None:
        self._server, self._verdict = server, verdict
        self._content = photo(1)
        self._wanted = server.predict(self._content).content
        self._end = time.monotonic() + LONGEST

    def look(self) -> None:
        """Count what is wrong. Raises `TimeoutError` where all this takes too long."""
        if time.monotonic() > self._end:
            raise TimeoutError(f"{self._verdict.asked} requests took more than {LONGEST:g} seconds.")
        if self._server.process.poll() is not None:
            raise ChildProcessError(f"The server ended: {self._server.complaints[-3:]}")
        try:
            alive = self._server.ask("GET", "/healthz").status == 200
            same = self._server.predict(self._content).content == self._wanted
        except (OSError, http.client.HTTPException) as error:
            self._verdict.add("down", repr(error))
            return
        if not (alive and same):
            self._verdict.add("down", f"alive {alive}, answers as at first {same}")


def known(document: dict[str, Any], model: dict[str, Any]) -> dict[str, Any]:
    """The description, with the name and the labels that this server knows: else hardly a request gets past them."""
    changed = copy.deepcopy(document)
    for path, operations in changed["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] == "name":
                    parameter["schema"]["enum"] = [model["name"]]
            if path.endswith("/feedback"):
                verdict = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
                verdict["digest"]["enum"] = ["0123456789abcdef"]
                verdict["label"]["enum"] = model["labels"]
                verdict["wanted"]["enum"] = [*model["labels"], None]
    return changed


def by_description(server: Server, count: int, seed: int, verdict: Verdict, look: Callable[[], None]) -> None:
    """`count` requests from the description, round after round over all operations; `look` is called between."""
    document = server.ask("GET", "/openapi.json").told
    model = server.ask("GET", "/v1/model").told
    schemas = [schemathesis.openapi.from_dict(each) for each in (document, known(document, model))]
    operations = [found.ok() for schema in schemas for found in schema.get_all_operations()]
    kinds = list(itertools.product(operations, (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)))
    dice, end = random.Random(seed), verdict.asked + count
    with requests.Session() as session:
        for number in itertools.count():
            operation, mode = kinds[number % len(kinds)]

            def ask(case: Case) -> None:
                if verdict.asked < end:
                    _ask(session, server, case, dice, verdict)

            made = given(case=operation.as_strategy(generation_mode=mode))(ask)
            made = settings(
                max_examples=ROUND,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )(made)
            try:
                seeded(f"{seed}/{number}")(made)()
            except Unsatisfiable:  # nothing can be wrong with a request that has no parameters and no body
                kinds.remove((operation, mode))
            if verdict.asked >= end:
                return
            if number % 20 == 0:
                look()


def _ask(session: requests.Session, server: Server, case: Case, dice: random.Random, verdict: Verdict) -> None:
    given_ = case.as_transport_kwargs(base_url=f"http://{server.host}:{server.port}")
    plain = dice.random() < 0.7
    if not plain:
        given_["method"] = dice.choice((given_["method"], dice.choice(METHODS)))
        given_["url"] += dice.choice(SUFFIXES)
        given_["headers"] = {**given_["headers"], **dice.choice(HEADERS)}
    request = f"{given_['method']} {given_['url'][:200]} {dict(given_['headers'])!r:.200}"
    try:
        response = session.request(**given_, timeout=PATIENCE, allow_redirects=False)
    except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, UnicodeError):
        return  # it was never sent
    except requests.RequestException as error:
        verdict.count(None, iter([("lost", repr(error))]), request)
        return
    kind = response.headers.get("content-type", "").partition(";")[0]
    answer = Answer(response.status_code, kind, response.content)
    documented = {int(status) for status in case.operation.definition.raw["responses"]} | {404, 405}
    found = faults_of(answer, documented if plain else documented | {400, 422}, given_["method"] == "HEAD")
    verdict.count(answer, found, request)
    if plain:
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as error:
            for failure in error.exceptions:
                verdict.add("undocumented", f"{request}: {failure}")


def by_photos(server: Server, count: int, seed: int, verdict: Verdict, look: Callable[[], None]) -> None:
    """`count` mutated photos by a few clients at a time; each request follows from the seed and its number alone."""
    document = server.ask("GET", "/openapi.json").told
    documented = {int(status) for status in document["paths"]["/v1/predict"]["post"]["responses"]}

    def ask(number: int) -> tuple[Answer | None, str]:
        sent = mutations.request(random.Random(f"{seed}/{number}"))
        try:
            return server.ask("POST", "/v1/predict", sent.content, sent.headers), f"photo {seed}/{number}"
        except (OSError, http.client.HTTPException) as error:
            return None, f"photo {seed}/{number} {error!r}"

    with ThreadPoolExecutor(CLIENTS) as pool:
        for start in range(0, count, 100):
            for answer, request in pool.map(ask, range(start, min(start + 100, count))):
                found = iter([("lost", "")]) if answer is None else _of_photo(answer, documented)
                verdict.count(answer, found, request)
            look()


def _of_photo(answer: Answer, documented: set[int]) -> Iterator[tuple[str, str]]:
    yield from faults_of(answer, documented)
    if answer.status == 200:
        rows = (answer.told or {}).get("predictions", [])
        if not rows or not all(("label" in row) != ("error" in row) for row in rows):
            yield "undocumented", f"{answer.content[:200]!r}"


def fuzzed(model: Path, count: int, seed: int) -> Verdict:
    """Start a server, send it `count` requests, and judge."""
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder, serving(model, "--feedback", Path(folder) / "verdicts") as server:
        guard = Guard(server, verdict)
        try:
            by_description(server, count // 2, seed, verdict, guard.look)
            by_photos(server, count - count // 2, seed, verdict, guard.look)
        except ChildProcessError as error:
            verdict.add("down", str(error))
        for line in server.complaints:
            verdict.add("complaint", line)
    return verdict


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given_ = parser.parse_args()
    print(json.dumps(fuzzed(given_.model, given_.requests, given_.seed).to_json()))


if __name__ == "__main__":
    main()
