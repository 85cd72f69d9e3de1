"""Any flipped bit, any truncation, any extension of a store is found when it is opened."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from compress.errors import CorruptArtifactError, DataError
from compress.store.reader import open_store
from tests.store.examples import embeddings, write_store


def flip(data: bytes, position: int, bit: int) -> bytes:
    damaged = bytearray(data)
    damaged[position] ^= 1 << bit
    return bytes(damaged)


@pytest.mark.parametrize("codec", ["float32", "int8"])
def test_every_flipped_bit_anywhere_is_found(tmp_path: Path, codec: str) -> None:
    path = write_store(tmp_path / "a.h5", codec=codec).path
    sound, chance = path.read_bytes(), random.Random(0)
    for _ in range(250):
        path.write_bytes(flip(sound, chance.randrange(len(sound)), chance.randrange(8)))
        with pytest.raises(DataError, match=r"a\.h5"):
            open_store(path)


def test_every_flipped_bit_of_the_line_in_the_user_block_is_found_also_without_verifying(
    tmp_path: Path,
) -> None:
    path = write_store(tmp_path / "a.h5").path
    sound = path.read_bytes()
    for position in range(sound.index(b"\n") + 2):
        path.write_bytes(flip(sound, position, position % 8))
        with pytest.raises(DataError, match=r"a\.h5"):
            open_store(path, verify=False)


def test_the_zeros_after_the_line_are_checked_too(tmp_path: Path) -> None:
    path = write_store(tmp_path / "a.h5").path
    sound = path.read_bytes()
    for position in (300, 2000, 4095):
        path.write_bytes(flip(sound, position, 3))
        with pytest.raises(CorruptArtifactError, match="damaged first block"):
            open_store(path, verify=False)


def test_every_truncation_and_extension_is_found_also_without_verifying(tmp_path: Path) -> None:
    path = write_store(tmp_path / "a.h5").path
    sound = path.read_bytes()
    for size in [*range(0, len(sound), 97), len(sound) - 1]:
        path.write_bytes(sound[:size])
        with pytest.raises(DataError, match=r"a\.h5"):
            open_store(path, verify=False)
    path.write_bytes(sound + b"\0")
    with pytest.raises(CorruptArtifactError, match="were written"):
        open_store(path, verify=False)


def test_without_verifying_damaged_structure_is_an_error_and_never_a_crash(tmp_path: Path) -> None:
    path = write_store(tmp_path / "a.h5", codec="int8").path
    sound, chance = path.read_bytes(), random.Random(1)
    for _ in range(250):
        damaged = flip(sound, chance.randrange(4096, len(sound)), chance.randrange(8))
        path.write_bytes(damaged)
        try:
            store = open_store(path, verify=False)
            assert store.decode(0, len(store)).shape == embeddings().shape
        except DataError as error:
            assert "a.h5" in str(error)  # noqa: PT017


def test_the_message_says_what_to_do(tmp_path: Path) -> None:
    path = write_store(tmp_path / "a.h5").path
    path.write_bytes(flip(path.read_bytes(), 5000, 0))
    with pytest.raises(CorruptArtifactError, match="was changed; encode it again, or restore it") as caught:
        open_store(path)
    assert caught.value.exit_code == 65
