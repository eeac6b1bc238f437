from __future__ import annotations

import pytest

from finegraft.models import backbones, graph


@pytest.fixture(scope="session")
def lite0_graph() -> bytes:
    """lite0 for photos of 64 pixels, exported once."""
    return graph.body_graph(backbones.find("lite0"), 64)
