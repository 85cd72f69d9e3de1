"""Which run or store `--dim` and `--name` mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from compress.errors import NotFoundError, UsageError
from compress.jobs.names import find_run, find_store, run_name, store_name
from compress.workspace import Workspace

RUNS = ["residual_cnn-320", "pca-320", "linear-512", "lstm-640", "original", "mine"]
STORES = ["residual_cnn-320", "residual_cnn-320-int8", "pca-320", "linear-512-float16", "original-int8"]


@pytest.fixture
def full(tmp_path: Path) -> Workspace:
    for run in RUNS:
        (tmp_path / "runs" / run).mkdir(parents=True)
    (tmp_path / "embeddings").mkdir()
    for store in STORES:
        (tmp_path / "embeddings" / f"{store}.h5").touch()
        (tmp_path / "embeddings" / f"{store}.index").mkdir()
    (tmp_path / "embeddings" / "half.h5.partial").touch()
    return Workspace(tmp_path)


@pytest.mark.parametrize(
    ("encoder", "dim", "name", "expected"),
    [
        ("residual_cnn", 320, None, "residual_cnn-320"),
        ("identity", None, None, "original"),
        ("identity", 1152, None, "original"),
        ("random_projection", 320, None, "random-320"),
        ("pca", 320, "mine", "mine"),
    ],
)
def test_a_new_run_is_called(encoder: str, dim: int | None, name: str | None, expected: str):
    assert run_name(encoder, dim, name) == expected


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "-x", "a b", "a\n"])
def test_a_name_that_is_no_file_name_is_refused(name: str, full: Workspace):
    with pytest.raises(UsageError):
        run_name("pca", 320, name)
    with pytest.raises(UsageError):
        find_run(full, None, name)


def test_a_store_is_called_like_its_run_and_codec():
    assert (store_name("a-320", "float32"), store_name("a-320", "int8")) == ("a-320", "a-320-int8")
    assert (store_name("a", "float32", 64), store_name("a", "int8", 64)) == ("a-d64", "a-d64-int8")


@pytest.mark.parametrize(
    ("dim", "name", "expected"),
    [
        (320, None, "residual_cnn-320"),
        (512, None, "linear-512"),
        (640, None, "lstm-640"),
        (None, "mine", "mine"),
    ],
)
def test_a_run_is_found(full: Workspace, dim: int | None, name: str | None, expected: str):
    assert find_run(full, dim, name) == expected


@pytest.mark.parametrize(
    ("dim", "name", "expected"),
    [
        (320, None, "residual_cnn-320"),
        (512, None, "linear-512-float16"),
        (None, "residual_cnn-320-int8", "residual_cnn-320-int8"),
    ],
)
def test_a_store_is_found(full: Workspace, dim: int | None, name: str | None, expected: str):
    assert find_store(full, dim, name).name == expected


def test_the_only_run_needs_no_word(tmp_path: Path):
    (tmp_path / "runs" / "mine").mkdir(parents=True)

    assert find_run(Workspace(tmp_path), None, None) == "mine"


@pytest.mark.parametrize("find", [find_run, find_store])
def test_several_that_fit_are_listed(full: Workspace, find):
    with pytest.raises(UsageError, match=r"pca-320.*--name"):
        find(full, None, None)


@pytest.mark.parametrize(
    ("dim", "name", "telling"),
    [
        (128, None, "`compress train --dim 128` makes it"),
        (None, "residual_cnn-32", "did you mean residual_cnn-320"),
        (None, "xyzzy", "`compress train --dim 320 --name xyzzy` makes it"),
    ],
)
def test_a_missing_run_is_told_with_the_command_that_makes_it(full: Workspace, dim, name, telling):
    with pytest.raises(NotFoundError, match=telling):
        find_run(full, dim, name)
