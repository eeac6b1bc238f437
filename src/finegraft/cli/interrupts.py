"""Where Ctrl-C does harm: inside an import, since compiled modules do not survive it, and after the work is done.

Interrupted while they load, torch ends the process by an abort and onnxruntime raises an ImportError; the first leaves
the run as a kill does, the second reads like a fault of ours.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

_AGAIN = 0.05  # seconds until Ctrl-C is tried again, and again: one try may come just before a wait, which sleeps on


def spare_imports() -> None:
    """From now on Ctrl-C raises `KeyboardInterrupt` as soon as no import is under way.

    Nothing changes where Ctrl-C is ignored or handled otherwise, on another thread than the main one, or where there
    are no timers (Windows).
    """
    ours = threading.current_thread() is threading.main_thread()
    if ours and hasattr(signal, "setitimer") and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
        signal.signal(signal.SIGALRM, _stop)


def ignore() -> None:
    """The work is done: Ctrl-C while the interpreter cleans up would only show a traceback."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            signal.setitimer(signal.ITIMER_REAL, _AGAIN, _AGAIN)
            return
        frame = frame.f_back
    signal.setitimer(signal.ITIMER_REAL, 0)
    raise KeyboardInterrupt
