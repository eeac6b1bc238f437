"""The promises, a file per topic, in the order of the table."""

from __future__ import annotations

from benchmarks.promise import Promise
from benchmarks.promises import (
    broken_files,
    comparing,
    coverage,
    doubting,
    fetching,
    finder,
    fine_tuning,
    fresh_clone,
    growing,
    imagenet,
    killing,
    many_files,
    near_copies,
    peers,
    production,
    report_page,
    same_answer,
    small_sets,
    starting,
    throughput,
    training,
    unbalanced,
)

ALL: list[Promise] = [
    *fresh_clone.ROWS,
    *training.ROWS,
    *starting.ROWS,
    *throughput.ROWS,
    *small_sets.ROWS,
    *imagenet.ROWS,
    *same_answer.ROWS,
    *peers.ROWS,
    *broken_files.ROWS,
    *near_copies.ROWS,
    *many_files.ROWS,
    *fetching.ROWS,
    *killing.ROWS,
    *unbalanced.ROWS,
    *coverage.ROWS,
    *doubting.ROWS,
    *report_page.ROWS,
    *growing.ROWS,
    *comparing.ROWS,
    *fine_tuning.ROWS,
    *production.ROWS,
    *finder.ROWS,
]
