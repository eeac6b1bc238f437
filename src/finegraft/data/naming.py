"""Names from outside as names of folders."""

from __future__ import annotations

import hashlib
import re

# A list or a bundle may come from a stranger: its class names must not lead out of the folder, on any system. "%" too,
# so that two names never share a folder.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*%\ud800-\udfff]|^[ .]|[ .]$')
_LONGEST = 200  # bytes; most file systems take 255


def folder_name(label: str) -> str:
    """`label` as the name of one folder: never empty, never a path, never hidden, no two labels alike.

    >>> folder_name("../rose")
    '%2E.%2Frose'
    """
    name = _UNSAFE.sub(lambda found: _escaped(found.group()), label) or "%"
    if len(name.encode()) <= _LONGEST:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
    return f"{name.encode()[:_LONGEST].decode(errors='ignore')}%{digest}"


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
