from __future__ import annotations

import pytest

from finegraft.reporting.markup import Html, clean, isolated, join, name, tag
from tests.reporting.making import HOSTILE
from tests.reporting.reading import Outline


def test_children_and_attributes_are_escaped_unless_they_are_html() -> None:
    inner = tag("b", "bold")
    assert tag("p", "a < b & c", inner, title='say "hi"').text == (
        '<p title="say &quot;hi&quot;">a &lt; b &amp; c<b>bold</b></p>'
    )


def test_underscores_become_hyphens_and_none_is_left_out() -> None:
    assert tag("th", scope="row", class_="number", aria_label=None, font_size=1.5).text == (
        '<th scope="row" class="number" font-size="1.5"></th>'
    )
    assert tag("meta", charset="utf-8").text == '<meta charset="utf-8">'


def test_join_escapes_what_it_puts_between() -> None:
    assert join(["<", Html("<i></i>")], " & ").text == "&lt; &amp; <i></i>"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_come_back_as_text(hostile: str) -> None:
    outline = Outline(tag("p", name(hostile), title=hostile).text)
    assert outline.errors == []
    assert [found for found, _ in outline.elements] == ["p", "bdi"]
    assert "".join(outline.words) == clean(hostile)
    assert outline.all("p")[0]["title"] == clean(hostile)


def test_what_cannot_be_shown_is_replaced() -> None:
    assert clean("a\x00b\x1b\u202ec\udcff\ufffe") == "a\ufffdb\ufffd\ufffdc\ufffd\ufffd"
    assert clean("ordinary ورد 名 👩‍👩‍👧 text\n") == "ordinary ورد 名 👩‍👩‍👧 text\n"
    tag("p", "\udcff").text.encode("utf-8")


def test_only_names_in_other_scripts_are_isolated_in_plain_text() -> None:
    assert isolated("rose") == "rose"
    assert isolated("ورد") == "\u2068ورد\u2069"
