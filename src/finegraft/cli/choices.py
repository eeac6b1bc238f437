"""Option values that are one of a few words."""

from __future__ import annotations

import click


class OneOf(click.Choice[str]):
    """One of `choices`; a wrong one is answered with the nearest right one."""

    def get_invalid_choice_message(self, value: str, ctx: click.Context | None) -> str:  # noqa: ARG002
        """What was typed, what was probably meant, what there is."""
        import difflib

        near = difflib.get_close_matches(str(value).lower(), self.choices, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"{value!r} is not one of {', '.join(map(repr, self.choices))}.{hint}"
