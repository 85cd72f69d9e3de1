"""A version is a whole number from 1 on; newer files are refused by name, and newer caches are made anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compress.artifacts.folder import commit_folder, read_folder
from compress.artifacts.manifest import check_version
from compress.codecs import Codec
from compress.errors import CorruptArtifactError, NewerVersionError
from tests.artifacts.forging import set_version


@pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", None, [1]])
def test_what_is_no_version_is_refused(tmp_path: Path, version: object):
    commit_folder(tmp_path, "model", {"a": b"1"}, {})
    set_version(tmp_path, version)
    with pytest.raises(CorruptArtifactError, match="has no schema version"):
        read_folder(tmp_path, "model")
    commit_folder(tmp_path, "model", {"a": b"1"}, {})
    assert read_folder(tmp_path, "model").schema_version == 1


def test_the_versions_that_are_read():
    check_version(1, 1, Path("a"))
    check_version(2, 3, Path("a"))
    with pytest.raises(NewerVersionError, match=r"a: has schema version 2, .*up to 1; upgrade"):
        check_version(2, 1, Path("a"))


@pytest.mark.parametrize(
    ("version", "error"),
    [(True, CorruptArtifactError), (0, CorruptArtifactError), (2, NewerVersionError)],
)
def test_a_codec_of_another_version_is_refused(tmp_path: Path, version: object, error: type[Exception]):
    path = tmp_path / "codec.npz"
    Codec.fit("int8", np.eye(4, dtype=np.float32)).save(path)
    with np.load(path) as file:
        arrays = {**file, "version": np.array(version)}
    np.savez(path, **arrays)
    with pytest.raises(error):
        Codec.load(path)
