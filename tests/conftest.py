"""What every test shares: no network, a cache of its own, the developers' data, a real browser."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.no_network import sitecustomize as socket_guard

# As the command line sets it, and before any test imports torch: two test processes share the cores, and torch's
# threads would spin while they wait for each other.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# A shell starts what runs in its background with Ctrl-C ignored, and children inherit that: the tests that interrupt
# a command would wait for ever. A handler, unlike "ignore", is not inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]


def skip_or_fail(reason: str) -> NoReturn:
    """Skip this test; a failure under `.ci/run`, which sets FINEGRAFT_NO_SKIP=1 and brings everything."""
    if os.environ.get("FINEGRAFT_NO_SKIP") == "1":
        pytest.fail(f"FINEGRAFT_NO_SKIP=1 forbids to skip this: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Guards child processes, and gives this session a cache folder of its own. The value is the socket log."""
    folder = tmp_path_factory.mktemp("surroundings")
    log = folder / "outgoing-sockets.txt"
    log.touch()
    guard = str(Path(socket_guard.__file__).parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINEGRAFT_TEST_SOCKET_LOG", str(log))
        patch.setenv("PYTHONPATH", guard, prepend=os.pathsep)
        patch.setenv("FINEGRAFT_CACHE", str(folder / "cache"))
        yield log


@pytest.fixture(autouse=True)
def no_outgoing_socket(surroundings: Path) -> Iterator[None]:
    """Fails a test that tried to leave this machine, even where the code swallowed the refusal."""
    before = surroundings.stat().st_size
    yield
    if surroundings.stat().st_size > before:
        attempts = surroundings.read_bytes()[before:].decode(errors="replace")
        pytest.fail(f"This test tried to open outgoing connections:\n{attempts}", pytrace=False)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder for this test alone, for this process and its children."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("FINEGRAFT_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The developers' data folder: $FINEGRAFT_SHARED_DATA, else ../shared/data. Mark such tests `shared_data`."""
    named = os.environ.get("FINEGRAFT_SHARED_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        skip_or_fail(f"the developers' data folder is not at {folder}")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a real Chromium, for tests marked `page`."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        skip_or_fail("no Chromium is installed (Debian: apt-get install chromium)")
    return found


# A browser looks for its maker's servers whatever it is told to show. With a proxy that is nowhere it asks nobody, not
# even for names; this machine's own pages need no proxy.
_SILENT = ("--disable-background-networking", "--disable-component-update", "--proxy-server=127.0.0.1:9")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """A real Chromium, as Playwright drives it, that leaves this machine alone.

    For one module only: while it is open, Playwright's event loop runs, and no test could start one of its own.
    """
    from playwright import sync_api

    flags = ["--no-sandbox", "--disable-gpu", *_SILENT]
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield found
        found.close()
