"""Ids, names and paths come from files of others: they are shown, and nothing obeys them.

A terminal obeys control characters, a spreadsheet cells that begin like a formula. Renderers of HTML and
Markdown (compress/reports) escape their own markup, after `visible`.
"""

from __future__ import annotations

import re

# Escapes for a terminal, and what turns the direction of the text around it.
_OBEYED = (*range(32), *range(127, 160), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_ESCAPED = {code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" for code in _OBEYED}
_IN_LINES = {code: text for code, text in _ESCAPED.items() if chr(code) not in "\n\t"}
_COLOUR = re.compile("(\x1b\\[[0-9;]*m)")
# A name such as -abc or =x is none: a formula that does anything has a bracket, a bar or an operator in it.
_FORMULA = re.compile(r"[=+@\t\r-].*[^\w.-].*", re.DOTALL)
JSON_ESCAPES = {code: f"\\u{code:04x}" for code in _OBEYED if code >= 127}
"""For `str.translate` of JSON text, in which other control characters are escaped already."""


def visible(text: object) -> str:
    """A text of several lines in which what steers a terminal is written as escapes.

    Example:
        >>> visible("a\\x1b[2Jb")
        'a\\\\x1b[2Jb'
    """
    return str(text).translate(_IN_LINES)


def one_line(text: object) -> str:
    """As `visible`, with line breaks and tabs as escapes too: a name cannot pretend to be another line."""
    return str(text).translate(_ESCAPED)


def visible_in_colour(text: str) -> str:
    """As `visible`, for text that we coloured; its parts of others were made visible before."""
    return "".join(part if _COLOUR.fullmatch(part) else visible(part) for part in _COLOUR.split(text))


def csv_cell(text: str) -> str:
    """A text as a cell of a CSV file: what a spreadsheet would compute gets a ' in front, which it hides.

    Example:
        >>> csv_cell("=HYPERLINK(1)"), csv_cell("-dQw4w9WgXc")
        ("'=HYPERLINK(1)", '-dQw4w9WgXc')
    """
    # A carriage return would begin a row: Python's csv module does not quote it.
    shown = text.replace("\r", _ESCAPED[13])
    return f"'{shown}" if _FORMULA.fullmatch(text) else shown
