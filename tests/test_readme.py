"""README.md is true: its commands run in order on a small sample, and everything it names exists.

What runs is what is written, but for SMALLER and WORDS below, which make it small enough for seconds. What
does not run is parsed by the program itself, or looked up; a kind of command that is not known here fails.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import h5py
import numpy as np
import pytest
import torch

from cli.main import run
from cli.program import compress
from cli.session import Session
from compress import load
from compress.datasets.formats.sidecar import read_sidecar
from compress.store.reader import open_store
from compress.training import inputs
from encoders import list_encoders
from tests.cli.chain import SETTINGS
from tests.door.videos import make_videos

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

SMALLER = {
    ("init",): ["--num-classes", "12"],
    ("train", "--dim"): ["--epochs", "1", "--set", "width=0.05"],
    ("evaluate", "--name"): ["--head-epochs", "1"],
    ("evaluate", "--dim"): ["--head-epochs", "1"],
}
"""Added to the commands that start like this."""
WORDS = {"VIDEO_ID": lambda: open_store("embeddings/residual_cnn-320.h5").ids[0]}
"""Words that stand for something else."""

BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S)
SPANS = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", README, flags=re.M | re.S))
LINES = [
    line
    for language, block in BLOCKS
    if language != "python"
    for line in (re.sub(r"\s+#.*", "", line).strip() for line in block.splitlines())
    if line
]
COMMANDS = [shlex.split(line)[1:] for line in LINES if line.startswith("compress ")]
NAMED = [shlex.split(span)[1:] for span in SPANS if span.startswith("compress ")]


def test_the_blocks_were_found():
    assert [language for language, _ in BLOCKS].count("python") == 1
    assert len(COMMANDS) >= 10
    assert len(NAMED) >= 5


def every(command: click.Command) -> Iterator[click.Command]:
    """The command and, of a group, all below it."""
    yield command
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from every(below)


def parsed(words: list[str]) -> click.Context:
    """What click makes of the words; raises for a command or option that does not exist."""
    command: click.Command = compress
    parent: click.Context | None = None
    while isinstance(command, click.Group):
        parent = click.Context(
            command, parent, info_name=command.name, obj=Session(), **command.context_settings
        )
        _, found, words = command.resolve_command(parent, words)
        assert found is not None
        command = found
    return command.make_context(command.name, list(words), parent=parent)


@pytest.mark.parametrize("words", [*COMMANDS, *NAMED], ids=" ".join)
def test_every_command_is_one_that_the_program_understands(words: list[str], tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("PATH", "features.npy", "labels.csv", "query.npy"):
        Path(name).touch()  # some options want their file to be there
    parsed(words)


@pytest.mark.parametrize("words", [["trian"], ["train", "--dmi", "320"], ["encode", "--codec", "int9"]])
def test_a_wrong_command_would_be_noticed(words: list[str]):
    with pytest.raises(click.UsageError):
        parsed(words)


def test_every_option_that_is_named_exists():
    options = {name for command in every(compress) for option in command.params for name in option.opts}
    options |= {"--help"}
    named = {
        word for span in SPANS if not span.startswith("make ") for word in re.findall(r"--[a-z-]+", span)
    }
    assert named
    assert named <= options


def test_every_other_line_of_the_blocks_is_known():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    others = [line for line in LINES if not line.startswith("compress ")]
    others += [span for span in SPANS if span.startswith("make ")]
    for line in others:
        program, *words = shlex.split(line)
        assert program in ("make", "python", "source"), f"nothing checks {line!r}"
        if program == "make":
            assert words[0] in targets
            for value in (word.removeprefix("DEMO=") for word in words if word.startswith("DEMO=")):
                parsed(["demo", *shlex.split(value)])
        elif program == "source":
            assert words == [".venv/bin/activate"]
        else:
            assert line.startswith("python -m venv .venv && .venv/bin/pip install -c constraints.txt -e .")
            assert (ROOT / "constraints.txt").is_file()


def test_every_encoder_stands_in_the_guide():
    page = (ROOT / "docs/guides/encoders.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(list_encoders())


def test_the_labels_file_of_the_guide_is_one_that_is_read(tmp_path: Path):
    page = (ROOT / "docs/guides/own-vectors.md").read_text(encoding="utf-8")
    header, example = re.search(r"begins with the line\n`(.+?)`.*: `(.+?)`\.$", page, re.M | re.S).groups()
    (tmp_path / "labels.csv").write_text(f"{header}\n{example}\n")
    found = read_sidecar(tmp_path / "labels.csv", 1)
    assert (found.ids, found.indices.tolist()) == ([b"my-video"], [3, 17])


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, int]]]:
    """A folder in which every `compress` line of the blocks has run, and how each ended."""
    folder, torch_threads = tmp_path_factory.mktemp("readme"), torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        for name in SETTINGS:
            patch.delenv(f"COMPRESS_{name}", raising=False)
        patch.chdir(folder)
        sample = ["data", "sample", "video", "--videos", "150", "--num-classes", "12", "--quiet"]
        assert ended(sample) == 0
        shutil.copy("video/vocabulary.csv", "vocabulary.csv")
        yield folder, {" ".join(words): ended(smaller(words)) for words in COMMANDS}
    torch.set_num_threads(torch_threads)


def smaller(words: list[str]) -> list[str]:
    added = [extra for start, extra in SMALLER.items() if tuple(words[: len(start)]) == start]
    words = [WORDS[word]() if word in WORDS else word for word in words]
    return [*words, *(word for extra in added for word in extra)]


def ended(words: list[str]) -> int:
    with pytest.raises(SystemExit) as end:
        run(words)
    return int(end.value.code or 0)


def test_every_command_of_the_blocks_runs_in_order(walked: tuple[Path, dict[str, int]]):
    _, codes = walked
    assert len(codes) == len(COMMANDS)
    assert {line: code for line, code in codes.items() if code and line != "doctor"} == {}
    # What is wrong with this machine is no fault of the README: doctor may say so, by its exit code.
    assert codes["doctor"] in (0, 69)


@pytest.mark.parametrize(
    "made",
    [
        "embeddings/residual_cnn-320.h5",
        "embeddings/residual_cnn-320.index/manifest.json",
        "embeddings/original.h5",
        "evaluation/original.json",
        "evaluation/residual_cnn-320.json",
        "evaluation/models/residual_cnn-320.json",
        "reports/report.md",
        "reports/report.json",
        "reports/report.html",
        "reports/table-3.md",
    ],
)
def test_the_commands_make_what_is_said(walked: tuple[Path, dict[str, int]], made: str):
    assert (walked[0] / made).is_file()


def test_the_python_block_runs_on_arrays(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inputs, "STEPS_PER_EPOCH", 4)  # as it stands, but not until it has converged
    block = next(block for language, block in BLOCKS if language == "python")
    X, Y = make_videos(600, dims=128)
    X_test, Y_test = make_videos(200, dims=128, seed=1)
    names: dict[str, Any] = {
        "X": X,
        "Y": Y,
        "X_test": X_test,
        "Y_test": Y_test,
        "ids": [f"v{n}" for n in range(600)],
    }
    exec(compile(block, "README.md", "exec"), names)
    assert names["codes"].shape == (600, 64)
    assert names["hits"].ids[0][0] == "v0"


def test_the_run_of_the_command_line_is_loaded(walked: tuple[Path, dict[str, int]]):
    encoder = load(walked[0] / "runs" / "residual_cnn-320")
    assert encoder.encode(np.ones((2, encoder.input_dim))).shape == (2, 320)


def test_plain_hdf5_opens_the_store(walked: tuple[Path, dict[str, int]]):
    with h5py.File(walked[0] / "embeddings" / "residual_cnn-320.h5") as file:
        assert {"embeddings", "ids", "labels"} <= set(file)
        assert file["embeddings"].shape[1] == 320
