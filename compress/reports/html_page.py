"""What all pages are made with: templates that escape every text, and the wording of figures as filters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from compress.reports import wording

FILTERS = (
    *("figure", "bracket", "points", "points_bracket"),
    *("saved", "count", "millions", "on_disk", "duration"),
)


@cache
def template(name: str) -> Template:
    """One of templates/, by its file name."""
    environment = Environment(
        loader=PackageLoader("compress.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for filter_name in FILTERS:
        environment.filters[filter_name] = getattr(wording, filter_name)
    environment.filters["unbroken"] = _unbroken
    environment.filters["naming"] = _naming
    return environment.get_template(name)


def _unbroken(text: str) -> str:
    """No line break between a number and its per cent sign."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def _naming(text: str, names: Sequence[str]) -> Markup:
    """A text that names rows, with each name in one piece: a browser would break it at its hyphens."""
    longest_first = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    parts = re.split(rf"(?<![\w-])({longest_first})(?![\w-])", text)
    return Markup("").join(
        Markup('<code class="name">{}</code>').format(part) if i % 2 else escape(part)
        for i, part in enumerate(parts)
    )
