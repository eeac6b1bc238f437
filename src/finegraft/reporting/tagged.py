"""Several tags per record: what is found and what is right of each, and the records with the most wrong tags."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from finegraft.evaluation.metrics import Metric
from finegraft.evaluation.tag_metrics import TagScore
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.reporting import photos, tag_doubt, verdict, wording
from finegraft.reporting.bars import share_ruler
from finegraft.reporting.markup import Child, Html, join, name, tag
from finegraft.reporting.material import Material
from finegraft.reporting.page import (
    Column,
    Section,
    answer,
    nothing,
    paragraph,
    section,
    table,
    term,
    unfolding,
)

_FOLDED = 40  # rows of a table that are shown without asking
_WORST = 12

# name -> (what it is called, what it means)
_METRICS: dict[str, tuple[str, str]] = {
    "micro_f1": ("F1 of all tags", "The mean of the two below that punishes the lower one."),
    "micro_precision": ("Right when named", "Of the tags answered, how many are right (precision)."),
    "micro_recall": ("Found", "Of the tags there are, how many were answered (recall)."),
    "macro_f1": ("F1, mean over tags", "As above, every tag counting the same, however rare."),
    "macro_precision": ("Right when named, mean over tags", "Every tag counting the same."),
    "macro_recall": ("Found, mean over tags", "Every tag counting the same."),
    "macro_auroc": ("Ranking, mean over tags", "How often a record with the tag ranks above one without (AUROC)."),
    "macro_average_precision": ("Average precision, mean over tags", "Precision averaged over all thresholds."),
    "exact_match": ("All tags right", "Share of records without any wrong or missing tag."),
    "hamming_loss": ("Wrong answers", "Share of wrong yes or no answers among records times tags."),
}


def tags_of(material: Material) -> TagsEvaluation:
    """The evaluation of tags that a page is made from."""
    if not isinstance(material.judged, TagsEvaluation):
        raise TypeError(f"A {type(material.judged).__name__} tells nothing of tags.")
    return material.judged


def title(material: Material) -> str:
    """What the page is called."""
    exact = tags_of(material).metrics()["exact_match"]
    return verdict.title(material, f"{wording.percent(exact.value)} with all tags right")


def sections(material: Material) -> list[Section]:
    """The records that are furthest off, the figures of merit, each tag on its own, and how sure the answers are."""
    return [_worst(material), _merits(tags_of(material)), _each(tags_of(material)), *tag_doubt.unsure(material)]


def wanted(material: Material) -> Iterator[str]:
    """The keys of the photos to prepare."""
    evaluation = tags_of(material)
    yield from (evaluation.keys[row] for row in evaluation.wrong(_WORST))


def header(material: Material) -> Html:
    """The page's header."""
    evaluation = tags_of(material)
    found = evaluation.metrics()
    exact, f1 = found["exact_match"], found["micro_f1"]
    unseen = " it has not seen" if material.settings else ""
    said = f"Judged on {material.counted(len(evaluation))}{unseen}, {wording.count(len(evaluation.target), 'tag')}. "
    between: list[Child] = []
    if exact.interval is not None:
        between = [tag("span", wording.percent_range(exact.interval), class_="range")]
    usual = f"{wording.percent(exact.value)} with all tags right "
    asked = verdict.asked_for(material)
    return tag(
        "header",
        verdict.eyebrow(material),
        *(asked or [tag("h1", usual, *between)]),
        tag("p", said, _weakest(evaluation), " ", verdict.left_out(material), class_="lead"),
        *([paragraph(f"{usual.strip()} ({_range(exact)}).")] if asked else []),
        tag("div", share_ruler(exact.value, exact.interval, None, "all right"), class_="ruler"),
        paragraph(
            f"A wrong or missing tag makes a {material.noun} count as wrong here. The F1 of all tags is {f1}. "
            f"The range holds the true share in 95 of 100 such measurements. Always answering the commonest tags would "
            f"give {wording.percent(_commonest(evaluation))}.{verdict.looks(material)}"
        ),
        *verdict.what_next(material),
    )


def _weakest(evaluation: TagsEvaluation) -> Html:
    """A sentence on the tag that is found least."""
    there = [score for score in evaluation.per_tag() if score.support]
    if not there:
        return Html("None of the records has a tag.")
    least = min(there, key=lambda score: (score.f1.value, score.support, score.label))
    found = round(least.recall.value * least.support)
    words = f": it found {found:,} of {least.support:,}, and {found:,} of {least.answered:,} answers were right."
    return join(["It is weakest at ", name(least.label), words])


def _merits(evaluation: TagsEvaluation) -> Section:
    found = evaluation.metrics()
    rows: list[list[Child]] = [
        [
            join([called, tag("span", meaning, class_="note")]),
            wording.percent(found[key].value),
            _range(found[key]),
        ]
        for key, (called, meaning) in _METRICS.items()
        if key in found
    ]
    columns = [Column("Measure"), Column("Value", True), Column(term("Interval"), True)]
    why = paragraph(evaluation.summary_json()["intervals"]["why"])
    return section("merits", "How good", table("Figures of merit", columns, rows), why)


def _each(evaluation: TagsEvaluation) -> Section:
    scores = sorted(evaluation.per_tag(), key=lambda score: (not score.support, score.f1.value, score.label))
    thresholds = dict(zip(evaluation.labels, evaluation.summary_json()["thresholds"], strict=True))
    rows = [_tag_row(score, thresholds[score.label]) for score in scores]
    columns = [
        Column("Tag"),
        Column("There", True),
        Column("Answered", True),
        Column("Found", True),
        Column("Right when named", True),
        Column("F1", True),
        Column("Ranking", True),
        Column("Answered from", True),
    ]
    words = paragraph(
        "Found: of the records with the tag, how many it was answered for (recall). Right when named: of those it was "
        "answered for, how many have it (precision). Ranking: of a record with the tag and one without, how often the "
        "first has the higher probability (AUROC). Worst first."
    )
    first = table("Each tag", columns, rows[:_FOLDED])
    rest = rows[_FOLDED:]
    more = [unfolding(f"{len(rest):,} more tags", table("More tags", columns, rest))] if rest else []
    return section("tags", "Tag by tag", words, first, *more)


def _tag_row(score: TagScore, threshold: float) -> list[Child]:
    there, answered = score.support > 0, score.answered > 0
    return [
        name(score.label),
        f"{score.support:,}",
        f"{score.answered:,}",
        _over_range(score.recall) if there else "none there",
        _over_range(score.precision) if answered else "–",
        _over_range(score.f1) if there or answered else "–",
        "–" if score.auroc is None else _over_range(score.auroc),
        wording.decimal(threshold),
    ]


def _worst(material: Material) -> Section:
    evaluation = tags_of(material)
    worst = evaluation.wrong(_WORST)
    if not worst:
        return section("worst", "Furthest off", nothing(f"Every {material.noun} has exactly the tags it was given."))
    wrong = int((evaluation.truth != evaluation.answered).any(axis=1).sum())
    have = "has" if wrong == 1 else "have"
    said = answer(f"{material.counted(wrong)} of {len(evaluation):,} {have} a wrong or missing tag.")
    if material.root is not None:
        look = paragraph("The most wrong tags come first. Look here for wrong labels: the model may be right.")
        shown = tag("ul", *(_photo(material, evaluation, row) for row in worst), class_="photos")
        return section("worst", "Furthest off", said, look, shown)
    columns = [Column(material.noun.capitalize()), Column("Has"), Column("Missed"), Column("Wrongly added")]
    rows: list[list[Child]] = []
    for row in worst:
        missed, added = _mistakes(evaluation, row)
        rows.append([name(evaluation.keys[row]), *(_listed(each) for each in (evaluation.tags_of(row), missed, added))])
    return section("worst", "Furthest off", said, table("The most wrong tags", columns, rows))


def _mistakes(evaluation: TagsEvaluation, row: int) -> tuple[list[str], list[str]]:
    """The tags that were missed, and those wrongly added."""
    has, given = evaluation.tags_of(row), evaluation.tags_of(row, answered=True)
    return [tag for tag in has if tag not in given], [tag for tag in given if tag not in has]


def _photo(material: Material, evaluation: TagsEvaluation, row: int) -> Html:
    key, (missed, added) = evaluation.keys[row], _mistakes(evaluation, row)
    found = [tag for tag in evaluation.tags_of(row) if tag not in missed]
    lines = [
        tag("span", f"{sign} {words} ", _listed(labels), class_=class_)
        for sign, words, labels, class_ in (
            ("✓", "found", found, "right"),
            ("✗", "missed", missed, "wrong"),
            ("✗", "added", added, "wrong"),
        )
        if labels
    ]
    return tag("li", material.album.photo(key, key), *lines, photos.named(key, small=False))


def _commonest(evaluation: TagsEvaluation) -> float:
    """The share that would be right if every record got the set of tags that most records have."""
    _, counts = np.unique(evaluation.truth, axis=0, return_counts=True)
    return float(counts.max() / len(evaluation))


def _listed(labels: list[str] | tuple[str, ...]) -> Html:
    return join([name(label) for label in labels], ", ") if labels else Html("–")


def _over_range(metric: Metric) -> Html:
    """The value and under it its interval, which keeps the columns narrow."""
    return join([wording.percent(metric.value), tag("span", _range(metric), class_="note")])


def _range(metric: Metric) -> str:
    return "–" if metric.interval is None else wording.percent_range(metric.interval)
