"""One self-contained page: the document around the content, and the few blocks every page is made of."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from finegraft.reporting.axes import Figure
from finegraft.reporting.markup import Child, Html, clean, join, tag

# What the words of our trade mean, in one sentence each: shown where the pointer rests on them.
MEANINGS: dict[str, str] = {
    "interval": "Where the true number lies in 95 of 100 such measurements.",
    "held out": "A part of your data, chosen by chance, that the model never learned from.",
    "macro recall": "The share found of each class, averaged over the classes: a rare one counts as much as any.",
    "learning rate": "How far the model moves at each step of learning.",
    "epoch": "One pass over everything the model learns from.",
    "head": "The last layers, which are learned from your data.",
    "backbone": "The pretrained network that already knows how to see.",
    "digest": "A fingerprint of content: equal digests mean equal bytes.",
    "temperature": "What the scores are divided by, so that the probabilities mean what they say.",
    "unsure below": "Answers whose probability is lower than this are marked as unsure.",
    "seed": "The number all chance in this run was drawn from: the same seed gives the same run.",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its head, and whether it holds numbers (they are set to the right)."""

    head: Child
    number: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: where a link leads, what it says, and the markup."""

    anchor: str
    heading: str
    body: Html


def document(title: str, header: Html, sections: Sequence[Section], footer: str, held: Html | None = None) -> str:
    """The whole HTML file: header, a list of the sections, the sections, footer, and the pictures `held` for them.

    The policy in its head allows our own style sheet (by its digest) and embedded pictures, and nothing else: no
    script, no font, no connection.
    """
    style = stylesheet()
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{allowed}'; img-src data:; base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        Html(f"<style>{style}</style>"),
    )
    skip = tag("a", "Skip to the content", class_="skip", href="#content")
    main = tag("main", *(part.body for part in sections), id="content")
    sheet = tag("div", header, _contents(sections), main, tag("footer", paragraph(footer)), class_="sheet")
    body = tag("body", skip, sheet, held or Html(""))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


@cache
def stylesheet() -> str:
    """The tokens and the rules of our pages. No markup ends it early: the text is our own."""
    here = resources.files("finegraft")
    return "".join(here.joinpath(name).read_text(encoding="utf-8") for name in ("tokens.css", "reporting/page.css"))


def section(anchor: str, heading: str, *parts: Html) -> Section:
    """A part of the page with its heading; `anchor` is its id."""
    head_id = f"{anchor}-heading"
    head = tag("h2", heading, id=head_id)
    return Section(
        anchor, heading, tag("section", head, tag("div", *parts, class_="body"), id=anchor, aria_labelledby=head_id)
    )


def paragraph(*parts: Child) -> Html:
    """Running text."""
    return tag("p", *parts)


def answer(*parts: Child) -> Html:
    """What a section comes down to, in one sentence: it stands first."""
    return tag("p", *parts, class_="answer")


def nothing(*parts: Child) -> Html:
    """What stands where there is nothing to show: it says why, and what would fill the place."""
    return tag("p", *parts, class_="nothing")


def term(word: str, shown: str = "") -> Html:
    """A word of our trade, with its meaning (`MEANINGS`) where the pointer rests on it; `shown` in its place."""
    return tag("abbr", shown or word, title=MEANINGS[word.lower()])


def table(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Child]], class_: str = "") -> Html:
    """A table whose first column names the row. It scrolls inside its own frame where the page is narrow."""
    head = tag("tr", *(tag("th", c.head, scope="col", class_="number" if c.number else None) for c in columns))
    body = tag("tbody", *(_row(columns, row) for row in rows))
    whole = tag("table", tag("caption", caption), tag("thead", head), body, class_=class_ or None)
    return scrolling(caption, whole)


def facts(caption: str, rows: Sequence[tuple[Child, Child]]) -> Html:
    """A table of two columns without heads: what, and its value."""
    body = (tag("tr", tag("th", what, scope="row"), tag("td", value)) for what, value in rows)
    return scrolling(caption, tag("table", tag("caption", caption), tag("tbody", *body), class_="facts"))


def scrolling(label: str, inner: Html) -> Html:
    """A frame that scrolls sideways when its content is wider; the keyboard reaches it."""
    return tag("div", inner, class_="scroll", role="region", aria_label=label, tabindex="0")


def figure(drawn: Figure) -> Html:
    """A figure under its title (the answer), with the note on how to read it below."""
    note = tag("p", drawn.note, class_="note") if drawn.note else Html("")
    title = tag("figcaption", drawn.title)
    return tag("figure", title, scrolling(drawn.title, drawn.svg), note)


def folded(drawn: Figure) -> Html:
    """A figure that is folded away under its title: the answer is there all the same."""
    note = [tag("p", drawn.note, class_="note")] if drawn.note else []
    return unfolding(drawn.title, tag("figure", scrolling(drawn.title, drawn.svg), *note))


def picture(content: bytes, described: str) -> Html | None:
    """An embedded picture, or None where `content` is not a JPEG, PNG or WebP."""
    kind = kind_of(content)
    if kind is None:
        return None
    source = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return tag("img", src=source, alt=clean(described), decoding="async")


def unfolding(summary: str, *parts: Html) -> Html:
    """Content that is folded away until asked for; printed in full."""
    return tag("details", tag("summary", summary), *parts)


def command(line: str) -> Html:
    """A line to type."""
    return tag("pre", tag("code", line))


def _contents(sections: Sequence[Section]) -> Html:
    if len(sections) < 2:
        return Html("")
    links = (tag("li", tag("a", part.heading, href=f"#{part.anchor}")) for part in sections)
    return tag("nav", tag("ul", *links), aria_label="On this page")


def _row(columns: Sequence[Column], row: Sequence[Child]) -> Html:
    cells = [tag("th", row[0], scope="row", class_="number" if columns[0].number else None)]
    cells += [
        tag("td", value, class_="number" if column.number else None)
        for column, value in zip(columns[1:], row[1:], strict=True)
    ]
    return tag("tr", join(cells))


def kind_of(content: bytes) -> str | None:
    """The picture format a browser shows: jpeg, png or webp; None for anything else."""
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    return "webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None
