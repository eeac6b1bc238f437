from __future__ import annotations

from typing import Any

import pytest

from benchmarks.bad_answers import CASES
from benchmarks.promises.fetching import Planted, astray, hosts, planted, reached
from finegraft.fetching.reasons import KINDS

ROWS = [
    Planted("rose", "http://127.0.0.2:1/photo/0", frozenset({None})),
    Planted("rose", "http://127.0.0.2:1/404/0", frozenset({"status"})),
    Planted("rose", "http://127.0.0.2:1/same/0", frozenset({None, "same-bytes"})),
    Planted("rose", "http://127.0.0.2:1/same/1", frozenset({None, "same-bytes"})),
]


def line(row: int, kind: str | None) -> dict[str, Any]:
    return {"row": row, "kind": kind, "reason": kind and "so"}


RIGHT = [line(2, None), line(3, "status"), line(4, "same-bytes"), line(5, None)]


def test_nothing_is_astray_where_every_row_ends_as_it_must() -> None:
    assert astray(ROWS, RIGHT) == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (RIGHT[1:], "line 2 has 0 ends"),
        ([*RIGHT, RIGHT[0]], "line 2 has 2 ends"),
        ([line(2, "timeout"), *RIGHT[1:]], "line 2, http://127.0.0.2:1/photo/0: timeout (so)"),
        ([RIGHT[0], line(3, None), *RIGHT[2:]], "line 3, http://127.0.0.2:1/404/0: None (None)"),
        (
            [RIGHT[0], {**line(3, "status"), "reason": None}, *RIGHT[2:]],
            "line 3, http://127.0.0.2:1/404/0: status (None)",
        ),
        ([*RIGHT[:3], line(5, "same-bytes")], "of 2 rows with one photo, 0 were saved"),
        ([*RIGHT[:2], line(4, None), RIGHT[3]], "of 2 rows with one photo, 2 were saved"),
    ],
)
def test_what_is_astray(lines: list[dict[str, Any]], said: str) -> None:
    assert astray(ROWS, lines) == [said]


def test_the_list_has_every_way_to_misbehave() -> None:
    with hosts() as (bad, dead, gone):
        rows = planted(bad, dead.origin, gone, each=4, total=400)
        origins = {host.origin for host in bad}
    assert len(rows) == 400
    assert {row.url.split("/")[3] for row in rows if row.url.rsplit("/", 2)[0] in origins} == set(CASES)
    assert {kind for row in rows for kind in row.kinds if kind} <= set(KINDS)
    assert sum(row.kinds == {None} for row in rows) > 100


def test_reached_names_addresses_with_their_ports() -> None:
    trace = [
        '7 connect(3, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.1")}, 16) = -1 EINPROGRESS',
        "8 connect(3, {sa_family=AF_INET6, sin6_port=htons(9), sin6_flowinfo=htonl(0), "
        'inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}, 28) = 0',
        '8 connect(4, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = -1 ENOENT',
        '9 sendto(4, "x", 1, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("192.0.2.7")}, 16) = 1',
        '9 sendto(5, "y", 1, 0, NULL, 0) = 1',
    ]
    assert reached(trace) == ["192.0.2.1:443", "::1:9", "192.0.2.7:53"]
