"""What holds for every codec: sizes, restoring, refusing, and one video alone is what it is among others."""

from __future__ import annotations

import numpy as np
import pytest

from compress import faiss_engine
from compress.codecs import Codec, parse_codec, sample_rows, stored_bytes
from compress.codecs.names import FAMILIES
from compress.codecs.scoring import Lookup
from compress.errors import DataError, RecordError, SchemaError, UsageError
from compress.index.kernels import scorer
from tests.codecs.examples import BYTES, DIM, EVERY, ROWS, example, mixed

TEST = mixed(60, seed=2)
every_codec = pytest.mark.parametrize("name", EVERY)


def test_there_is_an_example_of_every_family() -> None:
    assert {parse_codec(name).family.name for name in EVERY} == set(FAMILIES)


@every_codec
def test_it_says_what_it_stores(name: str) -> None:
    codec = example(name)
    codes = codec.encode(TEST)
    assert (codec.name, codec.dim, codec.bytes_per_video) == (name, DIM, BYTES[name])
    assert (codes.dtype, codes.shape) == (codec.dtype, (60, codec.width))
    assert codes[0].nbytes == codec.bytes_per_video == stored_bytes(name, DIM)
    assert codec.decode(codes).dtype == np.float32
    assert codec.decode(codes).shape == TEST.shape


@every_codec
def test_a_video_alone_gets_the_code_it_gets_among_others(name: str) -> None:
    codec = example(name)
    codes = codec.encode(TEST)
    decoded = codec.decode(codes)
    for row in range(len(TEST)):
        assert np.array_equal(codec.encode(TEST[row : row + 1])[0], codes[row])
        assert np.array_equal(codec.decode(codes[row : row + 1])[0], decoded[row])


@every_codec
def test_no_videos_are_no_codes(name: str) -> None:
    codec = example(name)
    codes = codec.encode(TEST[:0])
    assert (codes.dtype, codes.shape) == (codec.dtype, (0, codec.width))
    assert codec.decode(codes).shape == (0, DIM)


@every_codec
def test_a_restored_codec_gives_the_same_bits(name: str) -> None:
    codec = example(name)
    again = Codec.restore(name, DIM, codec.state())
    assert np.array_equal(codec.encode(TEST), again.encode(TEST))
    assert np.array_equal(codec.decode(codec.encode(TEST)), again.decode(codec.encode(TEST)))
    assert again.name == name


@every_codec
def test_its_state_is_plain_arrays_that_a_file_gives_back(name: str) -> None:
    for array in example(name).state().values():
        assert array.dtype == np.float32
        assert array.dtype.isnative
        assert array.flags.c_contiguous


@every_codec
def test_the_same_sample_gives_the_same_codec(name: str) -> None:
    # A search for many numbers leaves FAISS another way to multiply, which moves last bits.
    faiss_engine.prefer_matrix_products(100_000)
    again = Codec.fit(name, mixed(ROWS, seed=1)).state()
    assert faiss_engine.faiss().cvar.distance_compute_blas_threshold == 400_000, "others rely on it"
    assert {key: array.tobytes() for key, array in again.items()} == {
        key: array.tobytes() for key, array in example(name).state().items()
    }


@every_codec
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_it_stores_neither_nan_nor_infinity(name: str, value: float) -> None:
    embedding = TEST[:9].copy()
    embedding[2, 3] = value
    assert example(name).representable(embedding).tolist() == [row != 2 for row in range(9)]
    with pytest.raises(RecordError, match="row 2"):
        example(name).encode(embedding)


@every_codec
def test_more_bytes_lose_less_than_the_mean_of_all_videos_does(name: str) -> None:
    codec = example(name)
    lost = np.square(codec.decode(codec.encode(TEST)) - TEST).sum()
    # One bit of RaBitQ is made for unbiased inner products, not for the smallest error.
    assert lost < 0.65 * np.square(TEST - TEST.mean(axis=0)).sum()


@every_codec
@pytest.mark.parametrize("rows", [np.zeros((2, DIM)), np.full((2, DIM), 1e15), np.full((2, DIM), 1e-30)])
def test_what_no_sample_was_like_is_stored_without_warnings(name: str, rows: np.ndarray) -> None:
    if name == "float16":
        rows = rows.clip(-6e4, 6e4)
    decoded = example(name).decode(example(name).encode(rows.astype(np.float32)))
    assert np.isfinite(decoded).all()
    assert np.array_equal(decoded[0], decoded[1])


@every_codec
def test_codes_are_scored_as_the_decoded_rows(name: str) -> None:
    codec = example(name)
    codes, queries = codec.encode(TEST), mixed(5, seed=3)
    scoring = codec.scoring(queries)
    assert codec.searchable == (scoring is not None) == (name != "float32")
    if scoring is not None:
        assert np.allclose(scorer(scoring)(codes), queries @ codec.decode(codes).T, atol=1e-4)


@every_codec
def test_the_tables_of_bytes_add_up_to_inner_products(name: str) -> None:
    codec = example(name)
    codes, queries = codec.encode(TEST), mixed(5, seed=3)
    scoring = codec.scoring(queries)
    if not isinstance(scoring, Lookup):
        return
    tables = scoring.tables
    slow = np.array([[sum(t[b, code[b]] for b in range(tables.shape[1])) for code in codes] for t in tables])
    assert (tables.dtype, len(tables), tables.shape[2]) == (np.float32, 5, 256)
    if scoring.scale is not None:
        slow = slow * scoring.scale(codes)
    if scoring.offsets is not None:
        slow = slow + scoring.offsets[:, None]
    assert np.allclose(slow, queries @ codec.decode(codes).T, atol=1e-4)


def test_who_needs_a_sample_says_how_large() -> None:
    wanted = {name: sample_rows(name) for name in EVERY}
    assert {name for name in EVERY if not wanted[name]} == {"float32", "float16"}
    assert all(wanted[name] >= 39 * 256 for name in ("pq4", "opq5", "rq3"))


@pytest.mark.parametrize("name", ["pq4", "opq5", "rq3"])
def test_what_is_trained_says_how_few_videos_are_too_few(name: str) -> None:
    with pytest.raises(
        DataError, match=r"at least 256 videos, there are only 255; choose int8, int4 or binary"
    ):
        Codec.fit(name, mixed(255, seed=1))
    assert Codec.fit(name, mixed(256, seed=1)).name == name


@pytest.mark.parametrize("name", [name for name in EVERY if sample_rows(name)])
def test_a_sample_is_needed_and_must_be_sound(name: str) -> None:
    for sample, error, message in (
        (mixed(300, 1)[0], SchemaError, "one dimension"),
        (mixed(0, 1), DataError, "empty"),
        (np.where(np.arange(DIM) == 2, np.float32("nan"), mixed(300, 1)), DataError, "NaN or Inf"),
    ):
        with pytest.raises(error, match=message):
            Codec.fit(name, sample)


@pytest.mark.parametrize("name", [name for name in EVERY if sample_rows(name)])
def test_a_sample_of_equal_videos_gives_that_video_back(name: str) -> None:
    sample = np.tile(TEST[:1], (300, 1))
    codec = Codec.fit(name, sample)
    assert np.allclose(codec.decode(codec.encode(sample[:2])), sample[:2], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "dim", "error", "message"),
    [
        ("int9", 3, UsageError, "unknown codec 'int9'; did you mean 'int8'"),
        ("float32", 0, UsageError, "at least 1 dimension"),
        ("pq14", DIM, UsageError, "needs embeddings of 14 dimensions or more, these have 13; choose pq13 or"),
        ("opq14", DIM, UsageError, "choose opq13 or fewer bytes, or rq14"),
    ],
)
def test_build_codec_refuses(name: str, dim: int, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Codec.fit(name, mixed(300, 1, dim) if dim else np.empty((300, 0), np.float32))


@pytest.mark.parametrize("name", [name for name in EVERY if sample_rows(name)])
def test_a_damaged_state_is_refused(name: str) -> None:
    state = example(name).state()
    for key, array in state.items():
        for damaged in (array[..., 1:], array.astype(np.float64), array * np.float32("nan")):
            with pytest.raises(DataError, match=f"{key} of the .* codec is not .* finite float32 numbers"):
                Codec.restore(name, DIM, {**state, key: damaged})
        with pytest.raises(DataError, match="has the arrays"):
            Codec.restore(name, DIM, {k: v for k, v in state.items() if k != key})
    with pytest.raises(DataError, match="has the arrays"):
        Codec.restore(name, DIM, {**state, "more": np.zeros(1, np.float32)})


ONES = np.ones(3, np.float32)
SQUARE = np.eye(3, dtype=np.float32)
LARGE = np.float32([[1e38, 1e38, 0], [1e38, -1e38, 0], [0, 0, 1]])
"""Inner products of its columns are infinite, or no numbers at all."""


@pytest.mark.parametrize(
    ("name", "dim", "state", "message"),
    [
        ("pq", 3, {}, "stored as 'pq'"),
        ("rabitq1", 3, {}, "is not how rabitq is stored"),
        ("pq4097", 3, {}, "more than 4096 bytes"),
        ("float32", 0, {}, "at least 1 dimension"),
        ("float32", 3, {"minimum": ONES}, "has the arrays"),
        ("int8", 3, {"minimum": ONES, "maximum": ONES * 0}, "above its maximum"),
        ("int4", 3, {"lowest": ONES, "step": -ONES}, "below 0"),
        ("binary", 3, {"low": ONES, "threshold": ONES * 0, "high": ONES * 2}, "between low and high"),
        ("binary", 3, {"low": ONES, "threshold": ONES * 2, "high": ONES * 2}, "between low and high"),
        ("pq4", 3, {"centroids": np.ones((256, 3), np.float32)}, "needs embeddings of 4 dimensions"),
        ("opq2", 3, {"centroids": np.ones((256, 3), np.float32), "rotation": 2 * SQUARE}, "not orthogonal"),
        ("rabitq", 3, {"centre": ONES, "rotation": 0 * SQUARE}, "not orthogonal"),
        ("rabitq", 3, {"centre": ONES, "rotation": LARGE}, "not orthogonal"),
    ],
)
def test_restore_codec_refuses(name: str, dim: int, state: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Codec.restore(name, dim, state)
