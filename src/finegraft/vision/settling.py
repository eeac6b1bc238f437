"""From an extractor that has learned to a backbone that is frozen again."""

from __future__ import annotations

from dataclasses import replace

from finegraft.models import graph
from finegraft.models.network import Extractor
from finegraft.vision.body import Body


def settled(body: Body, learned: Extractor) -> Body:
    """`body` with the weights of `learned`, which may lack the lower ones: these are the body's own."""
    whole = body.extractor()
    whole.load_state_dict({name: value.cpu() for name, value in learned.state_dict().items()}, strict=False)
    made = graph.exported(whole.eval(), body.preprocess.size)
    return replace(body, graph=made, tuned=whole.body.state_dict())
