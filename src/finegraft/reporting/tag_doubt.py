"""How sure answers with several tags are: which are close calls, and how often the others are right."""

from __future__ import annotations

import numpy as np

from finegraft.evaluation import estimates, tag_thresholds
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.reporting import wording
from finegraft.reporting.markup import Child, Html
from finegraft.reporting.material import Material
from finegraft.reporting.page import Column, Section, answer, paragraph, section, table


def unsure(material: Material) -> list[Section]:
    """The section; nothing where no limit for close calls is known, as of an evaluation alone."""
    below, evaluation = material.settings.get("unsure_below"), material.judged
    if not isinstance(below, int | float) or not isinstance(evaluation, TagsEvaluation):
        return []
    certainty = tag_thresholds.certainty(evaluation.probabilities, np.asarray(evaluation.thresholds))
    close = certainty < below
    right = (evaluation.truth == evaluation.answered).all(axis=1)
    aim = float(material.part("unsure").get("wanted_error", 0.05))
    words = paragraph(
        "A tag is answered where its probability reaches its threshold, chosen where its F1 was highest. An answer "
        f"is a close call where any of its tags lies nearer than {wording.percent(float(below))} of the way to its "
        f"threshold. Thresholds and limit were chosen on answers to the training part, given out of fold, so that at "
        f"most {wording.percent(aim)} of what is left would have a wrong tag."
    )
    return [section("unsure", "Unsure", answer(_said(close)), words, _counts(evaluation, close, right))]


def _said(close: np.ndarray) -> str:
    many = int(close.sum())
    if not many:
        return "It is sure of every answer here."
    return f"It calls {many:,} of {len(close):,} answers a close call."


def _counts(evaluation: TagsEvaluation, close: np.ndarray, right: np.ndarray) -> Html:
    rows: list[list[Child]] = []
    for called, these in (("Sure", ~close), ("Close call", close)):
        number = int(these.sum())
        share = estimates.share((right & these).astype(np.float64), these.astype(np.float64))
        found = share.metric(evaluation.clusters) if number else None
        between = "" if found is None or found.interval is None else f" ({wording.percent_range(found.interval)})"
        rows.append([called, f"{number:,}", "–" if found is None else f"{wording.percent(found.value)}{between}"])
    columns = [Column("Answers"), Column("How many", True), Column("All tags right", True)]
    return table("Sure and unsure answers", columns, rows)
