"""A store outside of the workspace is named by its path."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from compress.errors import NotFoundError, UsageError
from compress.jobs.names import find_store, find_store_inside, store_file
from compress.workspace import Workspace


@pytest.fixture
def workspace_with_store(tmp_path: Path, monkeypatch) -> Workspace:
    for name in ("embeddings/mine-8.h5", "else where/x.h5"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return Workspace(tmp_path)


@pytest.mark.parametrize(
    ("name", "called", "index"),
    [
        ("else where/x.h5", "else where/x.h5", "else where/x.index"),
        ("mine-8", "mine-8", "embeddings/mine-8.index"),
        ("embeddings/mine-8.h5", "mine-8", "embeddings/mine-8.index"),
    ],
)
def test_a_store_is_found_by_name_or_by_path(
    workspace_with_store: Workspace, tmp_path: Path, name: str, called: str, index: str
):
    found = find_store(workspace_with_store, None, name)

    assert found.name == called
    assert found.index.resolve() == tmp_path / index


def test_a_store_of_the_workspace_is_called_by_its_name_and_another_by_its_path(
    workspace_with_store: Workspace,
):
    assert store_file(workspace_with_store, Path("embeddings/mine-8.h5")).typed == "mine-8"
    assert store_file(workspace_with_store, Path("else where/x.h5")).typed == "'else where/x.h5'"


@pytest.mark.parametrize(
    ("name", "telling"),
    [
        ("nowhere/x.h5", "`compress encode --output nowhere/x.h5` writes it"),
        ("mine-8.h5", "did you mean --name mine-8?"),
    ],
)
def test_a_path_where_no_store_is_says_what_to_do(workspace_with_store: Workspace, name: str, telling: str):
    with pytest.raises(NotFoundError) as error:
        find_store(workspace_with_store, None, name)

    assert error.value.hint == telling


def test_only_stores_of_the_workspace_are_evaluated(workspace_with_store: Workspace):
    assert find_store_inside(workspace_with_store, None, "embeddings/mine-8.h5") == "mine-8"
    with pytest.raises(UsageError, match="copy it into"):
        find_store_inside(workspace_with_store, None, "else where/x.h5")


def test_what_encode_index_and_search_say_to_type_next_works(compress, inside: Path):
    words = ["encode", "--dim", "24", "--input", "validate*.tfrecord", "--output", "else where/x.h5"]
    assert "next             compress index --name 'else where/x.h5'" in compress(*words).out

    unindexed = compress("search", "--name", "else where/x.h5", "--row", "0")
    assert "`compress index --name 'else where/x.h5'` builds it" in unindexed.err

    indexed = compress("index", "--name", "else where/x.h5")
    assert "compress search --name 'else where/x.h5' --row 0" in indexed.out
    assert (inside / "else where" / "x.index").is_dir()
    assert "most like" in compress("search", "--name", "else where/x.h5", "--row", "0").out
    assert compress("evaluate", "--name", "else where/x.h5").code == 2


def test_what_encode_says_for_a_store_of_the_workspace_is_its_name(compress, inside: Path):
    output = "embeddings/residual_cnn-24.h5"
    shutil.rmtree(inside / "embeddings")

    assert "compress index --name residual_cnn-24\n" in compress("encode", "--dim", "24").out
    assert (
        "compress index --name residual_cnn-24\n" in compress("encode", "--dim", "24", "--output", output).out
    )


def test_an_output_that_could_not_be_named_later_is_refused(compress, inside: Path):
    ended = compress("encode", "--dim", "24", "--output", "x.bin")

    assert ended.code == 2
    assert ended.err == "error: --output x.bin: the name of a store must end in .h5\n"
