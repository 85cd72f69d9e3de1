"""`compress.Codec` as somebody uses it in a notebook: arrays of any kind, files, and what is refused."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

import compress
from compress.codecs import canonical, forms
from compress.codecs.base import _CLASSES, Codec
from compress.codecs.float32 import Float32
from compress.codecs.names import FAMILIES, Family
from compress.errors import (
    CompressError,
    CorruptArtifactError,
    DataError,
    NotFoundError,
    SchemaError,
    UsageError,
)
from tests.codecs.examples import DIM, EVERY, ROWS, example, mixed

ROWS_OF = {
    "float64": lambda x: x.astype(np.float64),
    "big-endian": lambda x: x.astype(">f4"),
    "every other column": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "columns first": np.asfortranarray,
    "tensor": torch.from_numpy,
    "list": lambda x: x.tolist(),
}


@pytest.mark.parametrize("kind", ROWS_OF)
@pytest.mark.parametrize("name", ["float32", "int8", "int4", "binary", "opq5", "rabitq"])
def test_any_array_of_the_same_numbers_gives_the_same_codec_codes_and_rows(name: str, kind: str) -> None:
    codec = compress.Codec.fit(name, ROWS_OF[kind](mixed(ROWS, seed=1)))
    rows = mixed(20, seed=2)
    codes = codec.encode(ROWS_OF[kind](rows))
    assert np.array_equal(codes, example(name).encode(rows))
    back = codec.decode(ROWS_OF[kind](codes) if kind in ("tensor", "list") else codes)
    assert np.array_equal(back, example(name).decode(codes))
    assert (back.dtype, back.shape) == (np.float32, (20, DIM))


def test_whole_numbers_and_halves_are_numbers() -> None:
    rows = np.arange(12).reshape(4, 3)
    codec = compress.Codec.fit("int8", rows)
    assert np.allclose(codec.decode(codec.encode(rows.astype(np.float16))), rows, atol=0.05)


def test_it_says_what_it_is() -> None:
    codec = example("opq5")
    assert repr(codec) == "<Codec opq5 of 13 dimensions, 5 bytes per video>"
    assert (codec.name, codec.dim, codec.bytes_per_video) == ("opq5", 13, 5)


@pytest.mark.parametrize("name", EVERY)
def test_a_file_gives_the_same_codec_back(name: str, tmp_path: Path) -> None:
    example(name).save(str(tmp_path / "codec.npz"))
    again = compress.Codec.load(tmp_path / "codec.npz")
    rows = mixed(20, seed=2)
    assert type(again) is type(example(name))
    assert np.array_equal(again.encode(rows), example(name).encode(rows))


def test_a_damaged_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "codec.npz"
    example("int8").save(path)
    whole, rng = path.read_bytes(), random.Random(0)
    for _ in range(300):
        place = rng.randrange(len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1 :])
        try:
            Codec.load(path)
        except CompressError:
            continue
    for content in (b"", b"nothing", whole[:50]):
        path.write_bytes(content)
        with pytest.raises(CorruptArtifactError, match=r"codec\.npz: is damaged or not the file of a codec"):
            Codec.load(path)
    with pytest.raises(NotFoundError):
        Codec.load(tmp_path / "nowhere.npz")


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (np.zeros((3, 12)), SchemaError, "have 12 dimensions, this codec is of 13"),
        (np.zeros((3, 12), np.float32), SchemaError, "have 12 dimensions, this codec is of 13"),
        (np.zeros(13), SchemaError, "one dimension"),
        (np.full((3, 13), np.nan), DataError, "row 0"),
        ([["a"] * 13], SchemaError, "not numbers"),
        (None, SchemaError, "not numbers"),
    ],
)
def test_rows_that_do_not_fit_are_refused(rows: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        example("int8").encode(rows)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.zeros((3, 12), np.int8), r"codes of int8 are int8 \(n, 13\), these are int8 \(3, 12\)"),
        (np.zeros(13, np.int8), r"these are int8 \(13,\)"),
        (mixed(3, 1), r"these are float32 \(3, 13\); encode makes codes"),
        (np.full((3, 13), 200), "these are other numbers, int64"),
        ([["a"] * 13], "codes are of type <U1"),
    ],
)
def test_what_are_no_codes_is_refused(codes: object, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        example("int8").decode(codes)


@pytest.mark.parametrize(
    ("name", "rows", "error"),
    [
        ("pq64", np.zeros((300, 13)), UsageError),
        ("pq4", np.zeros((9, 13)), DataError),
        ("int3", [[1]], UsageError),
    ],
)
def test_what_cannot_be_fitted_is_refused(name: str, rows: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        Codec.fit(name, rows)


def test_a_codec_of_ones_own_is_known_by_its_name_alone() -> None:
    class Bfloat(Float32):
        family = Family("tf32")

    try:
        codec = Codec.fit("tf32", mixed(5, seed=1))
        assert (type(codec), codec.name, canonical("tf32")) == (Bfloat, "tf32", "tf32")
        assert "tf32" in forms()
        with pytest.raises(TypeError, match="two codecs are called tf32"):
            type("Other", (Float32,), {"family": Family("tf32")})
    finally:
        del FAMILIES["tf32"], _CLASSES["tf32"]
