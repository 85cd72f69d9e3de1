"""Types of options: what a word on the command line may be."""

from __future__ import annotations

import math
import re
from typing import Any

import rich_click as click

from compress.errors import UsageError
from compress.limits import COUNT, Limit


class CodecName(click.ParamType):
    """A codec as `compress.codecs` writes it."""

    name = "codec"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from compress.codecs import canonical

        try:
            return canonical(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


class Finite(click.FloatRange):
    """A range of numbers, of which NaN and the infinities are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def whole(limit: Limit) -> click.IntRange:
    """The type of an option that is a whole number."""
    at_least, at_most = (None if end is None else int(end) for end in (limit.at_least, limit.at_most))
    return click.IntRange(at_least, at_most)


def real(limit: Limit) -> click.FloatRange:
    """The type of an option that is a number."""
    return Finite(
        limit.above if limit.at_least is None else limit.at_least,
        limit.below if limit.at_most is None else limit.at_most,
        min_open=limit.above is not None,
        max_open=limit.below is not None,
    )


def _counts(word: str) -> bool:
    return re.fullmatch("[0-9]{1,18}", word) is not None and COUNT.allows(int(word))


class Listed(click.ParamType):
    """`a,b` as ("a", "b") or `8,16` as (8, 16), each once.

    Args:
        item: str, or int for numbers of embedding sizes and the like (see `COUNT`).
        nothing: the word for an empty list; None where that makes no sense.
    """

    name = "list"

    def __init__(self, item: type[str] | type[int], nothing: str | None = None) -> None:
        self.item, self.nothing = item, nothing

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in value.split(",") if word.strip()]
        if not words:
            self.fail("names nothing", param, ctx)
        if self.item is int and not all(map(_counts, words)):
            self.fail(f"{value!r} is not a list of numbers of {COUNT}, such as 64,128", param, ctx)
        return () if words == [self.nothing] else tuple(dict.fromkeys(map(self.item, words)))
