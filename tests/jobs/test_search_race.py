"""A search while another process encodes and indexes again: of the old store, or of the new one."""

from __future__ import annotations

from pathlib import Path

from compress.jobs.search import search_store
from compress.workspace import Workspace
from tests.artifacts.races import when_checked
from tests.index.building import build_index
from tests.store.examples import write_store


def test_a_store_and_an_index_that_are_replaced_between_their_opening_belong_together(
    tmp_path: Path, monkeypatch
) -> None:
    workspace = Workspace(tmp_path)

    def made(videos: int) -> None:
        build_index(write_store(workspace.store("a"), num_videos=videos), workspace.index("a"))

    made(10)
    # The old store is open, and its index is checked: now both are made again.
    checked = when_checked(monkeypatch, lambda: made(12))
    found = search_store(workspace, name="a", row=11, k=11)
    assert len(found.neighbours) == 11
    assert checked == ["index", "index", "index"][: len(checked)]
    assert len(checked) >= 2
