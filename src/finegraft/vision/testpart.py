"""A second source as the test part of the first."""

from __future__ import annotations

import os
import posixpath
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

from finegraft.data.findings import Finding
from finegraft.errors import UsageError
from finegraft.vision.layout import Layout
from finegraft.vision.listing import Found, Listing


def with_test_part(main: Listing, test: Listing) -> tuple[Listing, Listing]:
    """`main` without the files that `test` names too, and `test` as the part called so, with keys relative to `main`.

    A key of the test part begins with "../" where it lies outside of `main`; on another drive it is absolute. What
    both name is judged, never learned from; where `main` is a table that is a finding, while a folder within its folder
    was hardly meant twice. Raises `UsageError` where `main` has a test part of its own.
    """
    if _has_test_part(main):
        raise UsageError("The data has a test part of its own, and --test gives another.", "Give one of them.")
    moved = _moved(test, main.root)
    judged = {found.key for found in moved.found}
    twice = [] if main.by_folder else [found for found in main.found if found.key in judged]
    kept = tuple(found for found in main.found if found.key not in judged)
    leaks = (Finding(found.key, "leak", 1.0, _in_both(found)) for found in twice)
    return replace(main, found=kept, findings=(*main.findings, *leaks)), moved


def _has_test_part(listing: Listing) -> bool:
    """Whether a table says so, or the names of folders do: this is asked before any file is opened."""
    if not listing.by_folder:
        return any(found.split == "test" for found in listing.found)
    keys = [found.key for found in listing.found if found.code is None]
    layout = Layout.of(keys)
    return any(layout.place(key).split == "test" for key in keys)


def _moved(test: Listing, root: Path) -> Listing:
    """`test` with keys relative to `root`."""
    # Of the real folders: ".." behind a link leads elsewhere than its text says.
    ours, theirs = os.path.realpath(root), os.path.realpath(test.root)
    try:
        between = os.path.relpath(theirs, ours).replace(os.sep, "/")
    except ValueError:  # on Windows there is no way from one drive to another
        between = theirs.replace(os.sep, "/")
    prefix = "" if between == "." else f"{between}/"
    found = sorted((replace(one, key=_key(prefix, one.key)) for one in test.found), key=attrgetter("key"))
    findings = tuple(replace(finding, key=_key(prefix, finding.key)) for finding in test.findings)
    return replace(test, root=root, found=tuple(found), prefix=prefix, findings=findings, part="test")


def _key(prefix: str, key: str) -> str:
    if os.path.isabs(key):  # noqa: PTH117 - it is asked of every file
        return key
    return posixpath.normpath(prefix + key) if key.startswith("../") else prefix + key


def _in_both(found: Found) -> str:
    return f"Row {found.row} names a file of the test part. It is judged, not learned from."
