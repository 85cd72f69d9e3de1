"""`compress du` and `compress clean`: what a workspace holds, and what of it goes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from compress.artifacts.lock import exclusive

DEAD = 2**22 + 1  # no process has this number on Linux


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def half_written(here: Path) -> list[Path]:
    found = [
        here / f"compress.toml.compress-tmp.{DEAD}",
        here / f"runs/original/model/compress-tmp.{DEAD}.model.safetensors",
        here / f"embeddings/new.h5.compress-tmp.{DEAD}",
    ]
    for path in found:
        path.write_bytes(b"half")
    return found


def by_kind(ended: object) -> dict[str, dict[str, object]]:
    return {one["kind"]: one for one in ended.json["held"]}


def test_every_byte_is_counted_once(inside: Path, compress: Callable[..., object]):
    half_written(inside)
    ended = compress("du", "--json")
    folders = ("runs", "embeddings", "evaluation", "reports", "cache")
    sizes = [len(data) for name in folders for data in content(inside / name).values()]
    assert ended.json["bytes"] == sum(sizes)
    held = by_kind(ended)
    assert (held["runs"]["items"], held["stores"]["items"], held["indexes"]["items"]) == (3, 4, 1)
    assert held["evaluations"]["items"] == 4
    assert held["heads"]["items"] == 4
    assert held["of that, left by killed processes"]["items"] == 3


def test_what_killed_processes_left_goes_and_nothing_else(inside: Path, compress: Callable[..., object]):
    left = half_written(inside)
    mine = inside / "runs/original/model/notes.compress-tmp.txt"
    mine.write_text("not a temporary of ours")
    living = inside / f"embeddings/now.h5.compress-tmp.{os.getpid()}"
    living.write_bytes(b"being written")
    (inside / f"embeddings/link.compress-tmp.{DEAD}").symlink_to(inside / "compress.toml")
    kept = content(inside)
    for path in left:
        del kept[str(path.relative_to(inside))]
    ended = compress("clean", "--yes", "--json")
    assert ended.code == 0
    assert {Path(one["path"]) for one in ended.json["removed"]} == set(left)
    assert ended.json["bytes"] == 12
    assert content(inside) == kept
    assert compress("clean", "--yes").out == "nothing to remove\n"


def test_cache_and_heads_go_when_named_and_every_figure_stays(inside: Path, compress: Callable[..., object]):
    report = compress("report", "--json").json
    before = {name: data for name, data in content(inside).items() if name.startswith(("runs", "embeddings"))}
    rows = content(inside / "evaluation")
    (inside / "cache/mine.txt").write_text("a note")
    (inside / "cache/unknown").mkdir()
    (inside / "cache/unknown/data.npy").write_bytes(b"of somebody")
    removable = {kind: one["removable"] for kind, one in by_kind(compress("du", "--json")).items()}

    ended = compress("clean", "--cache", "--heads", "--yes", "--json")
    assert ended.json["bytes"] == removable["cache"] + removable["heads"] > 0
    assert {path.name for path in (inside / "cache").iterdir()} - {"hashed.json"} == {"mine.txt", "unknown"}
    assert not (inside / "evaluation/heads").exists()
    after = content(inside)
    assert {name: after[name] for name in before} == before
    left = content(inside / "evaluation")
    assert left == {name: data for name, data in rows.items() if not name.startswith("heads")}
    assert compress("report", "--json").json == report
    assert compress("clean", "--cache", "--heads", "--yes").out == "nothing to remove\n"
    assert compress("evaluate", "--name", "original", "--heads", "ridge").code == 0


def test_who_says_no_or_nothing_keeps_everything(
    inside: Path, compress: Callable[..., object], monkeypatch: pytest.MonkeyPatch
):
    before = content(inside)
    for answers, code in ((["n"], 0), ([""], 0), ([], 2)):
        left = iter(answers)

        def answer(prompt: str, left=left) -> str:
            try:
                return next(left)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("click.termui.visible_prompt_func", answer)
        ended = compress("clean", "--cache")
        assert ended.code == code
        assert "table-" in ended.out  # what would go was shown
    assert "--yes" in ended.err
    assert compress("clean", "--cache", "--json").code == 2
    assert content(inside) == before
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt: "y")
    assert "removed" in compress("clean", "--cache").out
    assert content(inside) != before


def test_what_another_process_makes_stays(inside: Path, compress: Callable[..., object]):
    table, *others = sorted((inside / "cache").glob("table-*"))
    with exclusive(table):
        ended = compress("clean", "--cache", "--yes")
    assert f"{table} stays: it is being written by process" in ended.err
    assert table.is_dir()
    assert not any(other.exists() for other in others)


def test_nothing_behind_a_link_goes(inside: Path, compress: Callable[..., object], tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    shutil.move(inside / "cache", elsewhere)
    (inside / "cache").mkdir()
    for path in elsewhere.glob("table-*"):
        (inside / "cache" / path.name).symlink_to(path)
    before = content(elsewhere)
    assert compress("clean", "--cache", "--yes").out == "nothing to remove\n"
    assert content(elsewhere) == before


def test_a_folder_without_anything_is_no_error(here: Path, compress: Callable[..., object]):
    assert compress("du", "--json").json["bytes"] == 0
    assert compress("clean", "--cache", "--heads", "--yes").out == "nothing to remove\n"
    assert list(here.iterdir()) == []
