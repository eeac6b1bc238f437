"""What a host's robots.txt permits, as RFC 9309 reads it.

Not `urllib.robotparser`: it takes the first rule that fits instead of the longest, and knows no `*` and `$` inside a
path, so that `Disallow: /*.jpg$` would forbid nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote

MAX_BYTES = 500 * 1024  # RFC 9309, 2.5: at least this much must be read
LONGEST_PAUSE = 30.0  # seconds between two requests that a host can ask for
# "Do not train on this", as artists' sites send it in the header X-Robots-Tag.
_NOT_FOR_AI = frozenset({"noai", "noimageai"})
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True)
class Rules:
    """What holds for us on one host: (pattern, allowed) in their order, and the seconds between two requests."""

    rules: tuple[tuple[str, bool], ...] = ()
    pause: float = 0.0

    def allows(self, path: str) -> bool:
        """Whether `path` (with its query) may be asked for: the longest pattern that fits decides, leave wins a tie."""
        path = _spelled(path)
        fitting = [(len(pattern), allowed) for pattern, allowed in self.rules if fits(pattern, path)]
        return max(fitting, default=(0, True))[1]


@dataclass
class _Group:
    agents: set[str] = field(default_factory=set)
    rules: list[tuple[str, bool]] = field(default_factory=list)
    pause: float = 0.0
    closed: bool = False  # a rule has come: the next user-agent line begins another group


def parse(text: str, user_agent: str) -> Rules:
    """The rules in `text` for a program called `user_agent`: those of its groups, else those for all.

    >>> parse("User-agent: *\\nDisallow: /private/", "finegraft/1").allows("/private/a.jpg")
    False
    """
    groups = _groups(text)
    token = re.split(r"[/\s]", user_agent, maxsplit=1)[0].lower()
    named = [group for group in groups if token in group.agents] or [group for group in groups if "*" in group.agents]
    rules = tuple(rule for group in named for rule in group.rules)
    return Rules(rules, max((group.pause for group in named), default=0.0))


def fits(pattern: str, path: str) -> bool:
    """Whether `path` begins as `pattern` says; `*` stands for any characters, `$` at the end for the path's end.

    In time linear in both for each `*`: a regular expression could be made to take for ever.
    """
    anchored = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    place = len(first)
    last = rest.pop() if rest else None
    for part in rest:
        found = path.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    if last is None:
        return not anchored or place == len(path)
    return len(path) - len(last) >= place and path.endswith(last) if anchored else last in path[place:]


def opted_out(tag: str) -> bool:
    """Whether a header `X-Robots-Tag` asks that the file is not used for training.

    >>> opted_out("noindex, noai")
    True
    """
    return bool(_NOT_FOR_AI & {word.strip() for word in re.split(r"[,:]", tag.lower())})


def _groups(text: str) -> list[_Group]:
    groups = [_Group()]
    for line in re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")):
        name, found, value = line.partition("#")[0].partition(":")
        name, value = name.strip().lower(), value.strip()
        if not found:
            continue
        if name == "user-agent":
            if groups[-1].closed:
                groups.append(_Group())
            groups[-1].agents.add(re.split(r"[/\s]", value, maxsplit=1)[0].lower())
        elif name in ("allow", "disallow"):
            groups[-1].closed = True
            if value:  # "Disallow:" alone forbids nothing
                groups[-1].rules.append((_spelled(value), name == "allow"))
        elif name == "crawl-delay":
            groups[-1].closed = True
            groups[-1].pause = max(groups[-1].pause, _seconds(value))
    return groups


def _seconds(value: str) -> float:
    return min(float(value), LONGEST_PAUSE) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value) else 0.0


def _spelled(path: str) -> str:
    """`path` in one spelling: what needs no escape has none, escapes are in capitals (RFC 9309, 2.2.2)."""

    def escape(found: re.Match[str]) -> str:
        byte = int(found[1], 16)
        return chr(byte) if byte in _UNRESERVED else f"%{byte:02X}"

    return quote(_ESCAPE.sub(escape, path), safe="/%:@!$&'()*+,;=~-._?#[]")
