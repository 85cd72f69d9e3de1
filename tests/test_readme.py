"""README.md is true: its commands run in order on a small sample, and everything it names exists.

What runs is what is written, but for SMALLER and WORDS below, which make it small enough for seconds. What
does not run is parsed by the program itself (test_docs.py), or looked up; a kind of command that is not known
here fails.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from cli.main import run
from compress import load
from compress.evaluation.judges import names as judge_names
from compress.store.reader import open_store
from tests.cli.chain import SETTINGS
from tests.door.videos import make_videos
from tests.parsing import parsed

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

SMALLER = {
    ("init",): ["--num-classes", "12"],
    ("train", "--dim"): ["--epochs", "1", "--set", "width=0.05"],
    ("evaluate", "--name"): ["--heads", "ridge"],
    ("evaluate", "--dim"): ["--heads", "ridge"],
}
"""Added to the commands that start like this."""
WORDS = {"VIDEO_ID": lambda: open_store("embeddings/residual_cnn-320.h5").ids[0]}
"""Words that stand for something else."""

BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S)
# Needs an extra; a test of the guide runs the same lines.
VIDEO_FILES = BLOCKS.pop(next(place for place, block in enumerate(BLOCKS) if "compress extract" in block[1]))
SPANS = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", README, flags=re.M | re.S))
LINES = [
    line
    for language, block in BLOCKS
    if language != "python"
    for line in (re.sub(r"\s+#.*", "", line).strip() for line in block.splitlines())
    if line
]
COMMANDS = [shlex.split(line)[1:] for line in LINES if line.startswith("compress ")]


def test_the_blocks_were_found():
    assert [language for language, _ in BLOCKS].count("python") == 1
    assert len(COMMANDS) >= 10


def test_the_commands_for_video_files_are_those_of_the_guide():
    assert VIDEO_FILES[1] in (ROOT / "docs/guides/videos.md").read_text(encoding="utf-8")


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
        Path("titles.csv").write_text("video_id,title,seconds\nsomewhere else,A title,90\n")
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
        "library/manifest.json",
    ],
)
def test_the_commands_make_what_is_said(walked: tuple[Path, dict[str, int]], made: str):
    assert (walked[0] / made).is_file()


def test_the_python_block_runs_on_arrays(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(judge_names, "TITLES", {"ridge": "ridge regression"})  # the others take a minute
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
