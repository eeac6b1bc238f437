"""What calling an answer unsure is worth: how many are set aside, for which reason, and how many errors are left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from finegraft.evaluation import estimates
from finegraft.evaluation.result import Evaluation
from finegraft.reporting import photos, wording
from finegraft.reporting.coverage import curve, short_percent, threshold_of, wanted_error
from finegraft.reporting.markup import Child, Html, tag
from finegraft.reporting.material import Material
from finegraft.reporting.page import Column, Section, answer, figure, nothing, paragraph, section, table, term

_PHOTOS = 6  # of each reason


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """Which judged answers are called unsure, as bool (n,) each: for being `close` calls, for being `unlike` what was
    learned from. No answer is in both: what is unlike is said to be so, however sure the answer.
    """

    close: np.ndarray
    unlike: np.ndarray

    @property
    def sure(self) -> np.ndarray:
        """The other answers, bool (n,)."""
        return np.asarray(~(self.close | self.unlike))


def doubt(evaluation: Evaluation, threshold: float) -> Doubt:
    """The answers whose top probability is below `threshold`, and those whose novelty is above 1."""
    confidence = evaluation.probabilities.max(axis=1)
    unlike = np.zeros(len(evaluation), dtype=bool) if evaluation.novelty is None else evaluation.novelty > 1
    return Doubt((confidence < threshold) & ~unlike, np.asarray(unlike))


def unsure(material: Material) -> Section:
    """The curve of error against the share answered, the chosen threshold on it, the reasons counted, and photos."""
    evaluation, threshold = material.evaluation, threshold_of(material)
    drawn = figure(curve(material))
    if threshold is None:
        words = nothing("No threshold for “unsure” was chosen: the evaluation alone holds none.")
        return section("unsure", "Unsure", words, drawn)
    found = doubt(evaluation, threshold)
    parts = [_said(material, found), drawn, _chosen(material, threshold), _reasons(material, found)]
    return section("unsure", "Unsure", *parts, *_pictures(material, found))


def wanted(material: Material) -> Iterator[str]:
    """The keys of the photos to prepare."""
    threshold = threshold_of(material)
    if threshold is not None:
        for rows in _examples(material.evaluation, doubt(material.evaluation, threshold)).values():
            yield from (material.evaluation.keys[row] for row in rows)


def _said(material: Material, found: Doubt) -> Html:
    evaluation = material.evaluation
    sure = int(found.sure.sum())
    aside = len(evaluation) - sure
    if not aside:
        return answer("It is sure of every answer here.")
    right = (evaluation.truth == evaluation.predicted) & found.sure
    words = f"It calls {aside:,} of {len(evaluation):,} answers unsure"
    if not sure:
        return answer(f"{words}: none is left.")
    metric = estimates.share(right.astype(np.float64), found.sure.astype(np.float64)).metric(evaluation.clusters)
    share = f"{wording.percent(metric.value)} ({wording.percent_range(metric.interval or (0.0, 1.0))})"
    return answer(f"{words}; of the other {sure:,}, {share} are right.")


def _chosen(material: Material, threshold: float) -> Html:
    aim = wanted_error(material)
    words: list[Child] = ["Answers whose probability is below ", term("unsure below", wording.percent(threshold))]
    words.append(
        f" are close calls. That threshold was chosen on answers to the training part, {_given(material)}, so "
    )
    words.append(f"that at most {short_percent(aim)} % of what is left would be wrong.")
    return paragraph(*words)


def _given(material: Material) -> str:
    return "to records kept aside" if material.unseen == "kept aside" else "given out of fold"


def _reasons(material: Material, found: Doubt) -> Html:
    evaluation = material.evaluation
    wrong = evaluation.truth != evaluation.predicted
    groups = [("Sure", "Answered without reserve.", found.sure)]
    groups.append(("Close call", "Two classes are nearly as likely.", found.close))
    if evaluation.novelty is not None:
        groups.append(("Unlike training", "It resembles nothing that was learned from.", found.unlike))
    rows: list[list[Child]] = []
    for called, meaning, these in groups:
        number, errors = int(these.sum()), int(wrong[these].sum())
        share = wording.percent(errors / number) if number else "–"
        rows.append(
            [
                _with_note(called, meaning),
                _with_note(f"{number:,}", wording.percent(number / len(evaluation))),
                _with_note(f"{errors:,}", share),
            ]
        )
    columns = [Column("Answer"), Column("How many", True), Column("Wrong of these", True)]
    return table("Sure and unsure, by reason", columns, rows)


def _with_note(said: str, note: str) -> Html:
    return tag("span", said, tag("span", note, class_="note"))


def _examples(evaluation: Evaluation, found: Doubt) -> dict[str, list[int]]:
    """Rows to show of each reason: the closest calls, and what is least like the training data."""
    confidence = evaluation.probabilities.max(axis=1)
    close = np.flatnonzero(found.close)
    unlike = np.flatnonzero(found.unlike)
    shown = {"Close calls": close[np.argsort(confidence[close], kind="stable")][:_PHOTOS].tolist()}
    if evaluation.novelty is not None:
        order = np.argsort(-evaluation.novelty[unlike], kind="stable")
        shown["Unlike training"] = unlike[order][:_PHOTOS].tolist()
    return shown


def _pictures(material: Material, found: Doubt) -> list[Html]:
    parts: list[Html] = []
    for called, rows in _examples(material.evaluation, found).items():
        shown = [row for row in rows if material.album.holds(material.evaluation.keys[row])]
        if shown:
            parts.append(tag("div", tag("h3", called), photos.answered(material, shown, small=True), class_="group"))
    return parts
