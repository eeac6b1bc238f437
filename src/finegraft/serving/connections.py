"""One connection, and what uvicorn leaves open on it: clients that dawdle, stop listening, or say half of it.

    connected -> a request begins within `head` seconds     else 408, or nothing where nothing was said
    said all  -> its answer still comes (half-closed), or 400 where the request is not whole
    answered  -> it is read within `pause` seconds          else the connection is dropped
    too many  -> 503 at once, above `connections`; half as many again are dropped
    ending    -> a moment in which what is under way to the server still gets an answer

Whatever is refused here is refused in the envelope of all errors.
"""

from __future__ import annotations

import asyncio
import json

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from finegraft.serving import problems
from finegraft.serving.limits import Limits
from finegraft.serving.problems import Problem

# Seconds in which what is under way to us may still come: some round trips, and little beside a graceful end.
_MOMENT = 1.0


class Connection(H11Protocol):
    """Uvicorn's, within `limits`."""

    limits = Limits()
    _late: asyncio.TimerHandle | None = None  # what ends a connection on which no request is being answered
    _unread: asyncio.TimerHandle | None = None  # what ends one whose answer is not read
    _refused = _said_all = _ending = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request, if there is room for one."""
        super().connection_made(transport)
        if len(self.connections) > 1.5 * self.limits.connections:
            self.transport.abort()
        elif len(self.connections) > self.limits.connections:
            self._refuse(problems.too_many_connections())
        else:
            self._wait(self.limits.head)

    def data_received(self, data: bytes) -> None:
        """Of a connection that was refused, no more is looked at."""
        if not self._refused:
            super().data_received(data)

    def handle_events(self) -> None:
        """A request that is there is waited for elsewhere."""
        super().handle_events()
        if self._busy:
            self._stop_waiting()
            self.cycle.keep_alive = self.cycle.keep_alive and not self._ending

    def eof_received(self) -> bool:  # type: ignore[override]
        """True, to keep it open, for a client that has said all and waits: uvicorn would hang up on it."""
        self._said_all = True
        whole = self._busy and not self.cycle.more_body
        if not whole and (self._busy or self.conn.trailing_data[0]):
            self._refuse(problems.broken_off())
        return whole

    def on_response_complete(self) -> None:
        """Wait for the next request, if one can come."""
        super().on_response_complete()
        if not self._busy:
            self._wait(_MOMENT if self._ending else self.limits.head)
            if self._said_all:
                self.transport.close()

    def pause_writing(self) -> None:
        """Nothing more fits between us and a client that does not read."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.limits.pause, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for."""
        self._stop_waiting()
        super().connection_lost(exc)  # resumes writing, which ends the other wait

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's sentence
        """What is not HTTP."""
        self._refuse(problems.no_http())

    def shutdown(self) -> None:
        """The server ends. What a client sent before it could know that gets its answer too."""
        self._ending = True
        if self._busy:
            super().shutdown()
        elif not self._refused:
            self._wait(_MOMENT)

    @property
    def _busy(self) -> bool:
        return not self._refused and self.cycle is not None and not self.cycle.response_complete

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._late = self.loop.call_later(seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()

    def _give_up(self) -> None:
        if self._busy:
            return
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        elif self.conn.trailing_data[0] and not self._refused:
            self._refuse(problems.too_slow())
        else:
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        """Say so, unless an answer is already begun, and end the connection in a moment: what still comes would reset
        it, and the answer with it (RFC 9112, section 9.6).
        """
        head = self._busy and self.scope["method"] == "HEAD"
        self._refused = True
        if self.cycle is not None:  # whoever waits for the rest of its body
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._answer(problem, b"" if head else json.dumps(problem.to_json()).encode())
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._wait(_MOMENT)

    def _answer(self, problem: Problem, content: bytes) -> None:
        told = {"Content-Type": "application/json", "Content-Length": str(len(content)), **problem.headers}
        headers = [(name.encode(), value.encode()) for name, value in told.items()]
        reason = STATUS_PHRASES[problem.status]
        for event in (
            h11.Response(status_code=problem.status, headers=headers, reason=reason),
            h11.Data(data=content),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
