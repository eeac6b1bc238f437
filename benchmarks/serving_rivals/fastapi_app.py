"""FastAPI and torch: `python -m benchmarks.serving_rivals.fastapi_app TENSORS PORT`.

A process for each core with one thread of torch each, and two threads that answer: one decodes while the other runs.
FastAPI's usual forty would only stand in each other's way.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import torch
import uvicorn
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool

from benchmarks.serving_rivals.network import Network

CORES = len(os.sched_getaffinity(0))
TENSORS = "RIVAL_TENSORS"  # the environment variable by which its processes know the folder


@contextlib.asynccontextmanager
async def _two_threads(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001 - FastAPI's
    anyio.to_thread.current_default_thread_limiter().total_tokens = 2
    yield


def made() -> FastAPI:
    """The app of one process."""
    torch.set_num_threads(1)
    network, app = Network(Path(os.environ[TENSORS])), FastAPI(lifespan=_two_threads)

    @app.get("/health")
    def health() -> str:
        return "ok"

    @app.post("/predict")
    async def predict(request: Request) -> dict[str, Any]:
        content = await request.body()
        return await run_in_threadpool(lambda: network.answers(network.prepare(content)[None])[0])

    return app


def main() -> None:
    """The command."""
    os.environ[TENSORS] = sys.argv[1]
    where = {"host": "127.0.0.1", "port": int(sys.argv[2])}
    uvicorn.run(f"{__spec__.name}:made", factory=True, workers=CORES, log_level="warning", access_log=False, **where)


if __name__ == "__main__":
    main()
