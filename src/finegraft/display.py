"""How things show themselves in a notebook: the reporting package draws them, and is found by name.

Reporting lies above what it draws, so nothing here imports it: `_repr_html_` of a Dataset, an LRCurve, an Evaluation
and a Prediction ask `html_of`, which loads the package at that moment.
"""

from __future__ import annotations

import importlib
from typing import Any

_DRAWS = "finegraft.reporting.notebook"


def html_of(shown: Any) -> str:
    """The HTML that a notebook shows for `shown`."""
    return str(importlib.import_module(_DRAWS).html_of(shown))
