"""The labels in one cell of a table: `3 17`, `cat|dog`, `["cat", "dog"]`; and what stands between them."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from compress.datasets.vocabulary import Vocabulary
from compress.errors import SchemaError

NOTHING = "none"
"""As a separator: a cell is one label."""
_MISSING = frozenset({"", "nan", "none", "null", "na", "n/a", "<na>"})
_NUMBERS = re.compile(r"[+-]?[0-9]+(\.0*)?([\s,;|]+[+-]?[0-9]+(\.0*)?)*")
_BETWEEN_NUMBERS = re.compile(r"[\s,;|]+")
_SURE = ("|", ";", "\t")  # hardly ever within a name
_ALONE, _MOSTLY = 0.75, 0.5


@dataclass(frozen=True)
class CellLabels:
    """The labels of N cells: cell i has `texts[k]` for each k in `codes[indptr[i]:indptr[i + 1]]`.

    Args:
        indptr: int64 (N + 1,).
        codes: int32 (all labels,).
        texts: distinct labels.
        separator: what stood between labels, for a person; None where no cell has two.
    """

    indptr: np.ndarray
    codes: np.ndarray
    texts: Sequence[str]
    separator: str | None


def split_cells(
    cells: Sequence[str], separator: str | None = None, vocabulary: Vocabulary | None = None
) -> CellLabels:
    """Cut cells into labels.

    Args:
        cells: as in the file; an empty cell, `nan` and `none` are no label.
        separator: what stands between labels, or "none": nothing does. None looks for it: numbers may have
            spaces, commas, semicolons or bars between them, names one of `|` and `;`; a comma or a space
            only where the cells, or the vocabulary, leave no doubt that it separates.
        vocabulary: known names, which may contain spaces and commas.

    Raises:
        SchemaError: it cannot be seen whether a cell is one label or several; the hint names the option.

    Example:
        >>> split_cells(["cat|dog", "", "dog"]).texts
        ['cat', 'dog']
    """
    distinct = list(dict.fromkeys(cells))
    inner = [_unwrapped(cell) for cell in distinct]
    found = separator
    if found is None and any(isinstance(cell, str) and _is_list(cell) for cell in inner):
        found = _separator([cell for cell in inner if isinstance(cell, str)], vocabulary)
    numbers: dict[str, int] = {}
    coded: dict[str, list[int]] = {}
    for cell, content in zip(distinct, inner, strict=True):
        parts = _parts(content, found) if isinstance(content, str) else content
        coded[cell] = [numbers.setdefault(part, len(numbers)) for part in dict.fromkeys(parts)]
    counts = np.fromiter((len(coded[cell]) for cell in cells), np.int64, len(cells))
    indptr = np.concatenate([[0], np.cumsum(counts)])
    codes = np.fromiter((code for cell in cells for code in coded[cell]), np.int32, int(indptr[-1]))
    return CellLabels(indptr, codes, list(numbers), found)


def _unwrapped(cell: str) -> str | list[str]:
    """The text of a cell without brackets; the items themselves of a list in quotes, as pandas writes it."""
    text = cell.strip()
    if text.lower() in _MISSING:
        return ""
    if len(text) < 2 or (text[0], text[-1]) not in {("[", "]"), ("(", ")"), ("{", "}")}:
        return text
    if "'" in text or '"' in text:
        try:
            # numpy prints no commas between the items.
            items = ast.literal_eval(re.sub(r"""(['"])\s+(?=['"])""", r"\1, ", text))
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return text
        items = items if isinstance(items, Collection) and not isinstance(items, str | dict) else [items]
        return [str(item).strip() for item in items]
    return text[1:-1].strip()


def _is_list(text: str) -> bool:
    return any(mark in text for mark in " ,;|\t")


def _parts(text: str, separator: str | None) -> list[str]:
    if not text:
        return []
    if separator is None and _NUMBERS.fullmatch(text):
        return _BETWEEN_NUMBERS.split(text)
    if separator in (None, NOTHING):
        return [text]
    return [part for part in (part.strip() for part in text.split(separator)) if part]


def _separator(texts: Sequence[str], vocabulary: Vocabulary | None) -> str | None:
    """What stands between names, "none" if nothing; None where all labels are numbers."""
    filled = [text for text in texts if text]
    if all(_NUMBERS.fullmatch(text) for text in filled):
        return None
    if vocabulary is not None:
        marks = (NOTHING, *_SURE, ",", " ")
        shares = [_known(filled, mark, vocabulary) for mark in marks]
        if max(shares) >= _MOSTLY:  # the others are unknown names, whatever stands between labels
            return marks[shares.index(max(shares))]
    for mark in _SURE:
        if any(mark in text for text in filled):
            return mark
    for mark in (",", " "):
        lists = [text for text in filled if mark in text]
        if not lists:
            continue
        close = mark == "," and not any(", " in text for text in lists)
        if close or _recur_alone(lists, filled, mark):
            return mark
        raise SchemaError(
            f"cannot tell whether {lists[0][:60]!r} is one label or several",
            hint=f"say --label-separator '{mark}', or --label-separator none if it is one",
        )
    return NOTHING


def _known(filled: Sequence[str], mark: str, vocabulary: Vocabulary) -> float:
    """Which share of the parts are names of the vocabulary."""
    parts = {part for text in filled for part in _parts(text, mark)}
    return sum(part in vocabulary.numbers for part in parts) / len(parts)


def _recur_alone(lists: Sequence[str], filled: Sequence[str], mark: str) -> bool:
    """Whether the parts are labels: most are cells of their own, which parts of a name seldom are."""
    parts = {part for text in lists for part in _parts(text, mark)}
    alone = parts & {text for text in filled if mark not in text}
    return len(alone) >= _ALONE * len(parts)
