"""Lists as they are typed, `32,64,128`, into what a request holds."""

from __future__ import annotations

from compress.codecs import canonical
from compress.errors import UsageError
from compress.jobs.tradeoff.request import CONTROLS


def whole_numbers(text: str | None, option: str) -> tuple[int, ...]:
    """Numbers of at least 1, in the order given, each once; none where nothing was said.

    Raises:
        UsageError: something else is among them, or there are none.
    """
    if text is None:
        return ()
    words = _words(text, option)
    if not all(word.isascii() and word.isdigit() and int(word) for word in words):
        raise UsageError(
            f"not numbers of at least 1: {text!r}", where=option, hint=f"for example {option} 64,128"
        )
    return tuple(dict.fromkeys(map(int, words)))


def codec_names(text: str, option: str = "--codecs") -> tuple[str, ...]:
    """Codecs, each once; UsageError when one is none."""
    return tuple(dict.fromkeys(map(canonical, _words(text, option))))


def control_names(text: str, option: str = "--controls") -> tuple[str, ...]:
    """Of `CONTROLS`, each once, or nothing for "none"; UsageError for another name."""
    words = _words(text, option)
    if words == ["none"]:
        return ()
    for word in words:
        if word not in CONTROLS:
            raise UsageError(
                f"no control {word!r}", where=option, hint=f"choose from {', '.join(CONTROLS)}, none"
            )
    return tuple(dict.fromkeys(words))


def _words(text: str, option: str) -> list[str]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise UsageError("names nothing", where=option)
    return words
