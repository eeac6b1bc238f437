"""Several tags per record: what is found and what is right of each, and the records with the most wrong tags."""

from __future__ import annotations

from finegraft.evaluation.metrics import Metric
from finegraft.evaluation.tag_metrics import TagScore
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.reporting import wording
from finegraft.reporting.bars import share_ruler
from finegraft.reporting.markup import Child, Html, join, name, tag
from finegraft.reporting.page import (
    Column,
    Section,
    answer,
    document,
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


def page_of_tags(evaluation: TagsEvaluation) -> str:
    """The whole page, as text."""
    found = evaluation.metrics()
    exact = found["exact_match"]
    title = f"{wording.percent(exact.value)} with all tags right"
    footer = "Made by finegraft. Every number here comes from the evaluation."
    return document(title, _header(evaluation, exact, found["micro_f1"]), tags(evaluation), footer)


def tags(evaluation: TagsEvaluation) -> list[Section]:
    """The figures of merit, each tag on its own, and the records that are furthest off."""
    return [_merits(evaluation), _each(evaluation), _worst(evaluation)]


def _header(evaluation: TagsEvaluation, exact: Metric, f1: Metric) -> Html:
    said = f"Judged on {wording.count(len(evaluation), 'record')} with {wording.count(len(evaluation.target), 'tag')}. "
    between: list[Child] = []
    if exact.interval is not None:
        between = [tag("span", wording.percent_range(exact.interval), class_="range")]
    return tag(
        "header",
        tag("p", "finegraft report", class_="eyebrow"),
        tag("h1", f"{wording.percent(exact.value)} with all tags right ", *between),
        tag("p", said, _weakest(evaluation), class_="lead"),
        tag("div", share_ruler(exact.value, exact.interval, None, "all right"), class_="ruler"),
        paragraph(
            f"A wrong or missing tag makes a record count as wrong here. The F1 of all tags is {f1}. "
            "The range holds the true share in 95 of 100 such measurements."
        ),
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


def _worst(evaluation: TagsEvaluation) -> Section:
    worst = evaluation.wrong(_WORST)
    if not worst:
        return section("worst", "Furthest off", nothing("Every record has exactly the tags it was given."))
    columns = [Column("Record"), Column("Has"), Column("Missed"), Column("Wrongly added")]
    rows: list[list[Child]] = []
    for row in worst:
        has, given = evaluation.tags_of(row), evaluation.tags_of(row, answered=True)
        missed, added = [tag for tag in has if tag not in given], [tag for tag in given if tag not in has]
        rows.append([name(evaluation.keys[row]), *(_listed(each) for each in (has, missed, added))])
    wrong = int((evaluation.truth != evaluation.answered).any(axis=1).sum())
    have = "has" if wrong == 1 else "have"
    said = answer(f"{wording.count(wrong, 'record')} of {len(evaluation):,} {have} a wrong or missing tag.")
    return section("worst", "Furthest off", said, table("The most wrong tags", columns, rows))


def _listed(labels: list[str] | tuple[str, ...]) -> Html:
    return join([name(label) for label in labels], ", ") if labels else Html("–")


def _over_range(metric: Metric) -> Html:
    """The value and under it its interval, which keeps the columns narrow."""
    return join([wording.percent(metric.value), tag("span", _range(metric), class_="note")])


def _range(metric: Metric) -> str:
    return "–" if metric.interval is None else wording.percent_range(metric.interval)
