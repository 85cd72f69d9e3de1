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
from compress.datasets.formats.framing import frame
from tests.cli.chain import SETTINGS, done
from tests.datasets.messages import example

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


def shard(*records: dict[str, list[bytes] | list[float]]) -> bytes:
    """Records of one label as a TFRecord shard."""
    return b"".join(frame(example(labels=[number % 2], **each)) for number, each in enumerate(records))


SHARD = shard(*({"id": [b"v%d" % row], "mean_rgb": [float(row), 1.0]} for row in range(4)))

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
        "init new --train x.npy --labels l.csv --validate x.npy --validate-fraction 0.5",
        "leave one of the two out",
        ("init new --train x.npy --labels l.csv --validate-fraction 0.5",),
        {**LABELLED, "new/_": ""},
    ),
    Situation(
        "init new --train x.npy --labels l.csv --validate-fraction 0.001",
        "choose another fraction, or give (--validate)",
        ("init new --train x.npy --labels l.csv {1} x.npy",),
        {**LABELLED, "new/_": ""},
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
    Situation(
        "data inspect t.tfrecord",
        "fetch it again, or leave .* with (--on-corrupt skip) or (--on-corrupt quarantine)",
        ("{typed} {1}", "{typed} {2}"),
        {"t.tfrecord": SHARD[:-1] + bytes([SHARD[-1] ^ 1])},
    ),
    Situation(
        "data inspect t.tfrecord",
        "leave such records out with (--on-corrupt skip) or (--on-corrupt quarantine)",
        ("{typed} {1}", "{typed} {2}"),
        {"t.tfrecord": SHARD + shard({"id": [b"x"], "mean_rgb": [1.0]})},
    ),
    Situation(
        "data inspect t.tfrecord",
        "(--on-corrupt skip) leaves out all but the first video of an id",
        ("{typed} {1}",),
        {"t.tfrecord": SHARD + SHARD},
    ),
    Situation(
        "data inspect t.tfrecord --features other",
        "(--features) takes names that the file has",
        ("data inspect t.tfrecord {1} mean_rgb",),
        {"t.tfrecord": SHARD},
    ),
    Situation(
        "data inspect t.tfrecord",
        "say which, in order, such as (--features a,b)",
        ("{typed} {1}",),
        {"t.tfrecord": shard({"id": [b"v"], "a": [1.0, 2.0], "b": [3.0, 4.0]})},
    ),
    Situation(
        "data inspect t.tfrecord --level frame",
        "of a frame, which (--level) frame asks for",
        ("data inspect t.tfrecord {1} video",),
        {"t.tfrecord": SHARD},
    ),
    Situation(
        "data import x.npy out --labels l.csv",
        "or give (--replace)",
        ("{typed} {1}",),
        {**LABELLED, "out/train0000.tfrecord": SHARD},
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


def failed_in(here: Path, stored: Path, situation: Situation, compress: Callable[..., object]) -> str:
    """What the error of a situation says; `here` is a new copy of the workspace, and the current folder."""
    write(here, situation.files)
    failed = compress(*shlex.split(situation.typed))
    assert failed.code not in (0, 70)
    return failed.err


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.typed)
def test_what_an_error_says_to_type_works(
    situation: Situation, stored: Path, tmp_path: Path, compress: Callable[..., object], monkeypatch
):
    here = tmp_path / "w"
    shutil.copytree(stored, here)
    monkeypatch.chdir(here)
    said = failed_in(here, stored, situation, compress)
    found = re.search(situation.advice, said)
    assert found, said
    for then in situation.then:
        words = then.format(*(found[0], *found.groups()), typed=situation.typed)
        ended = compress(*shlex.split(words))
    assert ended.code == situation.code, ended.err


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
NOT_SHOWN_HERE = {
    # Most are typed in tests/cli/test_description.py.
    "\x00 is read as \x00, as --features says",
    "\x00.labels.csv beside it (header id,labels) or --num-classes N",
    "\x00: --segments",
    "\x00; under other names, --features takes these in the same order",
    "--features takes features of one kind",
    "`compress search --vector \x00` in a store of \x00 dimensions\x00",
    "each file is one video, its rows are frames; say --level video if each row is a video",
    "features, as shards of `compress init` and `encode --input`, with \x00; \x00",
    "frames are read where they are: compress init --train PATTERN",
    "if they are the same under other names, say so in this order: --features \x00",
    "measure it in its own workspace, or give the shards by --validate",
    "name features of one kind with --features",
    "name the one that is the id, such as --id \x00",
    "not used: \x00\x00; --features, --id and --labels choose what is used",
    "say --level frame if a file is a video, --level video if a row is",
    "say --level frame if each is one video, or --features \x00 if its rows are videos",
    "segments with labels of their own are there: --segments makes them rows, named ID:START",
    "the run was trained on one array; say what it joined, in order: --features \x00",
}
"""Advice about data that no situation here shows; a new one belongs into SITUATIONS instead."""


def test_all_advice_about_data_is_taken_by_a_test(
    stored: Path, tmp_path: Path, compress: Callable[..., object], monkeypatch
):
    said = ""
    for number, situation in enumerate(SITUATIONS):
        here = tmp_path / str(number)
        shutil.copytree(stored, here)
        monkeypatch.chdir(here)
        said += failed_in(here, stored, situation, compress)
    told = {text for path in ABOUT_DATA for text in advice_in(path)}
    patterns = {text: ".+".join(map(re.escape, text.split("\0"))) for text in told}
    unseen = {text for text, pattern in patterns.items() if not re.search(pattern, said)}
    assert unseen == NOT_SHOWN_HERE
