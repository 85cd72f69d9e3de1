"""Advice in errors is true: options that it names exist, and what it says to type works where it is said."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from cli.program import compress as program
from tests.cli.chain import SETTINGS, done

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
    commands = [*program.commands.values(), *program.commands["data"].commands.values()]
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


@dataclass(frozen=True)
class Situation:
    """A command that fails, and its advice taken.

    Args:
        typed: after `compress`.
        advice: of the error; a regular expression.
        then: what is typed next, with `{1}`, `{2}` ... for the groups of `advice`, and `{typed}`.
        files: what is there, by name.
        code: with which the last of `then` ends.
    """

    typed: str
    advice: str
    then: tuple[str, ...]
    files: dict[str, bytes | str | np.ndarray] = field(default_factory=dict)
    code: int = 0


X = np.arange(24, dtype=np.float32).reshape(6, 4)
LABELS = "id,labels\n" + "".join(f"-v{row},{row % 2}\n" for row in range(6))
LABELLED = {"x.npy": X, "l.csv": LABELS}
THREE = {"a.npy": X, "b.npy": X, "c.npy": X}

SITUATIONS = [
    # ids and paths
    Situation("search -v1 --name store", "given as (--id=-v1)", ("search {1} --name store",)),
    Situation("search --v1234567a", "given as (--id=--v1234567a)", ("search --row 0 --name store",)),
    Situation(
        "search --name store -- -v1 --k 3",
        "options go before --",
        ("search --name store --k 3 -- -v1",),
    ),
    Situation(
        "search --name store",
        r"VIDEO_ID, (--row) N or (--vector)",
        ("{typed} {1} 0", "{typed} {2} q.npy"),
        {"q.npy": X[0]},
    ),
    Situation("data inspect -x.npy", r"given as (\./-x\.npy)", ("data inspect {1}",), {"-x.npy": X}),
    Situation(
        "encode --input a.npy b.npy --name store --output new.h5",
        r"expand it: (--input '\*\.npy')",
        ("encode {1} --name store --output new.h5",),
        {"a.npy": X, "b.npy": X},
    ),
    # a store and its index
    Situation("search --name bare --row 0", "`compress (index --name bare)` builds it", ("{1}", "{typed}")),
    Situation("search --name store.h5 --row 0", "did you mean (--name store)", ("search {1} --row 0",)),
    # what is in the files
    Situation("data import x.npy out", "give (--num-classes) N", ("{typed} {1} 2",), {"x.npy": X}),
    Situation(
        "data import x.npy out",
        r"name the labels file with (--labels)",
        ("{typed} {1} x.labels.csv",),
        {"x.npy": X, "x.labels.csv": LABELS, "x.labels.npz": ""},
    ),
    Situation(
        "data import x.npy out --labels l.csv",
        "(--labels FILE):ID:LABELS",
        ("data import x.npy out --labels l.csv:clip:what",),
        {"x.npy": X, "l.csv": LABELS.replace("id,labels", "clip,what")},
    ),
    Situation(
        "data import x.npy out --labels l.csv",
        "say (--label-separator ' '), or (--label-separator none) if it is one",
        ("{typed} {2}", "data import x.npy other --labels l.csv {1}"),
        {"x.npy": X, "l.csv": LABELS.replace(",1", ",playing guitar")},
    ),
    Situation(
        "data import x.npy out --labels l.csv",
        "with (--on-corrupt skip) or (--on-corrupt quarantine)",
        ("{typed} {1}", "data import x.npy other --labels l.csv {2}"),
        {**LABELLED, "x.npy": np.where(X == 4, np.nan, X)},
    ),
    Situation(
        "data inspect x.npy --labels l.csv",
        "with (--on-corrupt skip) or (--on-corrupt quarantine)",
        ("{typed} {1}", "{typed} {2}"),
        {**LABELLED, "x.npy": np.where(X == 4, np.nan, X)},
    ),
    Situation(
        "data import x.npy out --labels l.csv --num-classes 1",
        "give (--num-classes) N, .*, when the data have more",
        ("data import x.npy out --labels l.csv {1} 2",),
        LABELLED,
    ),
    Situation(
        "init new --train x.npy --labels l.csv",
        "give (--validate) 'PATTERN', or (--validate-fraction 0.1)",
        ("{typed} {1} x.npy", "init two --train x.npy --labels l.csv --validate-fraction 0.5"),
        {**LABELLED, "new/_": "", "two/_": ""},
    ),
    Situation(
        "init new --train x.npy --labels l.csv --validate x.npy --group-duplicates 1",
        "give (--validate-fraction) 0.1 too",
        ("init new --train x.npy --labels l.csv --group-duplicates 1 {1} 0.5",),
        {**LABELLED, "new/_": ""},
    ),
    Situation(
        "init new --train x.npy --labels l.csv --validate x.npy --vocabulary v.csv --num-classes 2",
        "or (--num-classes 3)",
        ("init new --train x.npy --labels l.csv --validate x.npy --vocabulary v.csv {1}",),
        {**LABELLED, "new/_": "", "v.csv": "index,name\n0,a\n2,c\n"},
    ),
    Situation(
        "init new --train x.npy --validate x.npy --train-frames x.npy --num-classes 2",
        "(--train-frames) and (--validate-frames) need each other",
        ("{typed} {2} x.npy",),
        {"x.npy": X, "new/_": ""},
    ),
    Situation(
        "train --encoder linear --dim 2",
        "give (--train) 'PATTERN', or make a workspace with `compress (init)`",
        ("{2} two --train x.npy --labels l.csv --validate-fraction 0.5", "data inspect two"),
        {**LABELLED, "two/_": "", "compress.toml": ""},
    ),
    Situation("data download --part 3/2", "write (1/100)", ("data download --part {1}",)),
]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the indexed store `store`, and `bare` without an index, of six videos."""
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
        for name in LABELLED:
            Path(name).unlink()
        Path("x.labels.csv").unlink()
    return folder


def write(folder: Path, files: dict[str, bytes | str | np.ndarray]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, np.ndarray):
            np.save(path, content)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.typed)
def test_what_an_error_says_to_type_works(
    situation: Situation, stored: Path, tmp_path: Path, compress: Callable[..., object], monkeypatch
):
    here = tmp_path / "w"
    shutil.copytree(stored, here)
    if situation.typed.startswith("init"):
        (here / "compress.toml").unlink()
    monkeypatch.chdir(here)
    write(here, situation.files)
    failed = compress(*shlex.split(situation.typed))
    assert failed.code not in (0, 70)
    found = re.search(situation.advice, failed.err)
    assert found, failed.err
    for then in situation.then:
        words = then.format(*(found[0], *found.groups()), typed=situation.typed)
        ended = compress(*shlex.split(words))
    assert ended.code == situation.code, ended.err
