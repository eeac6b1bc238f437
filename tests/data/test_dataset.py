from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from finegraft.data.dataset import Dataset
from finegraft.data.record import Record, Split
from finegraft.errors import DataError, StorageError


def records(label: str, count: int, split: Split | None = None) -> list[Record]:
    return [Record(f"{split or ''}/{label}/{i}", f"{split}{label}{i}", label, split) for i in range(count)]


def dataset(*rows: Record) -> Dataset:
    return Dataset(tuple(sorted(rows, key=lambda r: r.key)), Path("photos"), "vision")


def test_usable_and_left_out_and_counts() -> None:
    bad = Record("a/bad", "", "a", None, "empty")
    stray = Record("stray", "s", None)
    data = dataset(*records("b", 2), *records("a", 3), bad, stray)
    assert len(data) == 7
    assert data.counts() == {"a": 3, "b": 2}
    assert data.classes == ("a", "b")
    assert data.left_out == (bad,)
    assert bad not in data.usable
    assert stray not in data.usable


def test_split_holds_out_a_fifth_and_leaves_the_first_dataset_alone() -> None:
    data = dataset(*records("a", 10), *records("b", 20), Record("a/bad", "", "a", None, "empty"))
    parted = data.split(valid=0.2, seed=1)
    assert data.given_splits == frozenset()
    assert parted.judged_on == "held-out"
    assert (len(parted.part("train")), len(parted.part("held-out"))) == (24, 6)
    assert [r.split for r in parted.left_out] == [None]
    assert [r.key for r in parted.records] == [r.key for r in data.records]


def test_split_keeps_given_parts() -> None:
    data = dataset(*records("a", 5, "train"), *records("b", 5, "train"), *records("a", 2, "test"))
    assert data.split() == data
    assert data.judged_on == "test"


def test_split_holds_out_of_a_train_part_that_has_nothing_to_judge_on() -> None:
    data = dataset(*records("a", 10, "train"), *records("b", 10, "train")).split()
    assert data.judged_on == "held-out"
    assert (len(data.part("train")), len(data.part("held-out"))) == (16, 4)


def test_what_lies_in_no_split_beside_a_given_one_is_learned_from() -> None:
    data = dataset(*records("a", 5), *records("b", 5), *records("a", 3, "test")).split()
    assert (len(data.part("train")), data.judged_on, len(data.part("test"))) == (10, "test", 3)


@pytest.mark.parametrize("given", [None, "train"])
def test_splitting_again_draws_anew(given: Split | None) -> None:
    data = dataset(*records("a", 10, given), *records("b", 10, given), Record("a/bad", "", "a", None, "empty"))
    once = data.split(valid=0.34, seed=0)
    again = once.split(valid=0.34, seed=5)
    assert again == data.split(valid=0.34, seed=5)
    assert set(again.part("held-out")) != set(once.part("held-out"))
    assert once.split(valid=0.34, seed=0) == once


def test_our_own_part_beside_a_given_one_is_learned_from() -> None:
    data = dataset(*records("a", 5), *records("b", 5)).split()
    joined = replace(data, records=(*data.records, *records("a", 2, "test"))).split()
    assert (len(joined.part("train")), joined.part("held-out"), joined.judged_on) == (10, (), "test")


def test_judging_before_splitting_says_what_to_do() -> None:
    with pytest.raises(DataError, match=r"no part to judge on. Call \.split\(valid=0\.2, seed=0\) first"):
        _ = dataset(*records("a", 2)).judged_on


def test_validation_is_judged_on_where_there_is_no_test() -> None:
    assert dataset(*records("a", 2, "train"), *records("a", 2, "validation")).judged_on == "validation"


@pytest.mark.parametrize("name", ["plain", "ü b", "two\nlines", "line\u2028separator", "next\x85line", 'quote"'])
def test_a_manifest_keeps_every_record(tmp_path: Path, name: str) -> None:
    data = dataset(*records("a", 2, "train"), Record(f"a/{name}", "", name, None, "empty"))
    data.save(tmp_path / "manifest.jsonl")
    assert Dataset.load(tmp_path / "manifest.jsonl", data.root, "vision") == data


def test_an_empty_manifest_is_an_empty_dataset(tmp_path: Path) -> None:
    empty = dataset()
    empty.save(tmp_path / "manifest.jsonl")
    assert Dataset.load(tmp_path / "manifest.jsonl", empty.root, "vision") == empty


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"Cannot read the manifest .*none: No such file or directory. Check that"):
        Dataset.load(tmp_path / "none", tmp_path, "vision")


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"key": 1}', b"\xff", b"3"])
def test_a_damaged_line_is_named_with_its_number(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "manifest.jsonl"
    dataset(*records("a", 1)).save(path)
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(DataError, match=r"Line 2 of .*manifest.jsonl is damaged \(.*\)\. Restore it, or train again"):
        Dataset.load(path, tmp_path, "vision")


def test_a_dataset_cannot_be_changed() -> None:
    data = dataset(*records("a", 1))
    with pytest.raises(AttributeError):
        data.records = ()  # type: ignore[misc]
    assert replace(data, root=Path("elsewhere")).root == Path("elsewhere")


def test_traits_stay_with_their_records_through_a_split() -> None:
    data = dataset(*records("a", 10), *records("b", 10), Record("a/bad", "", "a", None, "empty"))
    size = np.arange(21, dtype=np.float32)
    data = replace(data, traits={"size": size})
    parted = data.split(valid=0.2, seed=1)
    assert parted.traits["size"] is size
    judged = parted.part("held-out")
    place = [parted.records.index(record) for record in judged]
    assert parted.traits_of(judged)["size"].tolist() == place
    assert dataset(*records("a", 2)).traits_of(records("a", 1)) == {}


def test_traits_have_a_value_for_every_record() -> None:
    with pytest.raises(DataError, match=r"3 records need the trait 'size' of shape \(3,\), got \(2,\)\."):
        Dataset(tuple(records("a", 3)), Path("photos"), "vision", traits={"size": np.zeros(2)})


def test_a_manifest_holds_no_traits(tmp_path: Path) -> None:
    data = replace(dataset(*records("a", 3)), traits={"size": np.zeros(3)})
    data.save(tmp_path / "manifest.jsonl")
    loaded = Dataset.load(tmp_path / "manifest.jsonl", data.root, data.modality)
    assert loaded.traits == {}
    assert loaded == data
