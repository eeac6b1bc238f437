"""Files that are hard to get at, and names that are hard to print."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from tests.hostile.kind import Kind
from tests.making import photo


def _link(target: str) -> Callable[[Path], bool]:
    def place(path: Path) -> bool:
        path.symlink_to(target)
        return True

    return place


def _pipe(path: Path) -> bool:
    os.mkfifo(path)
    return True


def _socket(path: Path) -> bool:
    """By a short relative name: the full one may be longer than sockets allow."""
    before = Path.cwd()
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(path.parent)
        try:
            listener.bind(path.name)
        finally:
            os.chdir(before)
    return True


def _forbidden(path: Path) -> bool:
    path.write_bytes(photo(5))
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read everything
        path.unlink()
        return False
    return True


def _closed_folder(path: Path) -> bool:
    path.mkdir()
    (path / "photo.jpg").write_bytes(photo(6))
    path.chmod(0)
    if os.access(path, os.R_OK):
        path.chmod(0o755)
        (path / "photo.jpg").unlink()
        path.rmdir()
        return False
    return True


def _no_text(path: Path) -> bool:
    """A name of bytes that are no UTF-8. Some file systems refuse it."""
    try:
        Path(os.fsdecode(bytes(path.with_name("caf")) + b"\xe9.jpg")).write_bytes(photo(7))
    except OSError:
        return False
    return True


def _photo(seed: int) -> Callable[[], bytes]:
    return lambda: photo(seed)


KINDS = (
    Kind("pipe.jpg", None, "unreadable", "a pipe or a device", _pipe),
    Kind("socket.jpg", None, "unreadable", "a pipe or a device", _socket),
    Kind("device.jpg", None, "unreadable", "a pipe or a device", _link("/dev/zero")),
    Kind("dangling.jpg", None, "unreadable", "leads nowhere", _link("nowhere.jpg")),
    Kind("round-in-circles.jpg", None, "unreadable", "cannot be read", _link("round-in-circles.jpg")),
    Kind("forbidden.jpg", None, "unreadable", "You may not read this file", _forbidden),
    Kind("closed-folder", None, "unreadable", "You may not list this folder", _closed_folder),
    Kind(os.fsdecode(b"caf\xe9.jpg"), None, "unreadable", "not valid UTF-8", _no_text),
    Kind("two\nlines.jpg", _photo(10)),
    Kind("carriage\rreturn.jpg", _photo(11)),
    Kind("\x1b[31mred\x1b[0m\x07.jpg", _photo(12)),
    Kind("txet \u202egpj.exe.jpg", _photo(13)),
    Kind("-rf.jpg", _photo(14)),
    Kind("--json", _photo(15)),
    Kind("  spaces  .jpg", _photo(16)),
    Kind("<script>alert(1)</script>&amp;.jpg".replace("/", "∕"), _photo(17)),
    Kind("*?[a-z].jpg", _photo(18)),
    Kind("$(reboot);'\"`.jpg", _photo(19)),
    Kind("n" * 251 + ".jpg", _photo(20)),
    Kind("e\u0301 and \u00e9 \U0001f43b.jpg", _photo(21)),
    Kind("back\\slash.jpg", _photo(22)),
    Kind("no suffix", _photo(23)),
)
