"""Sizes of embeddings as one word of a command line."""

from __future__ import annotations

import re

import rich_click as click


class Sizes(click.ParamType):
    """32,64,128 -> (32, 64, 128)."""

    name = "D,D,..."

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        if not re.fullmatch(r"[0-9]{1,9}( *, *[0-9]{1,9})*", value, re.ASCII):
            self.fail(f"{value!r} is not a list of sizes such as 32,64,128", param, ctx)
        return tuple(map(int, value.split(",")))
