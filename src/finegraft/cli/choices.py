"""Option values that are one of a few words."""

from __future__ import annotations

import click

from finegraft.cli.suggestions import did_you_mean


class OneOf(click.Choice[str]):
    """One of `choices`; a wrong one is answered with the nearest right one."""

    def get_invalid_choice_message(self, value: str, ctx: click.Context | None) -> str:  # noqa: ARG002
        """What was typed, what was probably meant, what there is."""
        hint = did_you_mean(str(value), self.choices, cutoff=0.5)
        return f"{value!r} is not one of {', '.join(map(repr, self.choices))}. {hint}".strip()
