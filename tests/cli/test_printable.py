from __future__ import annotations

import os

import pytest

from finegraft.cli.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("größe 猫.jpg", "größe 猫.jpg"),
        ("two\nlines\ttab", r"two\nlines\ttab"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        (os.fsdecode(b"\xff.jpg"), r"\udcff.jpg"),
    ],
)
def test_names_stay_on_their_line_and_show_what_they_hold(text: str, shown: str) -> None:
    assert printable(text) == shown
