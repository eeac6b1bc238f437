from __future__ import annotations

import pytest

from finegraft.fetching.robots import LONGEST_PAUSE, fits, opted_out, parse

# RFC 9309, 5.1: the example of groups.
SIMPLE = """\
User-agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-agent: barbot
User-agent: bazbot
Disallow: /example/page.html

User-agent: quxbot

EOF
"""


@pytest.mark.parametrize(
    ("agent", "path", "allowed"),
    [
        ("finegraft/1.0 (me@example.org)", "/a.jpg", True),
        ("finegraft", "/a.gif", False),
        ("finegraft", "/a.gif?x", True),
        ("finegraft", "/example/a.jpg", False),
        ("finegraft", "/publications/a.jpg", True),
        ("FooBot/2.1", "/a.jpg", False),
        ("foobot", "/example/page.html", True),
        ("foobot", "/example/allowed.gif", True),
        ("foobot", "/example/a.gif", False),
        ("barbot", "/example/page.html", False),
        ("bazbot", "/example/page.html", False),
        ("bazbot", "/example/a.gif", True),
        ("quxbot", "/example/page.html", True),
    ],
)
def test_the_example_of_the_standard(agent: str, path: str, allowed: bool) -> None:
    assert parse(SIMPLE, agent).allows(path) is allowed


def test_the_longest_rule_decides_and_leave_wins_a_tie() -> None:
    # RFC 9309, 5.2
    rules = parse("User-agent: foobot\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif\n", "foobot")
    assert not rules.allows("/example/page/disallowed.gif")
    assert rules.allows("/example/page/allowed.gif")
    assert parse("User-agent: *\nDisallow: /a\nAllow: /a\n", "x").allows("/a")


@pytest.mark.parametrize(
    ("pattern", "path", "fitting"),
    [
        ("/", "/anything", True),
        ("/fish", "/fish.html", True),
        ("/fish", "/Fish.html", False),
        ("/fish/", "/fish", False),
        ("/*.jpg", "/a/b.jpg?x", True),
        ("/*.jpg$", "/a/b.jpg?x", False),
        ("/*.jpg$", "/a.jpg/b.jpg", True),
        ("/a*b*c", "/a-b-c-d", True),
        ("/a*b*c", "/a-c-b", False),
        ("/a*b*c$", "/a-b-c-c", True),
        ("/a*a$", "/a", False),
        ("/a$", "/a", True),
        ("/a$", "/ab", False),
        ("*", "/", True),
        ("*$", "/", True),
        ("$", "/", False),
        ("/" + "*a" * 5000, "/" + "ab" * 4000, False),
    ],
)
def test_patterns(pattern: str, path: str, fitting: bool) -> None:
    assert fits(pattern, path) is fitting


def test_two_spellings_of_one_path_are_equal() -> None:
    for rule, path in [
        ("/%7ejoe/", "/~joe/a"),
        ("/~joe/", "/%7Ejoe/a"),
        ("/größe", "/gr%C3%B6%C3%9fe"),
        ("/a%2f", "/a%2Fb"),
    ]:
        assert not parse(f"User-agent: *\nDisallow: {rule}", "x").allows(path)
    assert parse("User-agent: *\nDisallow: /a%2fb", "x").allows("/a/b")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html><body>Not found</body></html>",
        "User-agent: *\nDisallow:\n",
        "Disallow: /\n",
        "\0\xff:\n:",
        "# nothing",
    ],
)
def test_what_forbids_nothing(text: str) -> None:
    assert parse(text, "finegraft").allows("/a.jpg")


def test_mixed_line_ends_comments_and_marks() -> None:
    text = "\ufeffUSER-AGENT : * # all\rdisallow : /a # not this\r\nUnknown: x\nDisallow: /b"
    rules = parse(text, "finegraft")
    assert [rules.allows(path) for path in ("/a", "/b", "/c")] == [False, False, True]


def test_groups_of_one_agent_are_one() -> None:
    rules = parse("User-agent: x\nDisallow: /a\n\nUser-agent: *\nDisallow: /c\n\nUser-agent: x\nDisallow: /b", "x")
    assert [rules.allows(path) for path in ("/a", "/b", "/c")] == [False, False, True]


@pytest.mark.parametrize(
    ("value", "seconds"), [("2", 2.0), ("0.5", 0.5), ("86400", LONGEST_PAUSE), ("-1", 0.0), ("soon", 0.0), ("nan", 0.0)]
)
def test_the_pause_between_two_requests(value: str, seconds: float) -> None:
    assert parse(f"User-agent: *\nCrawl-delay: {value}", "finegraft").pause == seconds


@pytest.mark.parametrize(
    ("tag", "out"),
    [
        ("noai", True),
        ("NoImageAI", True),
        ("noindex, noai", True),
        ("otherbot: noai", True),
        ("noindex", False),
        ("", False),
    ],
)
def test_opting_out_of_training(tag: str, out: bool) -> None:
    assert opted_out(tag) is out
