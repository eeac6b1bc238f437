from __future__ import annotations

import gzip
import lzma
import tarfile
from pathlib import Path

import pytest

from finegraft.data.tars import entries
from finegraft.data.unpacking import Bounds
from finegraft.errors import DataError
from tests.data.packing import header, raw_header, tarred

TWO = [("a/1.jpg", b"one"), ("b.jpg", b"two" * 1000)]


def read(path: Path, bounds: Bounds | None = None) -> dict[str, bytes]:
    return {
        e.name: e.open().read() for e in entries(path, bounds or Bounds()) if e.refused is None and e.name[-1] != "/"
    }


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_entries_of_every_compression(tmp_path: Path, mode: str) -> None:
    path = tarred(tmp_path / "no-suffix", [header("a", tarfile.DIRTYPE), *TWO], mode)
    assert [(entry.name, entry.size) for entry in entries(path)] == [("a/", 0), ("a/1.jpg", 3), ("b.jpg", 3000)]
    assert read(path) == dict(TWO)


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_entries_of_every_format(tmp_path: Path, format: int) -> None:  # noqa: A002
    names = ["a/" + "long" * 20 + "/x.jpg", "größe 猫.jpg", "new\nline.jpg", "./dotted.jpg"]
    path = tarred(tmp_path / "a.tar", [(name, name.encode()) for name in names], format=format)
    assert read(path) == {name: name.encode() for name in names}


def test_several_streams_in_one_file_are_one_tar(tmp_path: Path) -> None:
    """As parallel compressors write them."""
    whole = tarred(tmp_path / "a.tar", TWO).read_bytes()
    for pack in (gzip.compress, lzma.compress):
        (tmp_path / "b").write_bytes(pack(whole[:700]) + pack(whole[700:]))
        assert read(tmp_path / "b") == dict(TWO)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    links = [
        header("soft.jpg", tarfile.SYMTYPE, leads_to="/etc/passwd"),
        header("hard.jpg", tarfile.LNKTYPE, leads_to="../x"),
    ]
    devices = [header("null", tarfile.CHRTYPE), header("disk", tarfile.BLKTYPE), header("pipe", tarfile.FIFOTYPE)]
    path = tarred(tmp_path / "a.tar", [*links, *devices, *TWO])
    reasons = {entry.name: entry.refused for entry in entries(path)}
    assert reasons == {
        **dict.fromkeys(("soft.jpg", "hard.jpg"), "Not unpacked: it is a link."),
        **dict.fromkeys(("null", "disk", "pipe"), "Not unpacked: it is a device or a pipe, not a file."),
        **dict.fromkeys(("a/1.jpg", "b.jpg"), None),
    }
    assert read(path) == dict(TWO)


def test_a_name_of_another_encoding_stays_as_it_is(tmp_path: Path) -> None:
    path = tarred(tmp_path / "a.tar", [("caf\udce9.jpg", b"1")], format=tarfile.GNU_FORMAT, errors="surrogateescape")
    assert read(path) == {"caf\udce9.jpg": b"1"}


def test_a_sparse_file_shows_its_whole_size(tmp_path: Path) -> None:
    """A few bytes on disk that are a terabyte once they are written out."""
    sparse = bytearray(raw_header("sparse.jpg", b"00000000003\0", kind=b"S"))
    sparse[386:410] = b"00000000000\0" + b"00000000003\0"  # one piece: three bytes at the beginning
    sparse[483:495] = b"\x80" + (2**40).to_bytes(11, "big")
    sparse[148:156] = b" " * 8
    sparse[148:156] = f"{sum(sparse):06o}\0 ".encode()
    path = tmp_path / "a.tar"
    path.write_bytes(bytes(sparse) + b"one".ljust(512, b"\0") + bytes(1024))
    (entry,) = entries(path)
    assert (entry.name, entry.size) == ("sparse.jpg", 2**40)


def test_a_bomb_ends_where_its_bytes_exceed_the_bounds(tmp_path: Path) -> None:
    """Even where nothing of it is wanted: what is passed over must be unpacked too."""
    path = tarred(tmp_path / "bomb.tar.gz", [("huge.jpg", bytes(8 * 2**20)), ("b.jpg", b"two")], "w:gz")
    assert path.stat().st_size < 20_000
    with pytest.raises(DataError, match=r"bomb\.tar\.gz unpacks to more than 4 MB, which is too much for its size"):
        list(entries(path, Bounds(modest=4 * 2**20, ratio=10)))
    assert len(list(entries(path))) == 2


def test_too_many_entries(tmp_path: Path) -> None:
    path = tarred(tmp_path / "many.tar", [header(str(i)) for i in range(100)])
    assert len(list(entries(path, Bounds(entries=100)))) == 100
    with pytest.raises(DataError, match=r"many\.tar unpacks to more than 99 entries"):
        list(entries(path, Bounds(entries=99)))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (raw_header("a.jpg", b"\xff" * 12), "negative size"),
        (raw_header("a.jpg", b"\xff" + b"\0" * 10 + b"\x01"), "negative size"),
        (
            raw_header("x", b"\x80" + (2**33).to_bytes(11, "big"), kind=b"L") + bytes(2048),
            "a header of 8,589,934,592 bytes",
        ),
        (
            raw_header("x", b"\x80" + (2**33).to_bytes(11, "big"), kind=b"x") + bytes(2048),
            "a header of 8,589,934,592 bytes",
        ),
        (raw_header("x", b"00000000000\0", kind=b"x") * 3000 + bytes(1024), "recursion|RecursionError"),
        (raw_header("a.jpg", b"zzzzzzzzzzzz"), "invalid|bad"),
    ],
)
def test_headers_that_would_lead_astray(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(content + bytes(1024))
    with pytest.raises(DataError, match=rf"a\.tar is (no tar, or is damaged \(.*({why})|cut off)"):
        list(entries(path))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_what_was_cut_off_is_never_taken_for_whole(tmp_path: Path, mode: str) -> None:
    content = bytes(range(256)) * 40  # not to be packed to nothing
    whole = tarred(tmp_path / "a", [("a.jpg", content), ("b.jpg", content[::-1])], mode).read_bytes()
    path = tmp_path / "cut"
    last = len(whole.rstrip(b"\0"))  # a plain tar ends with blocks of zeros, of which it needs one
    for length in {0, 1, 100, 512, 513, 1024, last // 2, last - 100}:
        path.write_bytes(whole[: min(length, last - 100)])
        with pytest.raises(DataError, match=r"cut is (no tar, or is damaged|cut off)"):
            list(entries(path))


def test_damage_behind_the_first_entry_does_not_end_the_tar_silently(tmp_path: Path) -> None:
    whole = bytearray(tarred(tmp_path / "a.tar", TWO).read_bytes())
    whole[1024 + 3] ^= 0xFF  # in the name of the second one: its checksum is wrong
    (tmp_path / "a.tar").write_bytes(whole)
    with pytest.raises(DataError, match=r"a\.tar is cut off: a tar ends with empty blocks"):
        list(entries(tmp_path / "a.tar"))


def test_what_is_packed_but_no_tar(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv.gz"
    path.write_bytes(gzip.compress(b"file,label\na.jpg,rose\n" * 100))
    with pytest.raises(DataError, match=r"labels\.csv\.gz is no tar, or is damaged \(.*\)\. Fetch it again\."):
        list(entries(path))


def test_a_dictionary_of_gigabytes_is_refused(tmp_path: Path) -> None:
    """The header of xz says how much memory unpacking takes: here 768 MiB for a small file."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 768 * 2**20}]
    whole = tarred(tmp_path / "a.tar", TWO).read_bytes()
    (tmp_path / "a.tar.xz").write_bytes(lzma.compress(whole, filters=filters))
    with pytest.raises(DataError, match=r"is no tar, or is damaged \(.*[Mm]emory"):
        list(entries(tmp_path / "a.tar.xz"))


def test_a_tar_that_needs_a_newer_python_says_so(tmp_path: Path) -> None:
    try:
        from compression import zstd  # type: ignore[import-not-found]
    except ImportError:
        path = tmp_path / "a.tar.zst"
        path.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(100))
        with pytest.raises(DataError, match=r"packed with zstandard needs Python 3\.14 or newer\. Unpack it yourself"):
            list(entries(path))
    else:
        (tmp_path / "a").write_bytes(zstd.compress(tarred(tmp_path / "a.tar", TWO).read_bytes()))
        assert read(tmp_path / "a") == dict(TWO)


def test_memory_does_not_grow_with_the_entries(tmp_path: Path) -> None:
    import tracemalloc

    path = tarred(tmp_path / "many.tar", [header(f"{i:06d}.jpg") for i in range(20_000)])
    tracemalloc.start()
    count = sum(1 for _ in entries(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 3 * 2**20, "tarfile by itself keeps a kilobyte of each"


def test_streams_are_read_piece_by_piece(tmp_path: Path) -> None:
    path = tarred(tmp_path / "a.tar.gz", [("a.jpg", bytes(1000))], "w:gz")
    found = entries(path)
    with next(found).open() as content:
        assert content.read(10) == bytes(10)
        assert len(content.read()) == 990
