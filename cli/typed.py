"""Words that click took for something else: an id that begins with `-`, a pattern that the shell expanded."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

import click

_WORDS = "compress.words"
_YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")


def remember(context: click.Context, words: Sequence[str]) -> None:
    """Keep the words of a command line for `advice`."""
    context.meta.setdefault(_WORDS, list(words))


def advice(error: click.UsageError, context: click.Context) -> str:
    """What to type instead; empty where the words say nothing."""
    words: list[str] = context.meta.get(_WORDS, [])
    if isinstance(error, click.NoSuchOption):
        return _dash(error.option_name, words, context)
    if isinstance(error, click.BadParameter) or "unexpected extra argument" in error.format_message():
        if pattern := _expanded(words):
            return f"quote the pattern, so that the shell does not expand it: {pattern}"
        if "(-" in error.format_message():
            return "options go before --"
    return ""


def _dash(option: str, words: Sequence[str], context: click.Context) -> str:
    """An id or a file whose name begins with `-`, as one YouTube id in 64 does."""
    argument = next((one for one in context.command.params if isinstance(one, click.Argument)), None)
    if argument is None:
        return ""
    if option.startswith("--"):
        word = option if _YOUTUBE_ID.fullmatch(option) else ""
    else:
        known = {name for one in context.command.params for name in one.opts}
        taken = [word for word in words if word.startswith("-") and not word.startswith("--")]
        word = next((word for word in taken if word not in known and option[1:] in word), "")
    if not word:
        return ""
    if any(one.name == "video_ids" for one in context.command.params):
        return f"an id that begins with - is given as --id={word}"
    return f"a path that begins with - is given as ./{word}"


def _expanded(words: Sequence[str]) -> str:
    """`--train 'train*.npy'` for the words `--train train0.npy train1.npy`; empty without files in a row."""
    for place, option in enumerate(words):
        files = []
        for word in words[place + 1 :]:
            if word.startswith("-") or not os.path.exists(word):
                break
            files.append(word)
        if option.startswith("--") and len(files) > 1:
            start = _same_start(files)
            end = _same_start([name[len(start) :][::-1] for name in files])[::-1]
            return f"{option} '{start}*{end}'"
    return ""


def _same_start(texts: Sequence[str]) -> str:
    least, most = min(texts), max(texts)
    same = (place for place, letter in enumerate(least) if letter != most[place : place + 1])
    return least[: next(same, len(least))]
