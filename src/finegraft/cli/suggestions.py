"""What was probably meant by a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The one of `known` most like `word`, whatever the case; None where none is as like as `cutoff` (0..1)."""
    import difflib  # 10 ms that no right word should pay

    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=cutoff)
    return folded[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "", cutoff: float = 0.6) -> str:
    """`Did you mean 'rose'?`, or `otherwise` where nothing is near.

    >>> did_you_mean("Rsoe", ["rose", "tulip"])
    "Did you mean 'rose'?"
    """
    near = nearest(word, known, cutoff)
    return otherwise if near is None else f"Did you mean {near!r}?"
