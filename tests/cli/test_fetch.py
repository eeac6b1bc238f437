from __future__ import annotations

import json
import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import bad_answers
from benchmarks.bad_host import BadHost, Visit
from finegraft.fetching.manifest import NAME
from tests.cli.running import COMMAND, Done, content, finegraft
from tests.cli.test_main import TRAINING, loaded_by


@pytest.fixture
def host() -> Iterator[BadHost]:
    with BadHost(bad_answers.answer) as running:
        yield running


def listed(path: Path, *rows: tuple[str, str]) -> Path:
    path.write_text("label,url\n" + "".join(f"{label},{url}\n" for label, url in rows))
    return path


def fetch(path: Path, folder: Path, *options: str) -> Done:
    return finegraft("fetch", path, "-o", folder, "--allow-private", "--retries", "0", *options)


def test_a_list_becomes_a_folder_that_check_likes(host: BadHost, tmp_path: Path) -> None:
    roses = [("rose", f"{host.origin}/photo/{number}") for number in range(10)]
    tulips = [("tulip", f"{host.origin}/old/{number}") for number in range(10)]
    done = fetch(listed(tmp_path / "list.csv", *roses, *tulips), tmp_path / "photos")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"20 photos saved in {tmp_path}/photos, 0 skipped, 0 failed.",
        "",
        "  rose        10",
        "  tulip       10",
        "",
        f"Next: finegraft check {tmp_path}/photos",
    ]
    checked = finegraft("check", tmp_path / "photos", "--json").object
    assert (checked["records"], checked["classes"]) == (20, {"rose": 10, "tulip": 10})
    assert not {finding["kind"] for finding in checked["findings"]} & {"unreadable", "not-a-photo", "misplaced"}


def test_what_was_not_saved_is_said_with_its_reason(host: BadHost, tmp_path: Path) -> None:
    names = ("photo", "404", "404", "404", "404", "500", "page", "forbidden")
    rows = [("rose", f"{host.origin}/{name}/{number}") for number, name in enumerate(names)]
    done = fetch(listed(tmp_path / "list.csv", *rows, ("rose", "")), tmp_path / "photos")
    address = f"127.0.0.1:{host.port}"
    assert done.code == 0
    assert done.out.splitlines() == [
        f"1 photo saved in {tmp_path}/photos, 1 skipped, 7 failed.",
        "",
        "  rose        1",
        "",
        "Not saved:",
        "      5  status       the host answered with an error",
        f"           line 3, {host.origin}/404/1: {address} answered 404 (Not Found).",
        f"           line 4, {host.origin}/404/2: {address} answered 404 (Not Found).",
        f"           line 5, {host.origin}/404/3: {address} answered 404 (Not Found).",
        "      1  not-a-photo  the content is not a photo, whatever the name says",
        f"           line 8, {host.origin}/page/6: The content is not a photo: it looks like a web page.",
        "      1  robots       the host asks programs to keep away from it",
        f"           line 9, {host.origin}/forbidden/7: robots.txt of {address} forbids it. "
        "--ignore-robots fetches it all the same.",
        "      1  bad-row      the row has no address, no label, or broken cells",
        "           line 10, no address: The row has no address.",
        f"All rows are in {tmp_path}/photos/.fetched.jsonl; --json prints those not saved.",
        "",
        "1 row may go better another time: run the same command again.",
        f"Next: finegraft check {tmp_path}/photos",
    ]


def test_json_and_strict(host: BadHost, tmp_path: Path) -> None:
    rows = [("rose", f"{host.origin}/photo/1"), ("rose", f"{host.origin}/410/1"), ("rose", f"{host.origin}/photo/1")]
    path = listed(tmp_path / "list.csv", *rows)
    done = fetch(path, tmp_path / "photos", "--json")
    assert (done.code, done.err) == (0, "")
    said = done.object
    assert [problem.pop("reason") for problem in said["problems"]] == [
        f"127.0.0.1:{host.port} answered 410 (Gone).",
        "The same address as line 2.",
    ]
    assert said == {
        "saved": 1,
        "skipped": 1,
        "failed": 1,
        "fetched": 1,
        "classes": {"rose": 1},
        "kinds": {"status": 1, "same-url": 1},
        "problems": [
            {"row": 3, "label": "rose", "url": rows[1][1], "outcome": "failed", "kind": "status", "retry": False},
            {"row": 4, "label": "rose", "url": rows[2][1], "outcome": "skipped", "kind": "same-url", "retry": False},
        ],
        "path": f"{tmp_path}/photos",
        "manifest": f"{tmp_path}/photos/.fetched.jsonl",
    }
    again = fetch(path, tmp_path / "photos", "--strict")
    assert again.code == 1
    assert again.out.startswith(f"1 photo saved in {tmp_path}/photos (0 new), 1 skipped, 1 failed.\n")
    only = listed(tmp_path / "one.csv", *rows[::2])
    assert fetch(only, tmp_path / "photos", "--strict").code == 0  # a copy is no failure


def test_nothing_saved_at_all_is_1(host: BadHost, tmp_path: Path) -> None:
    path = listed(tmp_path / "list.csv", ("rose", f"{host.origin}/photo/1"))
    done = finegraft("fetch", path, "-o", tmp_path / "photos")
    assert (done.code, done.err) == (1, "")
    assert (
        "127.0.0.1 is not reached: it is this machine itself. Give --allow-private if you trust the list." in done.out
    )
    assert "run the same command again" not in done.out  # it would end in the same way
    assert host.connections == 0


def test_options_reach_the_host(tmp_path: Path) -> None:
    agents: list[str] = []

    def answer(visit: Visit) -> bool:
        agents.append(visit.path)
        return visit.answer(bad_answers.photo(1) + bytes(60_000))

    with BadHost(answer) as host:
        path = listed(tmp_path / "list.csv", ("rose", f"{host.origin}/1"))
        done = fetch(path, tmp_path / "photos", "--ignore-robots", "--max-size", "0.05", "--user-agent", "me/1 (x@y)")
    assert agents == ["/1"]
    assert "line 2, " in done.out
    assert "The file has 0.1 MB; at most 0.05 MB are fetched (--max-size)." in done.out


def test_notes_are_on_stderr(host: BadHost, tmp_path: Path) -> None:
    (tmp_path / "urls_teddy.txt").write_text(f"{host.origin}/photo/1\n")
    command = ("fetch", tmp_path / "urls_teddy.txt", "-o", tmp_path / "photos", "--allow-private", "--json")
    done = finegraft(*command, env={"HTTPS_PROXY": "http://127.0.0.1:9"})
    assert done.err.splitlines() == [
        "urls_teddy.txt holds addresses only: all get the label 'teddy', from its name (or by --label).",
        "The proxy in HTTPS_PROXY is not used: behind one, nobody can tell which machines are reached.",
    ]
    assert done.object["classes"] == {"teddy": 1}


def test_a_list_on_stdin(host: BadHost, tmp_path: Path) -> None:
    command = ("fetch", "-", "-o", tmp_path / "photos", "--allow-private", "--label", "bear", "--json")
    assert finegraft(*command, stdin=f"{host.origin}/photo/1\n").object["classes"] == {"bear": 1}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nowhere.csv", "-o", "out"], 1, "Cannot read the list nowhere.csv. There is no such file. Check the path."),
        (["list.csv", "-o", "list.csv"], 1, "Cannot fetch into list.csv: it is a file. Choose another folder with -o."),
        (["list.csv"], 2, "Missing option '-o' / '--output'."),
        (["list.csv", "--alow-private"], 2, "No such option '--alow-private'. Did you mean '--allow-private'?"),
        (["list.csv", "--max-size", "0"], 2, "Invalid value for '--max-size': 0.0 is not in the range x>0."),
        (
            ["list.csv", "-o", "out", "--user-agent", "a\nHost: b"],
            2,
            r"Invalid value for '--user-agent': 'a\nHost: b' must be of letters, digits and signs.",
        ),
        (
            ["list.csv", "-o", "out", "--target", "breed"],
            1,
            "list.csv has no column 'breed', as --target asks. It has: label, url.",
        ),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_asked(tmp_path: Path, words: list[str], code: int, said: str) -> None:
    listed(tmp_path / "list.csv", ("rose", "http://192.0.2.1/1"))
    done = finegraft("fetch", *words, cwd=tmp_path)
    assert (done.code, done.out, done.error) == (code, "", f"Error: {said}")
    assert not (tmp_path / "out").exists()


def test_fetching_loads_nothing_of_training(host: BadHost, tmp_path: Path) -> None:
    path = listed(tmp_path / "list.csv", ("rose", f"{host.origin}/photo/1"))
    assert not loaded_by("fetch", path, "-o", tmp_path / "photos", "--allow-private") & (TRAINING | {"onnxruntime"})


def start(path: Path, folder: Path) -> subprocess.Popen[bytes]:
    command = [*COMMAND, "fetch", str(path), "-o", str(folder), "--allow-private", "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def saved(folder: Path) -> set[str]:
    """The addresses whose photos are in the folder, as the manifest has it; half a line at its end is none."""
    lines = (folder / NAME).read_bytes().split(b"\n")[:-1] if (folder / NAME).exists() else []
    rows = [json.loads(line) for line in lines]
    return {row["url"] for row in rows if row["outcome"] == "saved" and (folder / row["path"]).exists()}


def test_killed_at_any_moment_it_goes_on_without_fetching_anything_twice(tmp_path: Path) -> None:
    """The host says when: while it gives its fifth, ninth … answer, the process that asks is killed."""
    chance = random.Random(0)
    victims: list[subprocess.Popen[bytes]] = []
    moment = 0

    def answer(visit: Visit) -> bool | None:
        if victims and sum(host.counted().values()) >= moment:
            victims.pop().kill()
        return bad_answers.answer(visit)

    with BadHost(answer) as host:
        rows = [("rose", f"{host.origin}/photo/{number}") for number in range(120)]
        path, folder = listed(tmp_path / "list.csv", *rows), tmp_path / "photos"
        before: dict[str, int] = {}
        for _ in range(6):
            moment = sum(host.counted().values()) + chance.randrange(3, 16)
            process = start(path, folder)
            victims.append(process)
            process.communicate(timeout=60)
            assert process.returncode == -signal.SIGKILL
            asked = host.counted()
            assert {place: asked[place] for place in before} == before
            before = {place: asked[place] for place in (url.removeprefix(host.origin) for url in saved(folder))}
        done = fetch(path, folder, "--json")
        assert {place: host.asked[place] for place in before} == before
    assert len(before) > 10
    assert (done.object["saved"], done.object["failed"]) == (120, 0)
    photos = {name for name in content(folder) if not Path(name).name.startswith(".")}
    assert len(photos) == 120
    assert {json.loads(line)["path"] for line in (folder / NAME).read_bytes().splitlines()} == photos
    assert finegraft("check", folder, "--json").object["left_out"] == 0


def test_ctrl_c_ends_at_once_and_the_next_run_goes_on(host: BadHost, tmp_path: Path) -> None:
    rows = [("rose", f"{host.origin}/silent/{number}") for number in range(3)]
    rows += [("rose", f"{host.origin}/photo/{number}") for number in range(5)]
    path, folder = listed(tmp_path / "list.csv", *rows), tmp_path / "photos"
    process = start(path, folder)
    while len(saved(folder)) < 5 or sum(host.counted()[f"/silent/{number}"] for number in range(3)) < 3:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=15)  # the silent ones would take 20 s each
    assert (process.returncode, out) == (130, b"")
    assert err.endswith(b"Stopped. Nothing half-written is left; what was computed is remembered.\n")
    assert b"Traceback" not in err
    rest = listed(tmp_path / "list.csv", *rows[3:])
    again = fetch(rest, folder, "--json").object
    assert (again["saved"], again["fetched"]) == (5, 0)


def test_a_full_disk_ends_it_with_one_message(host: BadHost, tmp_path: Path) -> None:
    path = listed(tmp_path / "list.csv", *[("rose", f"{host.origin}/photo/{number}") for number in range(20)])
    command = ("fetch", path, "-o", tmp_path / "photos", "--allow-private")
    done = finegraft(*command, shell='ulimit -f 1; "$@"')  # files of 512 bytes at most: less than any photo
    assert done.code == 1
    assert "Cannot write " in done.error
    assert {Path(name).name[0] for name in content(tmp_path / "photos")} == {"."}  # the manifest, and no photo
