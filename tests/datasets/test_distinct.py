"""The first id that occurs twice, against a dictionary; whatever the hashes do."""

from __future__ import annotations

import numpy as np
import pytest

from compress.datasets import catalogue as module
from compress.datasets.catalogue import first_repeat, hash_ids


def by_dictionary(ids: list[bytes]) -> tuple[int, int] | None:
    seen: dict[bytes, int] = {}
    for row, name in enumerate(ids):
        if name in seen:
            return seen[name], row
        seen[name] = row
    return None


@pytest.mark.parametrize("kinds", [3, 40, 10_000])
@pytest.mark.parametrize("width", [1, 4, 8, 9, 30])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_earliest_repeat(monkeypatch, seed: int, width: int, kinds: int) -> None:
    monkeypatch.setattr(module, "_CHUNK", 7)
    random = np.random.default_rng(seed)
    names = [b"%d" % number + b"x" * int(random.integers(0, width)) for number in range(kinds)]
    ids = [names[place][-width:] for place in random.integers(0, kinds, size=60)]
    assert first_repeat(np.array(ids)) == by_dictionary(ids)


def test_equal_hashes_of_different_ids_are_no_repeat(monkeypatch) -> None:
    monkeypatch.setattr(module, "hash_ids", lambda ids: np.zeros(len(ids), dtype=np.uint64))
    assert first_repeat(np.array([b"c", b"a", b"b"])) is None
    assert first_repeat(np.array([b"c", b"a", b"c", b"a"])) == (0, 2)


def test_a_hash_depends_on_the_bytes_and_not_on_the_width() -> None:
    ids = [b"a", b"abcdefgh", b"abcdefghi", "ü".encode() * 9]
    hashes = hash_ids(np.array(ids))
    assert len(set(hashes.tolist())) == len(ids)
    for name, wanted in zip(ids, hashes, strict=True):
        assert hash_ids(np.array([name])) == hash_ids(np.array([name], dtype="S100")) == wanted


def test_one_id_or_none_cannot_repeat() -> None:
    assert first_repeat(np.array([b"a"])) is None
    assert first_repeat(np.array([], dtype="S3")) is None
