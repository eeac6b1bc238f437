"""Everything that can go wrong, as one tree.

    FinegraftError                 one message: what happened, what we got, how to mend it
    ├── UsageError                 the command or call is wrong (exit code 2)
    ├── DataError                  something in the data or files is wrong
    │   ├── UnreadableFile         one file cannot be used; carries a `code` and its reason
    │   └── RunError               a RUN folder exists already, is incomplete or is not one
    ├── TrainingError              a training cannot go on, as with a loss that is no number any more
    ├── BackboneError              no such backbone, or its weights are not at hand
    ├── BundleError                a bundle is broken, hostile, or of a newer format
    ├── ExportError                an export answers otherwise than the model it was made from, or lacks a part
    ├── StorageError               the disk is full, read-only, or a file could not be written
    └── MissingExtra               a part that is not installed; carries the install line

Exit codes follow: 2 for `UsageError`, 1 for everything else.
"""

from __future__ import annotations


class FinegraftError(Exception):
    """What happened, and how to mend it.

    `str(error)` is the whole message a user reads: the sentence of what happened, then the mend.
    """

    exit_code = 1

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(f"{what} {mend}".strip())
        self.what = what
        self.mend = mend


class UsageError(FinegraftError):
    """The command line or the call is wrong, whatever the data holds."""

    exit_code = 2


class DataError(FinegraftError):
    """The data or files given cannot serve the purpose."""


class UnreadableFile(DataError):
    """One file cannot be used. `code` is a kind of finding (`finegraft.data.findings`)."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class RunError(DataError):
    """A RUN folder exists already, is incomplete, or is not a run."""


class TrainingError(FinegraftError):
    """A training cannot go on; the weights of its best epoch, where these are kept, are back in place."""


class BackboneError(FinegraftError):
    """No such backbone, or its weights are not at hand."""


class ExportError(FinegraftError):
    """An export answers otherwise than the model it was made from, cannot be asked, or lacks what it is made of."""


class BundleError(FinegraftError):
    """A bundle is broken, hostile, or written by a newer finegraft."""


class StorageError(FinegraftError):
    """Something could not be written or read: disk full, read-only, no permission."""


class MissingExtra(FinegraftError):
    """An optional part is not installed."""

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the '{extra}' extra, which is not installed.",
            f'Install it with: pip install "finegraft[{extra}]"',
        )
        self.extra = extra
