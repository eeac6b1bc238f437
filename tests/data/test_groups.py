from __future__ import annotations

from finegraft.data.copies import NearCopy
from finegraft.data.groups import clusters, grouped
from finegraft.data.record import Record


def rows(*digests: str, groups: dict[int, str] | None = None) -> list[Record]:
    return [Record(f"{i}", digest, "a", group=(groups or {}).get(i)) for i, digest in enumerate(digests)]


def names(records: list[Record]) -> list[str | None]:
    return [record.group for record in records]


def test_records_that_stand_alone_have_no_group() -> None:
    assert names(grouped(rows("x", "y"), [])) == [None, None]


def test_equal_content_alone_needs_no_group() -> None:
    assert names(grouped(rows("x", "y", "x"), [])) == [None, None, None]


def test_near_copies_are_named_by_the_first_digest_however_they_are_tied() -> None:
    near = [NearCopy(0, 1, 1.0), NearCopy(1, 3, 1.0)]
    assert names(grouped(rows("z", "y", "w", "x"), near)) == ["x", "x", None, "x"]


def test_exact_copies_of_near_copies_belong_to_them() -> None:
    assert names(grouped(rows("z", "y", "z"), [NearCopy(0, 1, 1.0)])) == ["y", "y", "y"]


def test_the_users_group_keeps_its_name_and_draws_copies_in() -> None:
    assert names(grouped(rows("z", "y", "x", groups={0: "patient"}), [NearCopy(0, 1, 1.0)])) == [
        "patient",
        "patient",
        None,
    ]


def test_copies_join_groups_of_the_user_under_the_first_name() -> None:
    records = rows("a", "b", "a", "c", groups={0: "p2", 1: "p2", 2: "p1", 3: "p3"})
    assert names(grouped(records, [])) == ["p1", "p1", "p1", "p3"]


def test_an_exact_copy_outside_the_users_group_is_drawn_in() -> None:
    assert names(grouped(rows("a", "a", groups={1: "p"}), [])) == ["p", "p"]


def test_clusters_are_told_only_where_records_belong_together() -> None:
    assert clusters(rows("x", "y", "z")) == ()
    assert clusters(rows("x", "y", "x")) == ("x", "y", "x")
    assert clusters(rows("x", "y", "z", groups={0: "ann", 2: "ann"})) == ("ann", "y", "ann")
