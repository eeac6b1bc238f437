"""The files that wait for an answer: a queue with an end, and workers that take a few at a time.

A worker decodes and computes, so on a processor one file a worker is best; where an engine is better with more at once,
a worker waits a moment for company.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from finegraft.inference.prediction import AnyPrediction, Explanation, PredictionError
from finegraft.inference.predictor import Predictor

Answer = AnyPrediction | Explanation | PredictionError


class QueueFull(Exception):
    """There is no room for so many files."""


class Closed(Exception):
    """Nothing is accepted any more."""


@dataclass(eq=False)
class _Job:
    predictor: Predictor
    content: bytes
    explain: bool
    future: Future[Answer] = field(default_factory=Future)

    def goes_with(self, other: _Job) -> bool:
        """Whether both can be answered together."""
        return self.predictor is other.predictor and self.explain == other.explain


class Answerer:
    """Answers files by `workers` threads, `room` of them at a time: waiting or being answered.

    A worker takes up to `batch` files of one model together, and waits up to `wait` seconds for them. `seen` hears of
    the size of every batch.
    """

    def __init__(
        self,
        workers: int,
        room: int = 64,
        batch: int = 1,
        wait: float = 0.0,
        seen: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._room = room
        self._batch = batch
        self._wait = wait
        self.seen = seen
        self._waiting: deque[_Job] = deque()
        self._filled = threading.Condition()
        self._taken = 0
        self._closed = False
        self._threads = [threading.Thread(target=self._work, name=f"finegraft-answer-{n}") for n in range(workers)]
        for thread in self._threads:
            thread.start()

    @property
    def taken(self) -> int:
        """Files that were accepted and are not answered yet."""
        return self._taken

    def submit(self, predictor: Predictor, contents: Sequence[bytes], explain: bool = False) -> list[Future[Answer]]:
        """Accept all of `contents`, or none: raises `QueueFull`, and `Closed` once `close` was called.

        With `explain` the answers are `Explanation`s.
        """
        jobs = [_Job(predictor, content, explain) for content in contents]
        with self._filled:
            if self._closed:
                raise Closed
            if self._taken + len(jobs) > self._room:
                raise QueueFull
            self._taken += len(jobs)
            self._waiting.extend(jobs)
            self._filled.notify(len(jobs))
        return [job.future for job in jobs]

    def close(self) -> None:
        """Accept nothing more, answer what was accepted, and end the workers."""
        with self._filled:
            self._closed = True
            self._filled.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while jobs := self._next():
            asked = [job for job in jobs if job.future.set_running_or_notify_cancel()]
            try:
                if asked:
                    self.seen(len(asked))
                    self._answer(asked)
            finally:
                with self._filled:
                    self._taken -= len(jobs)

    def _next(self) -> list[_Job]:
        """The jobs of the next batch; none when it is time to end."""
        with self._filled:
            while not self._waiting:
                if self._closed:
                    return []
                self._filled.wait()
            jobs = [self._waiting.popleft()]
            until = time.monotonic() + self._wait
            while len(jobs) < self._batch:
                if self._waiting:
                    if not jobs[0].goes_with(self._waiting[0]):
                        break
                    jobs.append(self._waiting.popleft())
                elif self._closed or not self._filled.wait(max(0.0, until - time.monotonic())):
                    break
            return jobs

    def _answer(self, jobs: Sequence[_Job]) -> None:
        first, contents = jobs[0], [job.content for job in jobs]
        answers: Sequence[Answer]
        try:
            if first.explain:
                answers = first.predictor.explain_batch(contents)
            else:
                answers = first.predictor.predict_batch(contents, alone=self._taken == len(jobs))
        except BaseException as error:  # noqa: BLE001 - raised again where the answer is waited for
            for job in jobs:
                job.future.set_exception(error)
            return
        for job, answer in zip(jobs, answers, strict=True):
            job.future.set_result(answer)
