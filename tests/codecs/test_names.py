"""How codecs are named: what is understood, in which one way it is written, and what is refused."""

from __future__ import annotations

import re

import pytest

from compress.codecs import canonical, forms, parse_codec, pattern
from compress.errors import UsageError

GOOD = {
    "float32": ("float32", 0),
    "float16": ("float16", 0),
    "int8": ("int8", 0),
    "int4": ("int4", 0),
    "binary": ("binary", 0),
    "pq8": ("pq", 8),
    "opq64": ("opq", 64),
    "rq4096": ("rq", 4096),
    "rabitq": ("rabitq", 1),
    "rabitq4": ("rabitq", 4),
}
BAD = [
    "",
    "int9",
    "int84",
    "pq",
    "pq0",
    "pq08",
    "pq-8",
    "pq64x4",
    "PQ8",
    "pq4097",
    "rabitq0",
    "rabitq10",
    "binary1",
]


@pytest.mark.parametrize("text", GOOD)
def test_a_name_is_taken_apart_and_put_together_again(text: str) -> None:
    spec = parse_codec(text)
    assert (spec.family.name, spec.number) == GOOD[text]
    assert parse_codec(text).name == canonical(text) == text


def test_one_bit_is_what_rabitq_has_unless_more_is_said() -> None:
    assert canonical("rabitq1") == "rabitq"


@pytest.mark.parametrize("text", BAD)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="codec"):
        parse_codec(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [("pq", "give the bytes per video: pq64"), ("in8", "did you mean 'int8'"), ("f", re.escape(forms()))],
)
def test_the_hint_says_what_could_be_meant(text: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        parse_codec(text)


@pytest.mark.parametrize("text", [*GOOD, *BAD])
def test_the_pattern_for_file_names_takes_what_the_parser_takes(text: str) -> None:
    within = re.fullmatch(pattern(), text) is not None
    too_large = text in {"pq4097"}
    assert within == (text in GOOD or too_large)
