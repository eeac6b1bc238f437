"""The description of the API, as data: what `/openapi.json` answers, and what its tests hold the server to."""

from __future__ import annotations

from typing import Any

from finegraft import __version__
from finegraft.serving.limits import Limits

_ERROR = {"$ref": "#/components/schemas/Error"}
_WHAT = {
    400: "a file that cannot be read, or a body that is none",
    401: "no token, or a wrong one",
    404: "no such model",
    408: "the body did not arrive in time",
    413: "too many bytes or pixels",
    415: "not of the model's kind",
    422: "a parameter that is none",
    429: "the queue is full",
    503: "not ready, shutting down, or too many connected",
    504: "no answer in time",
    507: "the verdict could not be written down",
}


def document(limits: Limits, feedback: bool = False) -> dict[str, Any]:
    """OpenAPI 3.1; `feedback` is whether verdicts are taken."""
    verdicts = {"/v1/feedback": {"post": _feedback([])}, "/v1/models/{name}/feedback": {"post": _feedback([_NAME])}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "finegraft", "version": __version__, "description": _words(limits)},
        "paths": {
            "/v1/predict": {"post": _predict([])},
            "/v1/models/{name}/predict": {"post": _predict([_NAME])},
            "/v1/models": {"get": _get("the models by name", {"type": "object"})},
            "/v1/model": {"get": _get("the first model, with its card", {"type": "object"})},
            "/v1/models/{name}": {
                "get": _get("one model, with its card", {"type": "object"}, [_NAME], (401, 404, 503))
            },
            "/healthz": {"get": _get("alive", {"type": "object"}, errors=())},
            "/readyz": {"get": _get("ready to answer", {"type": "object"}, errors=(503,))},
            "/metrics": {"get": _metrics()},
            "/openapi.json": {"get": _get("this description", {"type": "object"}, errors=(401,))},
            **(verdicts if feedback else {}),
        },
        "components": {"schemas": _SCHEMAS, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{}, {"token": []}],
    }


def _words(limits: Limits) -> str:
    return (
        f"Answers for photos. A request has {limits.body / 2**20:g} MB in at most {limits.files} files; {limits.queue} "
        f"files wait at a time, none longer than {limits.seconds:g} seconds."
    )


_NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
_EXPLAIN = {
    "name": "explain",
    "in": "query",
    "description": "add to each answer a heat map: a PNG, as a data URL, to lay over the upright photo",
    "schema": {"type": "boolean", "default": False},
}
_TOP = {
    "name": "top",
    "in": "query",
    "description": "how many labels the ranking has; all of them without it",
    "schema": {"type": "integer", "minimum": 1, "maximum": 100_000},
}


def _predict(parameters: list[dict[str, Any]]) -> dict[str, Any]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    files = {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}
    parts = {"schema": {"type": "object", "required": ["file"], "properties": {"file": files}}}
    content = {"image/*": binary, "application/octet-stream": binary, "multipart/form-data": parts}
    return {
        "summary": "Answer for one photo, or for several parts called file",
        "parameters": [*parameters, _TOP, _EXPLAIN],
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": _body("an answer or an error for each file", {"$ref": "#/components/schemas/Answers"}),
            **_errors({status: what for status, what in _WHAT.items() if status != 507}),
        },
    }


def _feedback(parameters: list[dict[str, Any]]) -> dict[str, Any]:
    verdict = {
        "type": "object",
        "required": ["digest", "label", "right"],
        "properties": {
            "digest": {"type": "string"},
            "label": {"type": "string"},
            "right": {"type": "boolean"},
            "wanted": {"type": ["string", "null"]},
        },
    }
    return {
        "summary": "Say whether an answer was right",
        "parameters": parameters,
        "requestBody": {"required": True, "content": {"application/json": {"schema": verdict}}},
        "responses": {
            "200": _body("it is on disk", {"type": "object"}),
            **_errors({status: _WHAT[status] for status in (400, 401, 404, 408, 413, 422, 429, 503, 507)}),
        },
    }


def _get(
    what: str,
    schema: dict[str, Any],
    parameters: list[dict[str, Any]] | None = None,
    errors: tuple[int, ...] = (401, 503),
) -> dict[str, Any]:
    told = {status: _WHAT[status] for status in errors}
    return {"parameters": parameters or [], "responses": {"200": _body(what, schema), **_errors(told)}}


def _metrics() -> dict[str, Any]:
    text = {"description": "counters for Prometheus", "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {"parameters": [], "responses": {"200": text, **_errors({401: _WHAT[401]})}}


def _errors(told: dict[int, str]) -> dict[str, Any]:
    return {str(status): _body(what, _ERROR) for status, what in told.items()}


def _body(what: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": what, "content": {"application/json": {"schema": schema}}}


_RANKED = {
    "type": "object",
    "required": ["label", "probability"],
    "properties": {"label": {"type": "string"}, "probability": {"type": "number", "minimum": 0, "maximum": 1}},
}
_CODED = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
}
_NAMED = {"name": {"type": ["string", "null"]}, "digest": {"type": "string"}}
_SCHEMAS: dict[str, Any] = {
    "Error": {"type": "object", "required": ["error"], "properties": {"error": _CODED}},
    "Answers": {
        "type": "object",
        "required": ["model", "predictions"],
        "properties": {
            "model": {
                "type": "object",
                "required": ["name", "digest"],
                "properties": {"name": {"type": "string"}, "digest": {"type": "string"}},
            },
            "predictions": {
                "type": "array",
                "items": {
                    "anyOf": [
                        {"type": "object", "required": ["name", "error"], "properties": {**_NAMED, "error": _CODED}},
                        {
                            "type": "object",
                            "required": ["name", "unsure"],
                            "properties": {
                                **_NAMED,
                                "label": {"type": "string"},
                                "probability": {"type": "number"},
                                "labels": {"type": "array", "items": _RANKED},
                                "value": {"type": "number"},
                                "interval": {"type": ["array", "null"], "items": {"type": "number"}},
                                "unsure": {"type": ["string", "null"]},
                                "heatmap": {"type": "string"},
                                "ranking": {"type": "array", "items": _RANKED},
                            },
                        },
                    ]
                },
            },
        },
    },
}
