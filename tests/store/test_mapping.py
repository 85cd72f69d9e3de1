"""Pages given back: the rows stay right, and the process stays small."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from compress.codecs.float32 import Float32
from compress.store import mapping
from compress.store.mapping import forget
from compress.store.reader import Store, open_store
from compress.store.writer import open_writer

ROWS, DIM = 40_000, 64  # 10 MB


def matrix(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((ROWS, DIM), dtype=np.float32)


def written(path: Path, seed: int) -> Path:
    ids = np.array([b"%d-%05d" % (seed, row) for row in range(ROWS)])
    codec = Float32(DIM)
    with open_writer(path, ids=ids, labels=None, codec=codec, splits={}, metadata={}) as writer:
        writer.write(matrix(seed))
        writer.finish()
    return path


def mapped_bytes() -> int:
    """Bytes of files that are mapped into this process and present."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssFile:")[1].split()[0]) * 1024


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Store]:
    """One file, and two as one."""
    folder = tmp_path_factory.mktemp("stores")
    paths = [written(folder / f"{seed}.h5", seed) for seed in (1, 2)]
    return open_store(paths[0]), open_store(paths)


@pytest.fixture(autouse=True)
def nothing_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping, "KEEP_BYTES", 0)


@pytest.mark.parametrize(("start", "stop"), [(0, ROWS), (1, ROWS - 1), (17, 9000), (9000, 9001)])
def test_rows_are_the_same_however_often_they_are_let_go(stores, start, stop):
    one, _ = stores
    for _ in range(2):
        assert np.array_equal(one.decode(start, stop), matrix(1)[start:stop])
    assert np.array_equal(one.decode(0, ROWS), matrix(1))


def test_rows_across_two_files_are_the_same(stores):
    _, two = stores
    both = np.concatenate([matrix(1), matrix(2)])
    picked = np.random.default_rng(0).integers(0, 2 * ROWS, 30_000)
    for _ in range(2):
        assert np.array_equal(two.decode(ROWS - 9000, ROWS + 9000), both[ROWS - 9000 : ROWS + 9000])
        assert np.array_equal(two.rows(picked), both[picked])


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_a_pass_over_a_store_keeps_none_of_it_mapped(stores):
    one, _ = stores
    before = mapped_bytes()
    for start in range(0, ROWS, 8000):
        one.decode(start, start + 8000)
    one.rows(np.sort(np.random.default_rng(0).permutation(ROWS)[:20_000]))
    assert mapped_bytes() - before < 2_000_000


def test_an_array_in_memory_is_left_alone():
    array = matrix(3)
    forget(array, 0, ROWS)
    assert np.array_equal(array, matrix(3))
