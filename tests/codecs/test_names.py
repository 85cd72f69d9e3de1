"""How codecs are named: what is understood, in which one way it is written, and what is refused."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from compress.codecs.names import FORMS, PATTERN, CodecSpec, canonical, parse_codec
from compress.errors import UsageError

GOOD = {
    "float32": CodecSpec("float32"),
    "float16": CodecSpec("float16"),
    "int8": CodecSpec("int8"),
    "int4": CodecSpec("int4"),
    "binary": CodecSpec("binary"),
    "pq8": CodecSpec("pq", 8),
    "opq64": CodecSpec("opq", 64),
    "rq4096": CodecSpec("rq", 4096),
    "rabitq": CodecSpec("rabitq", 1),
    "rabitq4": CodecSpec("rabitq", 4),
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
    assert parse_codec(text) == GOOD[text]
    assert parse_codec(text).name == canonical(text) == text


def test_one_bit_is_what_rabitq_has_unless_more_is_said() -> None:
    assert canonical("rabitq1") == "rabitq"


@pytest.mark.parametrize("text", BAD)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="codec"):
        parse_codec(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [("pq", "for example pq64"), ("in8", "did you mean 'int8'"), ("f", re.escape(", ".join(FORMS)))],
)
def test_the_hint_says_what_could_be_meant(text: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        parse_codec(text)


@pytest.mark.parametrize("text", [*GOOD, *BAD])
def test_the_pattern_for_file_names_takes_what_the_parser_takes(text: str) -> None:
    within = re.fullmatch(PATTERN, text) is not None
    too_large = text in {"pq4097"}
    assert within == (text in GOOD or too_large)


def test_reading_names_loads_nothing_heavy() -> None:
    code = "import compress.codecs.names, sys; sys.exit(bool({'numpy', 'torch', 'faiss'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
