"""A list of labelled addresses to a folder of checked photos, one folder for each label."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from finegraft import modality
from finegraft.data.atomic import write_atomically
from finegraft.data.contents import digest_of
from finegraft.errors import UnreadableFile
from finegraft.fetching.claim import alone_in
from finegraft.fetching.connections import Connections
from finegraft.fetching.download import Download, Downloader
from finegraft.fetching.known import Asked, Known, line_of, what_is_known
from finegraft.fetching.lists import Listed
from finegraft.fetching.manifest import Line, Manifest
from finegraft.fetching.patience import before_try
from finegraft.fetching.places import place
from finegraft.fetching.reasons import Outcome, Trouble
from finegraft.fetching.settings import Settings
from finegraft.fetching.silence import Silence
from finegraft.fetching.turns import Turns

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Fetched:
    """What became of a list: `lines` in its order, one for each row; `fetched` photos were saved in this run."""

    lines: tuple[Line, ...]
    fetched: int
    folder: Path
    manifest: Path

    def count(self, outcome: Outcome) -> int:
        """The number of rows that ended so."""
        return sum(line.outcome == outcome for line in self.lines)


def fetch(
    listed: Listed,
    folder: Path,
    settings: Settings | None = None,
    *,
    again: bool = False,
    kind: str = "vision",
    connections: Connections | None = None,
    progress: Progress | None = None,
) -> Fetched:
    """Save the photo of every row of `listed` below `folder`, as LABEL/NAME, and say in the manifest what became of it.

    What an earlier call has saved is not asked for, nor what failed for good unless `again`. `kind` is the modality
    that checks the content, `progress(done, total)` is told of every row. Raises `StorageError` where the folder
    cannot be written or another process fetches into it. Call it where no event loop runs.
    """
    settings = settings or Settings()
    with alone_in(folder), closing(Manifest(folder)) as manifest:
        known = what_is_known(listed, manifest, settings, again)
        crawl = _Crawl(settings, manifest, listed.name, known, modality.get(kind).verify, progress)
        asyncio.run(crawl.run(connections or Connections(settings)))
        lines = tuple(known.lines[index] for index in range(len(listed.rows)))
        manifest.finish(lines)
        return Fetched(lines, crawl.fetched, folder, manifest.path)


class _Crawl:
    """One run. All but waiting, checking and writing happens on one thread, so nothing here is locked."""

    def __init__(
        self,
        settings: Settings,
        manifest: Manifest,
        name: str,
        known: Known,
        verify: Callable[[bytes], UnreadableFile | None],
        progress: Progress | None,
    ) -> None:
        self._settings = settings
        self._manifest = manifest
        self._name = name
        self._lines = known.lines
        self._to_ask = known.to_ask
        self._photos = known.photos
        self._verify = verify
        self._progress = progress
        self._silence = Silence()
        self.fetched = 0

    async def run(self, connections: Connections) -> None:
        """Ask for every row that is to be asked for, and add its line."""
        turns = Turns(self._to_ask, lambda asked: asked.url.origin, self._settings.per_host)
        downloader = Downloader(self._settings, connections)
        workers = [asyncio.create_task(self._work(turns, downloader)) for _ in range(self._settings.workers)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            connections.close()

    async def _work(self, turns: Turns[Asked], downloader: Downloader) -> None:
        while (asked := await turns.take()) is not None:
            line = await self._ended(asked, downloader, turns)
            turns.pace(asked.url.origin, downloader.pause(asked.url.origin))
            if isinstance(line, float):
                turns.again(asked, line)
                continue
            self._lines[asked.index] = line
            turns.done(asked)
            if self._progress is not None:
                self._progress(len(self._lines), len(self._lines) + turns.left)

    async def _ended(self, asked: Asked, downloader: Downloader, turns: Turns[Asked]) -> Line | float:
        """How one try at a row ended: with its line, or with the seconds to wait before another one."""
        try:
            return await self._tried(asked, downloader)
        except Trouble as trouble:
            seconds = self._wait(asked, trouble, turns)
            if seconds is not None:
                return seconds
            line = line_of(asked.row, self._name, str(asked.url), trouble, asked.tries)
            self._manifest.append(line)
            return line

    async def _tried(self, asked: Asked, downloader: Downloader) -> Line:
        """One try at one row: its line, and its photo in the folder. Raises `Trouble`."""
        self._silence.must_not_hold(asked.url)
        asked.tries += 1
        try:
            download = await downloader.get(asked.url)
        except Trouble as trouble:
            self._silence.heard(asked.url, trouble)
            raise
        self._silence.heard(asked.url, None)
        problem, digest = await asyncio.to_thread(self._examined, download.content)
        if problem is not None:
            raise Trouble(problem.code, problem.reason)
        twin = self._photos.get(digest)
        if twin is not None:
            line = _copy(asked, self._name, digest, twin)
            self._manifest.append(line)
            return line
        line = _saved(asked, self._name, digest, download)
        self._photos[digest] = line
        self._manifest.append(line)  # before the file: see finegraft.fetching.manifest
        await asyncio.to_thread(write_atomically, self._manifest.path.parent / str(line.path), download.content)
        self.fetched += 1
        return line

    def _examined(self, content: bytes) -> tuple[UnreadableFile | None, str]:
        return self._verify(content), digest_of(content)

    def _wait(self, asked: Asked, trouble: Trouble, turns: Turns[Asked]) -> float | None:
        """The seconds until another try is worth it; None where it is not, in this run."""
        asks = trouble.wait or 0.0
        if trouble.busy:
            turns.slow_down(asked.url.origin)
            if asks <= self._settings.longest_wait:
                turns.rest(asked.url.origin, asks)
            else:
                self._silence.leave_alone(asked.url, trouble.kind, f"It asks to wait for {asks:,.0f} s.")
        possible = trouble.passing and asks <= self._settings.longest_wait and not self._silence.holds(asked.url)
        if not possible or asked.tries > self._settings.retries:
            return None
        return max(before_try(asked.tries, self._settings), asks)


def _saved(asked: Asked, name: str, digest: str, download: Download) -> Line:
    head = download.head
    return Line(
        asked.row.number,
        name,
        asked.row.label,
        str(asked.url),
        "saved",
        path=place(asked.row.label or "", asked.url.path, digest, download.content),
        final_url=str(download.url),
        status=head.status,
        content_type=head.headers.get("content-type"),
        bytes=len(download.content),
        digest=digest,
        etag=head.headers.get("etag"),
        last_modified=head.headers.get("last-modified"),
        fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
        tries=asked.tries,
    )


def _copy(asked: Asked, name: str, digest: str, twin: Line) -> Line:
    """The line of a photo that is there already, from another address."""
    if twin.label == asked.row.label:
        trouble = Trouble("same-bytes", f"The same bytes as {twin.path}.")
    else:
        trouble = Trouble("two-labels", f"The same bytes as {twin.path}, which has the label {twin.label!r}.")
    line = line_of(asked.row, name, str(asked.url), trouble, asked.tries, same_as=twin.path)
    return replace(line, digest=digest)
