"""A host's name to the addresses that may be reached under it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable

from finegraft.fetching import addresses
from finegraft.fetching.reasons import Trouble
from finegraft.fetching.urls import Url

Lookup = Callable[[str], list[str]]
Refusal = Callable[[str], str | None]


def look_up(name: str) -> list[str]:
    """The addresses of `name` in the order to try them, each once. Raises `OSError`; may wait long."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def reachable(url: Url, refusal: Refusal, lookup: Lookup = look_up) -> list[str]:
    """The addresses of `url`'s host that `refusal` has nothing against, at least one.

    Raises `Trouble`: "unreachable" where the name leads nowhere, "private" where no address may be reached.
    """
    literal = addresses.literal(url.name)
    found = [literal] if literal else await _looked_up(url, lookup)
    allowed = [address for address in found if refusal(address) is None]
    if allowed:
        return allowed
    address = found[0]
    where = address if literal == url.name else f"{url.name} ({address})"
    mend = " Give --allow-private if you trust the list." if addresses.can_be_allowed(address) else ""
    raise Trouble("private", f"{where} is not reached: it is {refusal(address)}.{mend}")


async def _looked_up(url: Url, lookup: Lookup) -> list[str]:
    try:
        found = await _on_daemon(lookup, url.name)
    except socket.gaierror as error:
        passing = error.errno == socket.EAI_AGAIN
        why = "the name cannot be looked up at the moment" if passing else "there is no such name"
        raise Trouble("unreachable", f"No host {url.name}: {why}.", passing=passing, dead=url.origin) from error
    except (OSError, UnicodeError) as error:
        reason = f"{url.name} cannot be looked up ({error})."
        raise Trouble("unreachable", reason, passing=True, dead=url.origin) from error
    if not found:
        raise Trouble("unreachable", f"{url.name} has no address.", dead=url.origin)
    return found


async def _on_daemon(function: Lookup, name: str) -> list[str]:
    """`function(name)` on a thread of its own.

    A daemon: a look-up cannot be broken off and may take half a minute, for which Ctrl-C must not wait.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[list[str]] = loop.create_future()

    def deliver(found: list[str] | Exception) -> None:
        if future.done():  # nobody waits any more
            return
        if isinstance(found, Exception):
            future.set_exception(found)
        else:
            future.set_result(found)

    def work() -> None:
        try:
            found: list[str] | Exception = function(name)
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            found = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(deliver, found)

    threading.Thread(target=work, name="finegraft-lookup", daemon=True).start()
    return await future
