"""The page at `/`: files of the package, under a policy that lets nothing else in."""

from __future__ import annotations

from functools import cache
from importlib import resources

from starlette.responses import Response

from finegraft.serving.problems import Problem

# Scripts, styles and requests are the server's own; photos are shown from memory, as is the camera.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_TYPES = {"css": "text/css", "html": "text/html", "js": "text/javascript", "svg": "image/svg+xml"}
# Name -> where it lies in the package. The tokens are those of every page we make.
FILES = {
    "index.html": "serving/page/index.html",
    "page.css": "serving/page/page.css",
    "page.js": "serving/page/page.js",
    "cards.js": "serving/page/cards.js",
    "photos.js": "serving/page/photos.js",
    "icon.svg": "serving/page/icon.svg",
    "tokens.css": "tokens.css",
}


def page(name: str = "index.html") -> Response:
    """One file of the page. Raises `Problem` for another name."""
    if name not in FILES:
        raise Problem(404, "no-such-route", f"The page has no file called {name!r}.")
    headers = {"Content-Security-Policy": POLICY, "Permissions-Policy": "camera=(self)"}
    return Response(_content(name), headers=headers, media_type=f"{_TYPES[name.rpartition('.')[2]]}; charset=utf-8")


@cache
def _content(name: str) -> bytes:
    return resources.files("finegraft").joinpath(FILES[name]).read_bytes()
