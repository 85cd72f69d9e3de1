"""What is printed reaches any terminal: letters that it cannot show, and characters that would steer it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from cli.main import run
from cli.text import aligned, table
from compress.codecs.float32 import Float32
from compress.foreign_text import visible
from compress.labels import Labels
from compress.store.writer import open_writer

ROOT = Path(__file__).parents[2]
IDS = ["vidéo", "猫-1", "🎬", "\x1b]0;x\x07\x9b2J"]
NAMES = ["naïve", "猫", "📼", "\x1b[2Jclear"]
ENCODINGS = ["ascii", "latin-1", "cp1252", "gbk", "utf-8"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with an indexed store, whose ids and class names have letters of many alphabets."""
    folder = tmp_path_factory.mktemp("alphabets")
    rows = "".join(f'{number},"{name}"\n' for number, name in enumerate(NAMES))
    (folder / "vocabulary.csv").write_text(f"index,name\n{rows}", encoding="utf-8")
    (folder / "compress.toml").write_text('vocabulary = "vocabulary.csv"\n', encoding="utf-8")
    (folder / "embeddings").mkdir()
    with open_writer(
        folder / "embeddings" / "mine.h5",
        ids=np.array([name.encode() for name in IDS]),
        labels=Labels.from_lists([[number] for number in range(4)], 4),
        codec=Float32(4),
        splits={"train": (0, 4)},
        metadata={},
    ) as writer:
        writer.write(np.eye(4, dtype=np.float32) + 0.1)
        writer.finish()
    with pytest.raises(SystemExit):
        run(["index", "--name", "mine", "--workspace", str(folder), "--quiet"])
    return folder


def printed(monkeypatch: pytest.MonkeyPatch, encoding: str, *words: str) -> tuple[int, str]:
    """Exit code and stdout of a terminal of this encoding, in this process."""
    data = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(data, encoding=encoding, errors="strict"))
        with pytest.raises(SystemExit) as end:
            run(list(words))
        sys.stdout.flush()
        text = data.getvalue().decode(encoding)
    return int(str(end.value.code)), text


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_letters_that_a_terminal_lacks_are_replaced(
    store: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.chdir(store)
    code, text = printed(monkeypatch, encoding, "search", "--row", "0", "--name", "mine")
    assert (code, "\x1b" in text, "\x9b" in text) == (0, False, False)
    for name in (*IDS[:3], *NAMES[:3]):
        assert name.encode(encoding, "replace").decode(encoding) in text
    assert r"\x1b[2Jclear" in text
    assert printed(monkeypatch, encoding, "data", "inspect", "embeddings/mine.h5")[0] == 0
    assert printed(monkeypatch, encoding, "--help")[0] == 0
    assert printed(monkeypatch, encoding, "search", "猫", "--name", "mine")[0] == 66


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_loses_nothing_in_any_encoding(
    store: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.chdir(store)
    code, text = printed(monkeypatch, encoding, "search", "--row", "0", "--name", "mine", "--json")
    assert (code, "\x9b" in text) == (0, False)
    assert {hit["video_id"] for hit in json.loads(text)["neighbours"]} == set(IDS[1:])


def test_control_characters_are_shown_and_line_breaks_kept() -> None:
    assert visible("a\x1b[2J\x07b\tc\nd\x7f\x9b") == "a\\x1b[2J\\x07b\tc\nd\\x7f\\x9b"
    assert "\x1b" not in aligned({"id": "\x1b[2J"}) + table(("id",), [("\x1b[2J",)])


@pytest.mark.parametrize("closed", ["", ">&-", ">&- 2>&-"])
def test_a_program_of_its_own_in_ascii_and_without_stdout(store: Path, closed: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    command = f"{sys.executable} -m cli search --row 1 --name mine {closed}"
    ended = subprocess.run(
        ["bash", "-c", command], cwd=store, env=environment, capture_output=True, check=False
    )
    lost = b"error: standard output: is closed, so the result cannot be printed\n"
    assert (ended.returncode, ended.stderr) == (74 if closed else 0, lost if closed == ">&-" else b"")
    assert bool(ended.stdout) == (not closed)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("search --row 1 --name mine", 74),
        ("search --row 1 --name mine --json", 74),
        ("data inspect embeddings/mine.h5", 74),
        ("data download", 74),
        ("doctor --help", 74),
        ("index --name mine --json", 74),
        ("index --name mine", 0),  # what it makes is on the disk
        ("search --row 9 --name mine --json", 66),
    ],
)
@pytest.mark.parametrize("stdout", ["closed", "full"])
def test_a_result_that_cannot_be_printed_is_an_error(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stdout: str, words, code
) -> None:
    monkeypatch.chdir(store)
    full = open("/dev/full", "w")  # noqa: SIM115
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None if stdout == "closed" else full)
        with pytest.raises(SystemExit) as end:
            run(words.split())
        for stream in (full, sys.stdout):
            with suppress(OSError):
                stream.close()
    assert end.value.code == (74 if stdout == "full" and code != 66 else code)
    assert ("error: " in capsys.readouterr().err) == (end.value.code != 0)
