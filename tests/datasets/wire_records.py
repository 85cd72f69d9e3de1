"""Hypothesis strategies for serialised records in every encoding that protobuf allows, and some it does not.

Sizes are those of `Build`: 6 and 3 values, 10 classes.
"""

from __future__ import annotations

import struct

from hypothesis import strategies as st

DIMS = {"mean_rgb": 6, "mean_audio": 3, "rgb": 6, "audio": 3}


def varint(number: int, padding: int = 0) -> bytes:
    """A number, two's complement when negative, with `padding` superfluous bytes."""
    number &= 2**64 - 1
    digits = []
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    return (
        bytes([*digits, number]) if not padding else bytes([*digits, number | 128, *[128] * (padding - 1), 0])
    )


def field(number: int, content: bytes, padding: int = 0) -> bytes:
    """A length-delimited field."""
    return varint(number << 3 | 2, padding) + varint(len(content), padding) + content


PADDING = st.sampled_from([*[0] * 20, 1, 2, 4])
NOISE = st.one_of(
    st.builds(field, st.integers(1, 20), st.binary(max_size=6)),
    st.builds(lambda tag, n: varint(tag << 3) + varint(n), st.integers(1, 2**29), st.integers(0, 2**64 - 1)),
    st.builds(lambda tag, b: varint(tag << 3 | 5) + b, st.integers(0, 9), st.binary(min_size=4, max_size=4)),
    st.builds(lambda tag, b: varint(tag << 3 | 1) + b, st.integers(1, 9), st.binary(min_size=8, max_size=8)),
    st.builds(lambda tag: varint(tag << 3 | 3) + varint(tag << 3 | 4), st.integers(4, 9)),
    st.binary(max_size=4),
)
# Mostly nothing, or nearly no record would be one.
MAYBE_NOISE = st.sampled_from([False] * 200 + [True]).flatmap(lambda noisy: NOISE if noisy else st.just(b""))
FLOAT = st.one_of(
    st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from([0.0, -0.0, 1e-45, 3e38])
)
ODD_FLOAT = st.sampled_from([float("nan"), float("inf"), -float("inf")])
INTEGER = st.integers(0, 9)
ODD_INTEGER = st.sampled_from([-1, 10, 2**31, 2**32 + 1, 2**63 - 1, -(2**63)])


def rarely(draw: st.DrawFn, one_in: int = 50) -> bool:
    """True once in a while."""
    return draw(st.sampled_from([False] * one_in + [True]))


@st.composite
def _repeated(draw: st.DrawFn, encoded: list[bytes], tag: int) -> bytes:
    """Numbers packed, one by one, or in a mixture."""
    way = draw(st.sampled_from(["packed", "packed", "packed", "single", "mixed"]))
    if way == "packed":
        return field(1, b"".join(encoded), draw(PADDING))
    parts = [varint(1 << 3 | tag) + one for one in encoded]
    if way == "mixed":
        cut = draw(st.integers(0, len(parts)))
        parts[cut:] = [field(1, b"".join(encoded[cut:]))]
    return b"".join(part + draw(MAYBE_NOISE) for part in parts)


@st.composite
def _floats(draw: st.DrawFn, count: int) -> bytes:
    numbers = draw(st.lists(FLOAT, min_size=count, max_size=count))
    if numbers and rarely(draw):
        numbers[draw(st.integers(0, count - 1))] = draw(ODD_FLOAT)
    return field(2, draw(_repeated([struct.pack("<f", n) for n in numbers], 5)) + draw(MAYBE_NOISE))


@st.composite
def _integers(draw: st.DrawFn) -> bytes:
    numbers = draw(st.lists(INTEGER, max_size=40))
    if numbers and rarely(draw):
        numbers[0] = draw(ODD_INTEGER)
    padding = draw(st.sampled_from([*[0] * 20, 1, 4, 8, 9, 10]))
    return field(3, draw(_repeated([varint(n, padding) for n in numbers], 0)) + draw(MAYBE_NOISE))


ID = st.sampled_from([b"abcd", b"a_-9", b"abcdefghijk", b"x" * 16, b"x" * 17, b"x" * 300, "ü".encode()])
ODD_ID = st.sampled_from([b"", b"a\0", b"\xff", b"x" * 1024, b"x" * 1025])


@st.composite
def _bytes(draw: st.DrawFn, value: bytes) -> bytes:
    values = [value] * (draw(st.sampled_from([0, 2])) if rarely(draw) else 1)
    padding = draw(PADDING)
    return field(1, b"".join(field(1, one, padding) + draw(MAYBE_NOISE) for one in values))


@st.composite
def _feature(draw: st.DrawFn, usual: st.SearchStrategy[bytes]) -> bytes:
    if rarely(draw):
        usual = st.sampled_from([b"", field(1, b""), field(2, field(1, b"abcdef")), field(3, b"\x08")])
    message = draw(usual) + draw(MAYBE_NOISE)
    return message + draw(usual) if rarely(draw, 150) else message


@st.composite
def _map(draw: st.DrawFn, usual: dict[str, bytes]) -> bytes:
    """A map field's entries, in any order, some doubled or gone."""
    entries = []
    for key, value in usual.items():
        if rarely(draw):
            continue
        parts = [field(1, key.encode(), draw(PADDING)), field(2, value, draw(PADDING)), draw(MAYBE_NOISE)]
        entry = field(1, b"".join(draw(st.permutations(parts)) if rarely(draw, 4) else parts))
        entries += [entry, entry] if rarely(draw, 150) else [entry]
    if rarely(draw, 8):
        entries.append(
            field(1, field(1, draw(st.binary(max_size=3))) + field(2, draw(st.binary(max_size=8))))
        )
    return b"".join(entry + draw(MAYBE_NOISE) for entry in draw(st.permutations(entries)))


@st.composite
def _context(draw: st.DrawFn) -> dict[str, bytes]:
    found = {"id": draw(_feature((ODD_ID if rarely(draw) else ID).flatmap(_bytes)))}
    if not rarely(draw, 6):
        found["labels"] = draw(_feature(_integers()))
    if rarely(draw, 4):
        found["extra"] = draw(
            _feature(st.one_of(_integers(), st.integers(0, 3).flatmap(_floats), _bytes(b"?")))
        )
    return found


@st.composite
def examples(draw: st.DrawFn) -> bytes:
    """A tf.Example."""
    found = draw(_context())
    for name in ("mean_rgb", "mean_audio"):
        found[name] = draw(_feature(_floats(DIMS[name] + rarely(draw))))
    return field(1, draw(_map(found)), draw(PADDING)) + draw(MAYBE_NOISE)


@st.composite
def sequences(draw: st.DrawFn) -> bytes:
    """A tf.SequenceExample."""
    context, lists, length = draw(_context()), {}, draw(st.integers(1, 9)) - rarely(draw)
    for name in (*("rgb", "audio"), *(["more"] if rarely(draw, 6) else [])):
        dim = DIMS.get(name, 1)
        sizes = [dim + rarely(draw, 150) for _ in range(length + rarely(draw))]
        steps = [draw(_feature(_bytes(draw(st.binary(min_size=n, max_size=n))))) for n in sizes]
        padding = draw(PADDING)
        lists[name] = b"".join(field(1, step, padding) + draw(MAYBE_NOISE) for step in steps)
    if rarely(draw):
        context["segment_start_times"] = draw(_feature(_integers()))
    maps = [field(1, draw(_map(context)), draw(PADDING)), field(2, draw(_map(lists)))]
    return b"".join(draw(st.permutations(maps))) + draw(MAYBE_NOISE)
