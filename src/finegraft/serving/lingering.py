"""The rest of a body that was answered before it was all there: read, and thrown away, for a while.

A server that hangs up while its client still sends resets the connection, and the client loses the answer that says why
(RFC 9112, section 9.6).
"""

from __future__ import annotations

import asyncio
import contextlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A client that stops for so many seconds has read its answer, or never will.
_QUIET = 2.0


class Lingering:
    """Around an application: after its answer a body may go on for `seconds`."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold the last piece of the answer back, which is empty, until no more of the body comes."""
        rest = scope["type"] == "http" and _has_body(scope)

        async def receiving() -> Message:
            nonlocal rest
            message = await receive()
            rest = message.get("more_body", False)  # of a client that went away, nothing comes
            return message

        async def thrown_away() -> None:
            while rest:
                await asyncio.wait_for(receiving(), _QUIET)

        async def sending(message: Message) -> None:
            if rest and message["type"] == "http.response.body" and not message.get("more_body", False):
                await send({**message, "more_body": True})
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(thrown_away(), self._seconds)
                message = {"type": "http.response.body"}
            await send(message)

        await self._app(scope, receiving, sending)


def _has_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0").strip(b"0") != b""
