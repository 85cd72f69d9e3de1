"""Product, rotated product, residual quantiser and RaBitQ beside slow versions, and beside each other."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from compress.codecs import Codec, residual
from compress.codecs.centroids import Nearest, moved, train_centroids
from compress.codecs.product import Product, groups
from compress.codecs.residual import Residual
from compress.codecs.rotated_product import RotatedProduct
from compress.errors import DataError, Interrupted
from compress.progress import clear_interrupt, request_interrupt
from tests.codecs.examples import DIM, ROWS, example, mixed

TEST = mixed(60, seed=2)


def loss(name: str) -> float:
    codec = example(name) if name in ("pq4", "pq13") else Codec.fit(name, mixed(ROWS, seed=1))
    return float(np.square(codec.decode(codec.encode(TEST)) - TEST).sum())


@pytest.mark.parametrize(("dim", "number"), [(13, 4), (1152, 320), (320, 64), (5, 5), (5, 1)])
def test_the_groups_are_all_dimensions_in_even_shares(dim: int, number: int) -> None:
    found = groups(dim, number)
    assert [d for group in found for d in range(dim)[group]] == list(range(dim))
    sizes = {group.stop - group.start for group in found}
    assert len(found) == number
    assert sizes <= {dim // number, dim // number + 1}


@pytest.mark.parametrize("dim", [1, 3, 40])
def test_the_nearest_centroid_is_nearest(dim: int) -> None:
    centroids, rows = mixed(256, seed=5, dim=dim), mixed(100, seed=6, dim=dim)
    distances = np.square(rows[:, None].astype(np.float64) - centroids[None]).sum(axis=2)
    found = distances[np.arange(100), Nearest(centroids).codes(rows)]
    assert np.allclose(found, distances.min(axis=1), atol=1e-5)


def test_of_equal_centroids_the_first_is_meant() -> None:
    centroids = np.repeat(mixed(128, seed=5), 2, axis=0)
    assert (Nearest(centroids).codes(TEST) % 2 == 0).all()


def test_centroids_move_to_the_middle_of_their_rows() -> None:
    centroids, rows = np.zeros((256, 2), np.float32), mixed(50, seed=1, dim=2)
    codes = np.where(np.arange(50) < 20, 3, 200).astype(np.uint8)
    found = moved(centroids, rows, codes)
    assert np.allclose(found[3], rows[:20].mean(axis=0), atol=1e-6)
    assert np.allclose(found[200], rows[20:].mean(axis=0), atol=1e-6)
    assert not found[np.setdiff1d(np.arange(256), [3, 200])].any()


def test_few_different_rows_are_their_own_centroids() -> None:
    rows = np.tile(mixed(40, seed=1, dim=3), (10, 1))
    centroids = train_centroids(rows, seed=0)
    assert np.allclose(centroids[Nearest(centroids).codes(rows)], rows, atol=1e-6)


@pytest.mark.parametrize("name", ["pq2", "opq2", "rq2"])
@pytest.mark.parametrize("scale", [1e19, 1e37, 3e38])
def test_numbers_without_float32_distances_are_refused_and_end_no_process(name: str, scale: float) -> None:
    sample = np.sign(mixed(300, seed=1)) * np.float32(scale)
    with pytest.raises(DataError, match="too large"):
        Codec.fit(name, sample)


def test_the_turn_pays_where_dimensions_depend_on_each_other() -> None:
    assert loss("opq4") < 0.9 * loss("pq4")


@pytest.mark.parametrize(("less", "more"), [("pq4", "pq13"), ("rq2", "rq4"), ("rabitq2", "rabitq4")])
def test_more_bytes_lose_less(less: str, more: str) -> None:
    assert loss(more) < loss(less)


def test_a_wider_beam_loses_less(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = Codec.fit("rq6", mixed(ROWS, seed=1))
    wide = np.square(codec.decode(codec.encode(TEST)) - TEST).sum()
    monkeypatch.setattr(residual, "BEAM", 1)
    greedy = codec.encode(TEST)
    assert wide < np.square(codec.decode(greedy) - TEST).sum()
    assert isinstance(codec, Residual)
    assert np.array_equal(greedy, slow_greedy(codec, TEST))


def slow_greedy(codec: Residual, rows: np.ndarray) -> np.ndarray:
    codes = np.empty((len(rows), codec.width), np.uint8)
    for row, left in enumerate(rows.astype(np.float64)):
        for stage, centroids in enumerate(codec.centroids):
            codes[row, stage] = np.square(left - centroids).sum(axis=1).argmin()
            left = left - centroids[codes[row, stage]]
    return codes


@pytest.mark.parametrize("name", ["pq4", "opq4", "rq2"])
def test_the_number_of_threads_does_not_show(name: str) -> None:
    states = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            states.append(Codec.fit(name, mixed(ROWS, seed=1)).state())
    assert all(np.array_equal(states[0][key], states[1][key]) for key in states[0])


@pytest.mark.parametrize("name", ["pq4", "opq4", "rq2"])
def test_training_stops_when_asked(name: str) -> None:
    request_interrupt(2)
    try:
        with pytest.raises(Interrupted, match="run the same command again"):
            Codec.fit(name, mixed(ROWS, seed=1))
    finally:
        clear_interrupt()


@pytest.mark.parametrize(("name", "kind"), [("pq4", Product), ("opq4", RotatedProduct)])
def test_centroids_are_their_own_codes(name: str, kind: type) -> None:
    codec = Codec.fit(name, mixed(ROWS, seed=1))
    assert isinstance(codec, kind)
    codes = codec.encode(TEST)
    assert np.array_equal(codec.encode(codec.decode(codes)), codes)


@pytest.mark.parametrize("bits", [1, 2, 4, 9])
def test_rabitq_decodes_as_the_formula_says(bits: int) -> None:
    codec = Codec.fit(f"rabitq{bits}", mixed(ROWS, seed=1))
    codes = codec.encode(TEST)
    decoded = codec.decode(codes)
    turned = (TEST - codec.centre).astype(np.float64) @ codec.rotation.matrix
    for row in range(len(TEST)):
        planes = codes[row, : bits * 2].reshape(bits, 2)
        levels = [sum((int(planes[b, d // 8]) >> (d % 8) & 1) << b for b in range(bits)) for d in range(DIM)]
        factor = codes[row, bits * 2 :].copy().view("<f4")[0]
        offsets = (2 * np.array(levels) + 1 - 2**bits) * factor
        assert np.allclose(decoded[row], codec.centre + codec.rotation.matrix @ offsets, atol=1e-4)
        # The paper's estimate is exact along the embedding itself: that is what makes it unbiased.
        assert np.isclose(offsets @ turned[row], turned[row] @ turned[row], rtol=1e-4)
