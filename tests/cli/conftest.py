"""Running the program as a person would, inside this process because starting Python takes longer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from tests.cli.chain import CHAIN, SETTINGS, done


@dataclass(frozen=True)
class Ended:
    """How a call of the program ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def compress(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """`compress("train", "--dim", 320)` -> exit code, stdout, stderr; never a traceback."""
    for name in SETTINGS:
        monkeypatch.delenv(f"COMPRESS_{name}", raising=False)

    def call(*words: object) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            run([str(word) for word in words])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        assert isinstance(end.value.code, int)
        return Ended(end.value.code, captured.out, captured.err)

    return call


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def workspace(here: Path) -> Path:
    """A workspace in the current folder, whose shards are empty files."""
    for name in ("train0.tfrecord", "validate0.tfrecord"):
        (here / name).touch()
    (here / "compress.toml").write_text('train = "train*.tfrecord"\nvalidate = ["validate*.tfrecord"]\n')
    return here


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which every command of CHAIN has run, on 150 invented videos; not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "w"
    with pytest.MonkeyPatch.context() as patch:
        for name in SETTINGS:
            patch.delenv(f"COMPRESS_{name}", raising=False)
        folder.mkdir()
        patch.chdir(folder)
        for words in CHAIN:
            done(*words)
    return folder


@pytest.fixture
def inside(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `finished`; the current folder."""
    shutil.copytree(finished, tmp_path / "w")
    monkeypatch.chdir(tmp_path / "w")
    return tmp_path / "w"
