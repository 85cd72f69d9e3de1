"""A report as one HTML file that needs nothing else: styles and charts inline, nothing fetched, no script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from compress.foreign_text import visible
from compress.reports.document import Document
from compress.reports.rounding import NONE


def to_html(document: Document) -> str:
    """The whole page; Jinja2 escapes every text, the charts escape theirs."""
    anchors = {section.title: _anchor(section.title) for section in document.sections}
    return _page().render(document=document, anchors=anchors, NONE=NONE)


@cache
def _page() -> Template:
    environment = Environment(
        loader=PackageLoader("compress.reports"),
        autoescape=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "unbroken": _unbroken,
        "naming": _naming,
        "markup": Markup,
        "kind": lambda block: type(block).__name__,
    }
    return environment.get_template("page.html.jinja")


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _unbroken(text: str) -> str:
    """No line break between a number and its per cent sign."""
    return visible(text).replace(" %", "\N{NO-BREAK SPACE}%")


def _naming(text: str, names: Sequence[str]) -> Markup:
    """A text that names rows, with each name in one piece: a browser would break it at its hyphens."""
    if not names:
        return escape(_unbroken(text))
    longest_first = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    parts = re.split(rf"(?<![\w-])({longest_first})(?![\w-])", _unbroken(text))
    return Markup("").join(
        Markup('<code class="name">{}</code>').format(part) if i % 2 else escape(part)
        for i, part in enumerate(parts)
    )
