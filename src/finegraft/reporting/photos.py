"""Judged records as photos: each with what it is, what was said of it, and how surely."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from finegraft.reporting import wording
from finegraft.reporting.markup import Child, Html, name, tag
from finegraft.reporting.material import Material


def answered(material: Material, rows: Iterable[int], small: bool = False) -> Html:
    """The judged records at `rows` of the evaluation, in that order; their photos must have been prepared."""
    return tag("ul", *(_answered(material, row, small) for row in rows), class_="photos small" if small else "photos")


def named(key: str, small: bool) -> Html:
    """The name of a photo below it; where the photos are small, the file's name in one line, and all of it on hover."""
    if not small:
        return tag("span", name(key), class_="note")
    return tag("span", name(PurePosixPath(key).name), class_="note line", title=key)


def _answered(material: Material, row: int, small: bool) -> Html:
    evaluation = material.evaluation
    key, answer = evaluation.keys[row], int(evaluation.predicted[row])
    label, said = evaluation.labels[int(evaluation.truth[row])], evaluation.labels[answer]
    right = label == said
    words: Child = "said, rightly, " if right else "said "
    sure = wording.percent(float(evaluation.probabilities[row, answer]))
    return tag(
        "li",
        material.album.photo(key, key),
        tag("span", "is ", tag("strong", name(label))),
        tag("span", tag("span", words, name(said), class_="right" if right else "wrong"), f", {sure}"),
        named(key, small),
    )
