"""How a codec is named, wherever it is named: `--codec`, compress.toml, the attribute of a store.

float32 float16 int8 int4 binary      4, 2, 1, 1/2, 1/8 bytes a dimension
pq<M> opq<M> rq<M>                    M bytes a video
rabitq rabitq<B>                      B bits a dimension, and factors of each video; `rabitq` is 1 bit
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from compress.errors import UsageError

PLAIN = ("float32", "float16", "int8", "int4", "binary")
# By their bytes: of a product, a rotated product, and a residual quantiser.
BY_BYTES = ("pq", "opq", "rq")
RABITQ = "rabitq"
FORMS = (*PLAIN, *(f"{family}<M>" for family in BY_BYTES), RABITQ, f"{RABITQ}<B>")
# More would cost more than the embeddings as they are, of any encoder here.
MOST_BYTES = 4096
MOST_BITS = 9

# A regular expression without groups, for names that end in a codec.
PATTERN = rf"(?:{'|'.join(PLAIN)}|(?:{'|'.join(BY_BYTES)})[1-9][0-9]{{0,3}}|{RABITQ}[1-9]?)"
_PARTS = re.compile(rf"({'|'.join((*PLAIN, *BY_BYTES, RABITQ))})([1-9][0-9]{{0,3}})?")


@dataclass(frozen=True)
class CodecSpec:
    """A codec's name, taken apart.

    Args:
        family: one of `PLAIN`, `BY_BYTES`, or "rabitq".
        parameter: M of `BY_BYTES` (bytes a video, 1 to 4096), B of "rabitq" (bits, 1 to 9); else None.
    """

    family: str
    parameter: int | None = None

    @property
    def name(self) -> str:
        """The one way to write it: what stores and files are called."""
        if self.parameter is None or (self.family, self.parameter) == (RABITQ, 1):
            return self.family
        return f"{self.family}{self.parameter}"


def parse_codec(text: str) -> CodecSpec:
    """The codec that `text` names.

    Raises:
        UsageError: it names none, or its number is out of range.
    """
    found = _PARTS.fullmatch(text)
    if found is None:
        raise UsageError(f"unknown codec {text!r}", hint=_hint(text))
    family, number = found[1], None if found[2] is None else int(found[2])
    if (family in PLAIN and number is not None) or (family in BY_BYTES and number is None):
        raise UsageError(f"unknown codec {text!r}", hint=_hint(text))
    if family in BY_BYTES and number is not None and number > MOST_BYTES:
        raise UsageError(f"codec {text} would take more than {MOST_BYTES} bytes a video")
    if family == RABITQ:
        number = number or 1
        if number > MOST_BITS:
            raise UsageError(f"codec {text} would take more than {MOST_BITS} bits a dimension")
    return CodecSpec(family, number)


def canonical(text: str) -> str:
    """The one way to write the codec `text`; UsageError when it names none."""
    return parse_codec(text).name


def _hint(text: str) -> str:
    if text in BY_BYTES:
        return f"say how many bytes a video, for example {text}64"
    close = difflib.get_close_matches(text, (*PLAIN, RABITQ), n=1)
    forms = f"choose one of {', '.join(FORMS)} (M bytes a video, B bits a dimension)"
    return f"did you mean {close[0]!r}? {forms}" if close else forms
