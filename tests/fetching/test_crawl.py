from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import bad_answers
from benchmarks.bad_answers import CASES, Case, photo
from benchmarks.bad_host import BadHost, Visit
from finegraft import vision
from finegraft.data.contents import digest_of
from finegraft.errors import StorageError
from finegraft.fetching.connections import Connections
from finegraft.fetching.crawl import Fetched, fetch
from finegraft.fetching.lists import Listed, Row
from finegraft.fetching.manifest import NAME, Line
from finegraft.fetching.settings import Settings
from finegraft.fetching.silence import DEAF

QUICK = Settings(allow_private=True, backoff=0.01)


def listed(*rows: tuple[str, str]) -> Listed:
    return Listed("list.csv", tuple(Row(number, label, url) for number, (label, url) in enumerate(rows, start=2)))


def fetched(folder: Path, *rows: tuple[str, str], settings: Settings = QUICK, again: bool = False) -> Fetched:
    return fetch(listed(*rows), folder, settings, again=again)


def kinds(done: Fetched) -> list[str | None]:
    return [line.kind for line in done.lines]


def files(folder: Path) -> dict[str, bytes]:
    """All that lies below `folder`, but the manifest."""
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    del found[NAME]
    return found


@pytest.fixture(scope="module")
def all_cases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[Line]], BadHost]:
    """Two rows of every case, fetched at once: the folder, the lines by case, and the host after its end."""
    folder = tmp_path_factory.mktemp("cases") / "photos"
    settings = replace(QUICK, workers=32, per_host=128, retries=1, timeout=4, silence=3, max_bytes=200_000)
    with BadHost(bad_answers.answer) as host:
        rows = [(name, f"{host.origin}/{name}/{number}") for name in CASES for number in range(2)]
        done = fetched(folder, *rows, settings=settings)
    lines: dict[str, list[Line]] = {}
    for line in done.lines:
        lines.setdefault(str(line.label), []).append(line)
    return folder, lines, host


@pytest.mark.parametrize("name", [name for name in CASES if not CASES[name].shared])
def test_every_answer_ends_as_it_must(name: str, all_cases: tuple[Path, dict[str, list[Line]], BadHost]) -> None:
    folder, lines, _ = all_cases
    case: Case = CASES[name]
    for line in lines[name]:
        assert line.kind == case.kind, line.reason
        assert case.says in (line.reason or "")
        assert (line.outcome == "saved") == (case.kind is None)
        assert (line.path is not None) == (case.kind is None)
        if line.path:
            content = (folder / line.path).read_bytes()
            assert line.digest == digest_of(content)
            assert line.bytes == len(content)


def test_the_same_photo_is_kept_once(all_cases: tuple[Path, dict[str, list[Line]], BadHost]) -> None:
    _, lines, _ = all_cases
    first, second = sorted(lines["same"], key=lambda line: line.outcome)
    assert (first.kind, second.kind, second.same_as) == (None, "same-bytes", first.path)
    assert second.digest == first.digest


def test_all_that_was_saved_and_nothing_else_is_in_the_folder(
    all_cases: tuple[Path, dict[str, list[Line]], BadHost],
) -> None:
    folder, lines, _ = all_cases
    saved = {line.path for of_case in lines.values() for line in of_case if line.path}
    assert set(files(folder)) == saved
    dataset = vision.read(folder)
    assert {record.key for record in dataset.usable} == saved
    assert dataset.left_out == ()
    assert {record.key: record.digest for record in dataset.usable} == {
        line.path: line.digest for of_case in lines.values() for line in of_case if line.path
    }


def test_robots_are_asked_once_and_forbidden_places_never(
    all_cases: tuple[Path, dict[str, list[Line]], BadHost],
) -> None:
    _, _, host = all_cases
    assert host.asked["/robots.txt"] == 1
    assert [path for path in host.asked if path.startswith("/forbidden")] == []


def test_the_manifest_holds_every_row_and_where_it_came_from(host: BadHost, tmp_path: Path) -> None:
    rows = [("rose", f"{host.origin}/redirect/1"), ("rose", f"{host.origin}/404/1"), ("rose", "mailto:x")]
    done = fetched(tmp_path / "photos", *rows)
    stored = [json.loads(line) for line in done.manifest.read_text().splitlines()]
    assert [(line["row"], line["list"], line["url"], line["outcome"]) for line in stored] == [
        (2, "list.csv", f"{host.origin}/redirect/1", "saved"),
        (3, "list.csv", f"{host.origin}/404/1", "failed"),
        (4, "list.csv", "mailto:x", "failed"),
    ]
    assert stored[0]["final_url"] == f"{host.origin}/photo/r-1"
    expected = {
        "label": "rose",
        "kind": None,
        "reason": None,
        "retry": False,
        "same_as": None,
        "status": 200,
        "tries": 1,
    }
    expected |= {"content_type": "image/jpeg", "etag": '"1"', "last_modified": "Mon, 06 Jan 2025 10:00:00 GMT"}
    assert {name: stored[0][name] for name in expected} == expected
    assert stored[0]["fetched_at"].endswith("+00:00")


def test_a_second_run_asks_for_nothing_that_is_settled(host: BadHost, tmp_path: Path) -> None:
    names = ("photo", "same", "404", "page", "500", "announced", "closed")
    rows = [("rose", f"{host.origin}/{name}/1") for name in names]
    settings = replace(QUICK, retries=0)
    first = fetched(tmp_path, *rows, ("rose", f"{host.origin}/same/2"), settings=settings)
    before = host.counted()
    second = fetched(tmp_path, *rows, ("rose", f"{host.origin}/same/2"), settings=settings)
    assert kinds(second) == kinds(first)
    assert (first.fetched, second.fetched, second.count("saved")) == (2, 0, 2)
    assert host.counted() - before == {"/robots.txt": 1, "/500/1": 1, "/closed/1": 1}  # what may go better
    again = fetched(tmp_path, *rows, settings=settings, again=True)
    assert kinds(again) == kinds(first)[:-1]
    assert (host.asked["/404/1"], host.asked["/page/1"], host.asked["/photo/1"]) == (2, 2, 1)
    assert files(tmp_path) == files(first.folder)


def test_a_photo_that_was_taken_away_is_fetched_again(host: BadHost, tmp_path: Path) -> None:
    row = ("rose", f"{host.origin}/photo/1")
    (line,) = fetched(tmp_path, row).lines
    (tmp_path / str(line.path)).unlink()
    again = fetched(tmp_path, row)
    assert (again.fetched, again.lines[0].path) == (1, line.path)
    assert host.asked["/photo/1"] == 2


def test_a_second_list_into_the_same_folder(host: BadHost, tmp_path: Path) -> None:
    fetched(tmp_path, ("rose", f"{host.origin}/photo/1"), ("rose", f"{host.origin}/404/1"))
    more = fetch(Listed("more.csv", (Row(1, "tulip", f"{host.origin}/same/1"),)), tmp_path, QUICK)
    twin = fetch(Listed("twin.csv", (Row(1, "rose", f"{host.origin}/same/2"),)), tmp_path, QUICK)
    assert (more.count("saved"), twin.count("skipped")) == (1, 1)
    assert twin.lines[0].reason == f"The same bytes as {more.lines[0].path}, which has the label 'tulip'."
    assert twin.lines[0].kind == "two-labels"
    rows = [json.loads(line) for line in twin.manifest.read_text().splitlines()]
    assert [(row["list"], row["outcome"]) for row in rows] == [
        ("twin.csv", "skipped"),
        ("more.csv", "saved"),
        ("list.csv", "saved"),
        ("list.csv", "failed"),
    ]


def test_a_redirect_to_a_private_address_is_not_followed(tmp_path: Path) -> None:
    """The first host stands for a public one; the second listens, on this machine, and is never asked."""
    with BadHost(bad_answers.answer, "127.0.0.2") as inner:
        to_inner = Case(lambda visit: visit.answer(status="302 Found", location=f"{inner.origin}/photo/1"))

        def answer(visit: Visit) -> bool | None:
            return to_inner.answer(visit) if visit.path == "/go" else bad_answers.answer(visit)

        with BadHost(answer, "127.0.0.1") as public:
            connections = Connections(QUICK, refusal=lambda address: None if address == "127.0.0.1" else "private")
            done = fetch(
                listed(("rose", f"{public.origin}/go"), ("rose", f"{inner.origin}/photo/2")),
                tmp_path,
                QUICK,
                connections=connections,
            )
        assert inner.connections == 0
    assert kinds(done) == ["private", "private"]


def test_without_leave_this_machine_is_not_asked(host: BadHost, tmp_path: Path) -> None:
    rows = [("rose", f"{host.origin}/photo/{number}") for number in range(2 * DEAF)]
    done = fetched(tmp_path, *rows, settings=Settings())
    assert set(kinds(done)) == {"private"}  # all of them: the host is not taken for a dead one
    assert host.connections == 0


def robots(text: bytes, status: str = "200 OK") -> Callable[[Visit], bool | None]:
    """A host with this robots.txt, and photos for everything else."""

    def answer(visit: Visit) -> bool | None:
        if visit.path == "/robots.txt":
            return visit.answer(text, status)
        return visit.answer(photo(len(visit.path)))

    return answer


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (robots(b"User-agent: *\nDisallow: /*.jpg$"), "robots", "forbids it. --ignore-robots fetches it all the same."),
        (robots(b"User-agent: finegraft\nDisallow: /\nUser-agent: *\nAllow: /"), "robots", "forbids it."),
        (robots(b"User-agent: other\nDisallow: /"), None, ""),
        (robots(b"", "403 Forbidden"), None, ""),
        (robots(b"", "404 Not Found"), None, ""),
        (robots(b"x" * 10**6), None, ""),
        (
            robots(b"", "503 Service Unavailable"),
            "status",
            "is fetched from {} without its robots.txt. {} answered 503",
        ),
        (robots(b"", "429 Too Many Requests"), "status", "is fetched from {} without its robots.txt. {} answered 429"),
    ],
)
def test_what_robots_txt_means(
    tmp_path: Path, answer: Callable[[Visit], bool | None], kind: str | None, says: str
) -> None:
    with BadHost(answer) as host:
        rows = [("rose", f"{host.origin}/a.jpg")]
        done = fetched(tmp_path / "obeying", *rows, settings=replace(QUICK, retries=0))
        assert kinds(done) == [kind]
        assert says.replace("{}", f"127.0.0.1:{host.port}") in (done.lines[0].reason or "")
        assert host.asked["/a.jpg"] == (kind is None)
        ignoring = fetched(tmp_path / "ignoring", *rows, settings=replace(QUICK, obey_robots=False))
        assert kinds(ignoring) == [None]
        assert host.asked["/robots.txt"] == 1


def test_a_redirect_to_a_forbidden_place_is_not_followed(tmp_path: Path) -> None:
    with BadHost(robots(b"User-agent: *\nDisallow: /")) as closed:

        def away(visit: Visit) -> bool:
            status = "404 Not Found" if visit.path == "/robots.txt" else "301 Moved Permanently"
            return visit.answer(status=status, location=f"{closed.origin}/a.jpg")

        with BadHost(away) as host:
            done = fetched(tmp_path, ("rose", f"{host.origin}/a.jpg"))
        assert kinds(done) == ["robots"]
        assert closed.counted() == {"/robots.txt": 1}


def test_a_host_without_connections_is_left_alone_after_a_while(tmp_path: Path) -> None:
    with BadHost(None) as dead, BadHost(bad_answers.answer) as host:
        rows = [("rose", f"{dead.origin}/{number}") for number in range(100)]
        done = fetched(tmp_path, *rows, ("rose", f"{host.origin}/photo/1"))
        assert dead.connections <= DEAF + QUICK.workers
    assert done.count("failed") == 100
    assert done.count("saved") == 1
    assert all(line.retry for line in done.lines[:100])
    assert sum("is left alone until the next run. It failed 8 times" in str(line.reason) for line in done.lines) >= 80


def busy(retry_after: str) -> Callable[[Visit], bool | None]:
    return lambda visit: visit.answer(b"", "429 Too Many Requests", retry_after=retry_after)


def test_a_host_that_wants_to_be_asked_later_is_asked_later(tmp_path: Path) -> None:
    with BadHost(busy("3600")) as host:
        rows = [("rose", f"{host.origin}/{number}") for number in range(50)]
        done = fetched(tmp_path, *rows, settings=replace(QUICK, obey_robots=False))
        assert sum(host.counted().values()) <= QUICK.per_host
    assert set(kinds(done)) == {"status"}
    assert all(line.retry for line in done.lines)
    assert str(done.lines[-1].reason).endswith("is left alone until the next run. It asks to wait for 3,600 s.")


def test_one_address_that_is_not_ready_holds_up_no_other(tmp_path: Path) -> None:
    def answer(visit: Visit) -> bool | None:
        if visit.path == "/0":
            return visit.answer(b"", "503 Service Unavailable", retry_after="3600")
        return visit.answer(photo(int(visit.words[0])))

    with BadHost(answer) as host:
        rows = [("rose", f"{host.origin}/{number}") for number in range(20)]
        done = fetched(tmp_path, *rows, settings=replace(QUICK, obey_robots=False))
        assert host.asked["/0"] == 1
    assert (done.count("saved"), done.lines[0].kind, done.lines[0].retry) == (19, "status", True)


def test_a_host_that_wants_pauses_gets_them(tmp_path: Path) -> None:
    moments: list[float] = []

    def answer(visit: Visit) -> bool | None:
        if visit.path == "/robots.txt":
            return visit.answer(b"User-agent: *\nCrawl-delay: 0.1")
        moments.append(time.monotonic())
        return visit.answer(photo(int(visit.words[0])))

    with BadHost(answer) as host:
        done = fetched(tmp_path, *[("rose", f"{host.origin}/{number}") for number in range(QUICK.per_host + 4)])
    assert done.count("saved") == len(moments)
    later = moments[QUICK.per_host :]  # those before were under way when the pause became known
    assert all(after - before >= 0.09 for before, after in pairwise(later))


@pytest.mark.parametrize("per_host", [1, 3])
def test_a_host_has_no_more_connections_than_permitted(tmp_path: Path, per_host: int) -> None:
    """Also where many hosts redirect to it."""
    lock, active, most = threading.Lock(), 0, 0

    def answer(visit: Visit) -> bool | None:
        nonlocal active, most
        with lock:
            active += 1
            most = max(most, active)
        visit.ended.wait(0.01)
        with lock:
            active -= 1
        return visit.answer(photo(int(visit.words[0])))

    with BadHost(answer) as target:
        away = lambda visit: visit.answer(status="302 Found", location=f"{target.origin}{visit.path}")  # noqa: E731
        with BadHost(away, "127.0.0.2") as one, BadHost(away, "127.0.0.3") as two:
            rows = [("rose", f"{(one, two, target)[n % 3].origin}/{n}") for n in range(30)]
            done = fetched(tmp_path, *rows, settings=replace(QUICK, per_host=per_host, obey_robots=False))
    assert done.count("saved") == 30
    assert 1 <= most <= per_host


def test_progress_counts_to_the_end(host: BadHost, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    rows = [("rose", f"{host.origin}/photo/{number}") for number in range(5)]
    fetch(
        listed(*rows, ("rose", "mailto:x"), rows[0]),
        tmp_path,
        QUICK,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(number, 7) for number in range(3, 8)]


def test_a_folder_that_cannot_be_written_ends_it(host: BadHost, tmp_path: Path) -> None:
    (tmp_path / "rose").touch()
    with pytest.raises(StorageError, match=r"Cannot write .*rose/1-.*\.jpg: (Not a directory|File exists)"):
        fetched(tmp_path, *[("rose", f"{host.origin}/photo/{number}") for number in range(1, 40)])


def all_labels(done: Sequence[Line]) -> set[str]:
    return {str(line.path).partition("/")[0] for line in done if line.path}


def test_no_label_leads_out_of_the_folder(host: BadHost, tmp_path: Path) -> None:
    labels = ["..", ".", "/etc", "../../up", "a/b", ".hidden", "nul\0l", "\x1b[31m", "x" * 5000]
    rows = [(label, f"{host.origin}/photo/{number}") for number, label in enumerate(labels)]
    done = fetched(tmp_path / "photos", *rows)
    assert done.count("saved") == len(labels)
    assert len(all_labels(done.lines)) == len(labels)
    assert {path.name for path in tmp_path.iterdir()} == {"photos"}
    assert {path.name for path in (tmp_path / "photos").iterdir()} == all_labels(done.lines) | {NAME}
    assert len(vision.read(tmp_path / "photos").usable) == len(labels)
