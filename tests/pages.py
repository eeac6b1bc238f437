"""What the tests of our pages do to them in the same way."""

from __future__ import annotations

import base64
from typing import Any


def drop_and_paste(page: Any, content: bytes) -> None:
    """Drop `content` on the page as drop.jpg, then paste it as paste.jpg."""
    encoded = base64.b64encode(content).decode()
    for kind, field in (("drop", "dataTransfer"), ("paste", "clipboardData")):
        page.evaluate(
            """async ([kind, field, content]) => {
                const given = new DataTransfer();
                const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
                given.items.add(new File([bytes], kind + ".jpg", { type: "image/jpeg" }));
                const made = kind == "drop" ? DragEvent : ClipboardEvent;
                document.body.dispatchEvent(new made(kind, { bubbles: true, cancelable: true, [field]: given }));
            }""",
            [kind, field, encoded],
        )
