"""What every part of the Markdown report is written with."""

from __future__ import annotations

import re
from collections.abc import Sequence


def escape(text: str) -> str:
    """Text that Markdown and HTML show as it stands."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]#|~])", r"\\\1", text)


def to_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A GitHub table; the first column is set left, the others right. Cells are Markdown already."""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [header, rule, *rows])
