"""Links of videos: a template of a URL, filled with the id and the metadata of a video."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from compress.errors import UsageError

_EXAMPLE = "such as https://example.org/videos/{id}"
_FIELD = re.compile(r"\{([^{}]*)\}")
_ORIGIN = re.compile(r"https?://[a-zA-Z0-9.-]+(?::[0-9]{1,5})?(?=[/?#]|$)")


@dataclass(frozen=True)
class Template:
    """A URL with names in braces: {id}, or {name} of a column of the metadata.

    Args:
        text: of the template.
        origin: scheme, host and port, for the Content-Security-Policy.
    """

    text: str
    origin: str

    def url(self, video_id: str, metadata: Mapping[str, Any]) -> str | None:
        """The URL of a video; None where it lacks a value."""
        values = {**metadata, "id": video_id}
        missing = [name for name in _FIELD.findall(self.text) if values.get(name) is None]
        if missing:
            return None
        return _FIELD.sub(
            lambda field: quote(str(values[field[1]]).encode("utf-8", "replace"), safe=""), self.text
        )


def template(text: str | None, option: str) -> Template | None:
    """A template that was typed; UsageError where it is none.

    Example:
        >>> template("https://example.org/{id}.jpg", "--thumbnail").url("a/b", {})
        'https://example.org/a%2Fb.jpg'
    """
    if text is None:
        return None
    origin = _ORIGIN.match(text)
    if origin is None or not _FIELD.search(text) or any(ord(letter) <= 32 for letter in text):
        raise UsageError(f"{text!r} is no URL with a name in braces", where=option, hint=_EXAMPLE)
    return Template(text, origin[0])
