"""What a report says of unbalanced classes: how training made up for them, and which have very few records."""

from __future__ import annotations

from finegraft.data.balance import balance
from finegraft.evaluation.result import Evaluation
from finegraft.reporting import wording
from finegraft.reporting.markup import Html, tag
from finegraft.reporting.material import Material
from finegraft.reporting.page import Column, paragraph, table, unfolding

_SHOWN = 12  # classes with very few records that are named without asking

_PROBABILITIES = (
    "With class weights the probabilities still mean what they say of all answers together, for a mix of classes like "
    "this one: of those given with 80\u00a0%, about 80 in 100 are right. Answers that name a rare class may be right "
    "somewhat less often than they say, those that name a common one somewhat more often."
)


def words_on_balance(material: Material) -> list[Html]:
    """The sentence on class weights with what they do to the probabilities, and the classes with very few records."""
    return [*_weights(material), *_few(material)]


def _weights(material: Material) -> list[Html]:
    reason = material.settings.get("class_weights_reason")
    if not isinstance(material.judged, Evaluation):
        return []  # only classes are weighed
    if not isinstance(reason, str) or not reason:
        return []  # a run from before there were weights
    weighed = bool(material.part("class_weights"))
    return [paragraph(reason), *([paragraph(_PROBABILITIES)] if weighed else [])]


def _few(material: Material) -> list[Html]:
    found = [] if material.dataset is None else balance(material.dataset.usable)
    notes = [finding.note for finding in found if finding.kind == "few"]
    shown = [tag("p", note, class_="attention") for note in notes[:_SHOWN]]
    if len(notes) <= _SHOWN:
        return shown
    rest = table("Classes with very few records", [Column("What to do")], [[note] for note in notes[_SHOWN:]])
    return [*shown, unfolding(f"{wording.count(len(notes) - _SHOWN, 'more class')} with very few records", rest)]
