"""Where names of classes come from: a file, the workspace, the store, the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from compress.artifacts.folder import commit_folder
from compress.jobs.classes import vocabulary_of, vocabulary_of_store
from compress.workspace import Workspace


def with_run(folder: Path) -> Workspace:
    """A workspace without a vocabulary; runs of numbered classes, of named ones, an unfinished one."""
    for name, schema in (("a", {}), ("b", {"class_names": ["cat", "", "dog"]})):
        commit_folder(folder / "runs" / name / "model", "model", {"x": b"x"}, {"schema": schema})
    (folder / "runs" / "aa").mkdir()
    return Workspace(folder)


def store(**metadata: Any) -> Any:
    return SimpleNamespace(metadata=metadata)


def test_names_of_a_run_are_found_by_its_name_or_by_looking(tmp_path: Path) -> None:
    workspace = with_run(tmp_path)
    assert [vocabulary_of(workspace, "b").shown(number) for number in range(3)] == ["cat", "1", "dog"]
    assert vocabulary_of(workspace).names == {0: "cat", 2: "dog"}
    assert vocabulary_of(workspace, "a").names == {}
    assert vocabulary_of(workspace, "none").shown(7) == "7"


def test_a_store_its_workspace_and_a_file_are_asked_in_this_order(tmp_path: Path) -> None:
    workspace = with_run(tmp_path)
    for name in ("workspace", "given"):
        (tmp_path / f"{name}.csv").write_text(f"index,name\n0,of the {name}\n")
    named = replace(workspace, vocabulary=tmp_path / "workspace.csv")

    assert vocabulary_of_store(named, store(run="b"), tmp_path / "given.csv").shown(0) == "of the given"
    assert vocabulary_of_store(named, store(run="b")).shown(0) == "of the workspace"
    assert vocabulary_of_store(workspace, store(run="b")).shown(0) == "cat"
    assert vocabulary_of_store(named, store(run="b", class_names=["own"])).shown(0) == "own"
