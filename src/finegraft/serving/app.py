"""The routes of the API."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from finegraft.errors import StorageError, UsageError
from finegraft.inference.prediction import PredictionError
from finegraft.serving import metrics, openapi, problems
from finegraft.serving.answering import Answer, Answerer, Closed, QueueFull
from finegraft.serving.feedback import Feedback
from finegraft.serving.limits import Limits
from finegraft.serving.lingering import Lingering
from finegraft.serving.metrics import Metrics
from finegraft.serving.models import Loaded, Served
from finegraft.serving.pages import page
from finegraft.serving.problems import Problem
from finegraft.serving.receiving import Room, Sent, body_of, files_of

LOG = logging.getLogger("finegraft.serving")
_NUMBER = "finegraft.request"  # of a scope: by which the log knows a request
_MOST = 100_000  # labels of a ranking
_OPEN = {"/", "/healthz", "/readyz"}  # asked by programs, and people, before they know a token


class Api:
    """Answers requests for `models`, the first of which is the one meant where none is named."""

    def __init__(
        self,
        models: Mapping[str, Served],
        answerer: Answerer,
        limits: Limits,
        token: str | None = None,
        feedback: Feedback | None = None,
    ) -> None:
        self.models = dict(models)
        self.limits = limits
        self.metrics = Metrics(lambda: answerer.taken)
        self.draining = False
        self._answerer = answerer
        self._room = Room(limits.held)
        self._feedback = feedback
        self._token = token
        self._document = openapi.document(limits, feedback is not None)

    def asgi(self) -> ASGIApp:
        """The application."""
        get = (
            ("/", self._page),
            ("/page/{name}", self._page),
            ("/healthz", self._health),
            ("/readyz", self._ready),
            ("/metrics", self._metrics),
            ("/openapi.json", self._openapi),
            ("/v1/models", self._all),
            ("/v1/model", self._one),
            ("/v1/models/{name}", self._one),
        )
        post = [("/v1/predict", self._predict), ("/v1/models/{name}/predict", self._predict)]
        if self._feedback is not None:
            post += [("/v1/feedback", self._keep), ("/v1/models/{name}/feedback", self._keep)]
        routes = [Route(path, _answered(handler), methods=["GET"]) for path, handler in get]
        routes += [Route(path, _answered(handler), methods=["POST"]) for path, handler in post]
        app = Starlette(routes=routes, exception_handlers={HTTPException: _http_error})
        app.router.redirect_slashes = False  # to where the client's own Host says
        return Lingering(_Watched(app, self), self.limits.pause)

    def check_token(self, scope: Scope) -> None:
        """Raise `Problem` unless the request may pass."""
        path = scope["path"]
        if self._token is None or path in _OPEN or path.startswith("/page/"):
            return
        given = dict(scope["headers"]).get(b"authorization", b"")
        if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
            raise Problem(401, "unauthorized", "A token is needed.", {"WWW-Authenticate": "Bearer"})

    async def _predict(self, request: Request) -> Response:
        top, explain = _top(request), _flag(request, "explain")
        model = self._model(request)
        if self.draining:
            raise problems.shutting_down()
        with self._room.guest() as guest:
            return await self._answers(await files_of(request, self.limits, guest), model, top, explain)

    async def _answers(self, sent: Sequence[Sent], model: Loaded, top: int | None, explain: bool) -> Response:
        try:
            futures = self._answerer.submit(model.predictor, [file.content for file in sent], explain)
        except QueueFull as error:
            raise problems.queue_full() from error
        except Closed as error:
            raise problems.shutting_down() from error
        waited = [asyncio.wrap_future(future) for future in futures]
        try:
            answers = await asyncio.wait_for(asyncio.gather(*waited), self.limits.seconds)
        except TimeoutError as error:
            raise problems.too_late(self.limits.seconds) from error
        except UsageError as error:  # of a model that cannot explain
            raise Problem(422, "no-heatmap", error.what) from error
        for answer in answers:
            self.metrics.count(model, answer)
        if len(answers) == 1 and isinstance(answers[0], PredictionError):
            raise problems.of_file(answers[0].code, answers[0].message)
        rows = [
            {"name": file.name, "digest": file.digest, **_row(answer, top)}
            for file, answer in zip(sent, answers, strict=True)
        ]
        return _json({"model": model.to_json(), "predictions": rows})

    async def _keep(self, request: Request) -> Response:
        assert self._feedback is not None  # else there is no such route
        model = self._model(request)
        with self._room.guest() as guest:
            content = await body_of(request, self.limits, guest)
        try:
            await asyncio.to_thread(self._feedback.keep, model, content)
        except StorageError as error:
            LOG.error("not kept", extra={"request": request.scope[_NUMBER], "reason": str(error)})
            raise problems.not_kept() from error
        return _json({"kept": True})

    async def _page(self, request: Request) -> Response:
        return page(request.path_params.get("name", "index.html"))

    async def _health(self, request: Request) -> Response:  # noqa: ARG002 - as the others have it
        return _json({"status": "alive"})

    async def _ready(self, request: Request) -> Response:  # noqa: ARG002
        if self.draining:
            raise problems.shutting_down()
        if waiting := [name for name, served in self.models.items() if served.loaded is None]:
            raise Problem(503, "not-ready", f"The model {waiting[0]} is being checked.")
        return _json({"status": "ready", "models": list(self.models)})

    async def _metrics(self, request: Request) -> Response:  # noqa: ARG002
        return Response(self.metrics.text(), media_type=metrics.TYPE)

    async def _openapi(self, request: Request) -> Response:  # noqa: ARG002
        return _json(self._document)

    async def _all(self, request: Request) -> Response:  # noqa: ARG002
        rows = {name: None if s.loaded is None else s.loaded.to_json() for name, s in self.models.items()}
        return _json({"models": rows, "feedback": self._feedback is not None})

    async def _one(self, request: Request) -> Response:
        return _json(self._model(request).described())

    def _model(self, request: Request) -> Loaded:
        name = request.path_params.get("name", next(iter(self.models)))
        served = self.models.get(name)
        if served is None:
            raise Problem(404, "no-such-model", f"There is no model called {name!r}: {', '.join(self.models)}.")
        if served.loaded is None:
            raise Problem(503, "not-ready", f"The model {name} is being checked.", {"Retry-After": "1"})
        return served.loaded


class _Watched:
    """Around the application: the token, the clock, the counters and the log."""

    def __init__(self, app: ASGIApp, api: Api) -> None:
        self._app = app
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, number = time.perf_counter(), uuid.uuid4().hex[:16]
        scope[_NUMBER], status, took = number, 0, 0.0

        async def sending(message: Message) -> None:
            nonlocal status, took
            if message["type"] == "http.response.start":
                status, took = message["status"], time.perf_counter() - started
                last = [(b"connection", b"close")] if self._api.draining else []
                message["headers"] = [*message["headers"], *_ALWAYS, *last, (b"x-request-id", number.encode())]
            await send(message)

        try:
            self._api.check_token(scope)
            await self._app(scope, receive, sending)
        except Problem as problem:
            await _problem(problem)(scope, receive, sending)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._api.metrics.requests.labels(route, str(status)).inc()
            self._api.metrics.latency.labels(route).observe(took)
            told = {"request": number, "route": route, "status": status, "ms": round(1000 * took, 1)}
            LOG.info("answered", extra=told)


_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
]


def _answered(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """`handler` with its problems as answers, and the last word on errors."""

    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except Problem as problem:
            return _problem(problem)
        except Exception:
            number = request.scope[_NUMBER]
            LOG.exception("request failed", extra={"request": number})
            return _problem(Problem(500, "internal", f"Something went wrong; the log knows it as {number}."))

    return answered


async def _http_error(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """Starlette's own: no such route, another method."""
    assert isinstance(error, HTTPException)
    code = {404: "no-such-route", 405: "wrong-method"}.get(error.status_code, "refused")
    return _problem(Problem(error.status_code, code, f"{error.detail}.", error.headers))


def _problem(problem: Problem) -> Response:
    return _json(problem.to_json(), problem.status, problem.headers)


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return Response(text.encode("utf-8", "replace"), status, headers, "application/json")


def _flag(request: Request, name: str) -> bool:
    given = request.query_params.get(name, "false")
    if given not in {"true", "false"}:
        raise Problem(422, "bad-parameter", f"{name} must be true or false.")
    return given == "true"


def _row(answer: Answer, top: int | None) -> dict[str, Any]:
    """One answer as `predict --json` has it, but for the path."""
    if isinstance(answer, PredictionError):
        return {"error": {"code": answer.code, "message": answer.message}}
    told = answer.to_json(top)
    del told["path"]
    return told


def _top(request: Request) -> int | None:
    given = request.query_params.get("top")
    if given is None:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) <= len(str(_MOST)) and 1 <= int(given) <= _MOST):
        raise Problem(422, "bad-parameter", f"top must be a whole number from 1 to {_MOST:,}.")
    return int(given)
