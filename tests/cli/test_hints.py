"""Advice in errors is true: options that it names exist, and what it says to type works where it is said."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cli.program import compress as program
from tests.cli.chain import SETTINGS, done
from tests.cli.situations import LABELLED, SITUATIONS, Situation, named

ROOT = Path(__file__).resolve().parents[2]
OF_OTHERS = {"--force-reinstall", "--no-cache-dir", "--no-deps", "--yes", "--page"}  # pip's; CSS's


def words_of(path: Path) -> list[str]:
    """The strings of a module."""
    tree = ast.parse(path.read_text())
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_every_option_that_a_message_names_exists():
    commands = list(program.commands.values())
    commands += [inner for group in commands for inner in getattr(group, "commands", {}).values()]
    options = {
        name
        for command in commands
        for option in command.params
        for name in (*option.opts, *option.secondary_opts)
    }
    named = {
        option
        for folder in ("compress", "cli", "encoders")
        for path in (ROOT / folder).rglob("*.py")
        for text in words_of(path)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)
    }

    assert named - options - OF_OTHERS - {"--help"} == set()


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six videos: the indexed store `store`, `bare` without an index, and the run `named`, on a and b."""
    folder = tmp_path_factory.mktemp("hints")
    write(folder, LABELLED)
    with pytest.MonkeyPatch.context() as patch:
        for name in SETTINGS:
            patch.delenv(f"COMPRESS_{name}", raising=False)
        patch.chdir(folder)
        shutil.copy("l.csv", "x.labels.csv")
        (folder / "compress.toml").write_text('train = "x.npy"\nvalidate = "x.npy"\n')
        done("train", "--encoder", "identity", "--name", "store")
        done("encode", "--name", "store", "--input", "x.npy", "--output", "embeddings/store.h5")
        shutil.copy("embeddings/store.h5", "embeddings/bare.h5")
        done("index", "--name", "store")
        write(folder, {"t.tfrecord": named(0, a=2, b=1), "v.tfrecord": named(6, a=2, b=1)})
        quick = ("--dim", "2", "--epochs", "1", "--set", "warm_epochs=0")
        shards = ("--train", "t.tfrecord", "--validate", "v.tfrecord", "--features", "a,b")
        done("train", "--encoder", "linear", "--name", "named", *quick, *shards)
        for name in (*LABELLED, "x.labels.csv", "t.tfrecord", "v.tfrecord"):
            Path(name).unlink()
    return folder


def write(folder: Path, files: dict[str, bytes | str | np.ndarray]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, np.ndarray):
            np.save(path, content)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)


def said_in(here: Path, situation: Situation, compress: Callable[..., object]) -> str:
    """What is said in a situation; `here` is a new copy of the workspace, and the current folder."""
    write(here, situation.files)
    ended = compress(*shlex.split(situation.typed))
    assert ended.code != 70
    assert (ended.code != 0) == situation.fails, ended.err
    return ended.err if situation.fails else ended.out + ended.err


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.typed)
def test_what_an_error_says_to_type_works(
    situation: Situation, stored: Path, tmp_path: Path, compress: Callable[..., object], monkeypatch
):
    here = tmp_path / "w"
    shutil.copytree(stored, here)
    monkeypatch.chdir(here)
    said = said_in(here, situation, compress)
    found = re.search(situation.advice, said)
    assert found, said
    for then in situation.then:
        words = then.format(*(found[0], *found.groups()), typed=situation.typed)
        ended = compress(*shlex.split(words))
        assert ended.code == 0, ended.err


def advice_in(path: Path) -> set[str]:
    """The messages of a module that name an option or a command; "\0" stands for what is filled in."""
    tree = ast.parse(path.read_text())
    nodes = list(ast.walk(tree))
    bodies = [node.body for node in nodes if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    left = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}  # docstrings
    formats = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    left |= {id(part) for node in formats for part in node.values}
    texts = [
        "".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
        for node in formats
    ]
    texts += [
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left
    ]
    return {
        text for text in texts if " " in text.strip() and re.search(r"(?<![\w-])--[a-z]|`compress ", text)
    }


ABOUT_DATA = [*sorted((ROOT / "compress" / "datasets").rglob("*.py")), ROOT / "cli" / "typed.py"]
ABOUT_DATA += [ROOT / "compress" / "jobs" / name for name in ("init.py", "search.py", "sources.py")]


def test_all_advice_about_data_is_taken_by_a_test(
    stored: Path, tmp_path: Path, compress: Callable[..., object], monkeypatch
):
    said = ""
    for number, situation in enumerate(SITUATIONS):
        here = tmp_path / str(number)
        shutil.copytree(stored, here)
        monkeypatch.chdir(here)
        said += said_in(here, situation, compress)
    told = {text for path in ABOUT_DATA for text in advice_in(path)}
    patterns = {text: ".+".join(map(re.escape, text.split("\0"))) for text in told}
    unseen = {text for text, pattern in patterns.items() if not re.search(pattern, said)}
    assert unseen == set()
