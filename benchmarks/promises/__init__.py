"""The promises, a file per topic, in the order of the table."""

from __future__ import annotations

from benchmarks.promise import Promise
from benchmarks.promises import fresh_clone, imagenet, peers, same_answer, small_sets, starting, throughput, training

ALL: list[Promise] = [
    *fresh_clone.ROWS,
    *training.ROWS,
    *starting.ROWS,
    *throughput.ROWS,
    *small_sets.ROWS,
    *imagenet.ROWS,
    *same_answer.ROWS,
    *peers.ROWS,
]
