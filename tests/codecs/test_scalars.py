"""Codecs that store number by number: what comes back, and how far it may be off."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from compress.codecs import Codec
from compress.codecs.float16 import Float16
from compress.codecs.float32 import Float32
from compress.errors import RecordError
from tests.codecs.examples import embeddings


def test_float32_keeps_every_bit() -> None:
    embedding = embeddings()
    codec = Float32(7)
    decoded = codec.decode(codec.encode(embedding))
    assert decoded.tobytes() == embedding.tobytes()


def test_a_decoded_float32_is_a_copy_that_may_be_changed() -> None:
    codes = embeddings()
    codes.setflags(write=False)
    decoded = Float32(7).decode(codes)
    decoded[0, 0] = 5
    assert codes[0, 0] != 5


def test_float16_is_off_by_at_most_half_a_unit_in_the_last_place() -> None:
    embedding = embeddings(500)
    codec = Float16(7)
    error = np.abs(codec.decode(codec.encode(embedding)) - embedding)
    assert (error <= np.abs(embedding) * 2.0**-11 + 2.0**-25).all()


@pytest.mark.parametrize("value", [65504.0, 65519.996, -65504.0])
def test_float16_keeps_what_rounds_into_its_range(value: float) -> None:
    codec = Float16(1)
    assert abs(codec.decode(codec.encode(np.array([[value]], np.float32)))[0, 0]) == 65504


@pytest.mark.parametrize("value", [65520.0, -70000.0, 3e38])
def test_float16_refuses_what_would_become_infinite(value: float) -> None:
    embedding = embeddings(5, 3)
    embedding[3, 1] = value
    with pytest.raises(RecordError, match=r"row 3: value .* cannot be stored as float16"):
        Float16(3).encode(embedding)


def test_the_largest_float32_is_finite() -> None:
    embedding = np.full((2, 3), np.finfo(np.float32).max, np.float32)
    assert Float32(3).representable(embedding).all()


def slow_int8(embedding: np.ndarray, minimum: np.ndarray, maximum: np.ndarray) -> np.ndarray:
    decoded = np.zeros_like(embedding)
    for row in range(embedding.shape[0]):
        for column in range(embedding.shape[1]):
            low, high = float(minimum[column]), float(maximum[column])
            value = min(max(float(embedding[row, column]), low), high)
            step = (high - low) / 255
            level = round((value - low) / step) if step else 0
            decoded[row, column] = low + level * step
    return decoded


def test_int8_equals_the_formula_written_out() -> None:
    sample, embedding = embeddings(40, seed=1), embeddings(60, seed=2)
    sample[:, 4] = 2.5
    codec = Codec.fit("int8", sample)
    wanted = slow_int8(embedding, sample.min(0), sample.max(0))
    assert np.allclose(codec.decode(codec.encode(embedding)), wanted, atol=1e-6)


def test_int8_uses_the_whole_range_of_codes() -> None:
    sample = np.linspace(-3, 5, 1000, dtype=np.float32)[:, None]
    codes = Codec.fit("int8", sample).encode(sample)
    assert np.array_equal(np.unique(codes), np.arange(-128, 128))


def test_int8_decodes_its_bounds_and_constants_exactly() -> None:
    sample = embeddings(30)
    sample[:, 0] = 0.1
    codec = Codec.fit("int8", sample)
    decoded = codec.decode(codec.encode(sample))
    assert np.array_equal(decoded.min(0), sample.min(0))
    assert np.allclose(decoded.max(0), sample.max(0), rtol=1e-6)
    assert (decoded[:, 0] == np.float32(0.1)).all()


@settings(max_examples=60, deadline=None)
@given(arrays(np.float32, (6, 3), elements=st.floats(-(2.0**127), 2.0**127, width=32)))
def test_int8_is_off_by_at_most_half_a_step_inside_the_sample(sample: np.ndarray) -> None:
    codec = Codec.fit("int8", sample)
    decoded = codec.decode(codec.encode(sample)).astype(np.float64)
    span = sample.max(0).astype(np.float64) - sample.min(0)
    rounding = 4 * np.finfo(np.float32).eps * np.maximum(np.abs(sample.max(0)), np.abs(sample.min(0)))
    assert (np.abs(decoded - sample) <= span / 510 + rounding + 1e-42).all()


def test_int8_in_pieces_is_int8_in_one_piece(monkeypatch) -> None:
    embedding = embeddings(100, 7)
    codec = Codec.fit("int8", embedding[:60])
    state = codec.state()
    span = state["maximum"].astype(np.float64) - state["minimum"]
    levels = (embedding.astype(np.float64) - state["minimum"]) * (255 / span)
    wanted = (np.clip(np.rint(levels), 0, 255) - 128).astype(np.int8)
    for numbers in (1, 7, 50, 10**6):
        monkeypatch.setattr("compress.codecs.int8._CHUNK_NUMBERS", numbers)
        assert np.array_equal(codec.encode(embedding), wanted)
