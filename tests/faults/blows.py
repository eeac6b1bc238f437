"""The ways in which a command is stopped."""

from __future__ import annotations

import signal
from dataclasses import dataclass


@dataclass(frozen=True)
class Stroke:
    """A signal to the whole process group, `after` seconds after the command said that it entered `phase`."""

    phase: str
    after: float
    signal: int = signal.SIGKILL


@dataclass(frozen=True)
class Fatal:
    """Death before change `number` to the disk, see `deadly`."""

    number: int


@dataclass(frozen=True)
class FullDisk:
    """No file may grow beyond `size` bytes, as on a full disk no file may grow at all."""

    size: int


Blow = Stroke | Fatal | FullDisk
