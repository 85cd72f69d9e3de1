"""The features that an extraction keeps: the same bytes each time, and every change of them is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from crc32c import crc32c
from safetensors.numpy import save_file

from compress.errors import CorruptArtifactError
from compress.extract.features import Features, KeptFeatures
from compress.extract.videos import Video

VIDEO = Video(Path("a.mp4"), "a", 100, 5)
FEATURES = Features({"rgb": np.arange(8, dtype=np.float32).reshape(2, 4)}, "cut off", False)


def test_the_same_features_are_the_same_bytes(tmp_path: Path) -> None:
    kept = KeptFeatures(tmp_path, {"fps": 1})
    found = set()
    for _ in range(8):  # the fields of safetensors come in an order of chance
        kept.write(VIDEO, FEATURES)
        found.add(kept.path(VIDEO).read_bytes())
    assert len(found) == 1


def test_what_is_kept_is_read_for_the_same_video_and_settings_only(tmp_path: Path) -> None:
    kept = KeptFeatures(tmp_path, {"fps": 1})
    kept.write(VIDEO, FEATURES)
    read = kept.read(VIDEO)
    assert read is not None
    assert (read.damage, read.has_sound) == ("cut off", False)
    np.testing.assert_array_equal(read.parts["rgb"], FEATURES.parts["rgb"])
    assert kept.read(replace(VIDEO, mtime_ns=6)) is None
    assert KeptFeatures(tmp_path, {"fps": 2}).read(VIDEO) is None


def test_every_flipped_bit_is_found(tmp_path: Path) -> None:
    kept = KeptFeatures(tmp_path, {"fps": 1})
    kept.write(VIDEO, FEATURES)
    whole = kept.path(VIDEO).read_bytes()
    for bit in range(8 * len(whole)):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << (bit % 8)
        kept.path(VIDEO).write_bytes(changed)
        try:
            read = kept.read(VIDEO)
        except CorruptArtifactError:
            continue
        # Otherwise the file counts as another video's, or says the same: no wrong number is ever given.
        if read is not None:
            assert (read.damage, read.has_sound) == ("cut off", False), bit
            np.testing.assert_array_equal(read.parts["rgb"], FEATURES.parts["rgb"])


def test_what_version_0_1_kept_is_read(tmp_path: Path) -> None:
    kept = KeptFeatures(tmp_path, {"fps": 1})
    part = FEATURES.parts["rgb"]
    facts = {"origin": '{"fps": 1, "id": "a", "mtime_ns": 5, "size": 100}', "damage": "", "has_sound": "true"}
    facts["crc32c"] = f'{{"rgb": "{crc32c(part.tobytes()):08x}"}}'
    save_file({"rgb": part}, kept.path(VIDEO), facts)
    read = kept.read(VIDEO)
    assert read is not None
    assert read.has_sound
    facts["crc32c"] = '{"rgb": "00000000"}'
    save_file({"rgb": part}, kept.path(VIDEO), facts)
    with pytest.raises(CorruptArtifactError):
        kept.read(VIDEO)
