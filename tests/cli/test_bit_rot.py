"""One flipped bit in anything that is kept: one line that names the file, never a traceback or an answer."""

from __future__ import annotations

import random
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.chain import LSTM

STORE = "embeddings/residual_cnn-24.h5"
INDEX = "embeddings/residual_cnn-24.index"
MODEL = "runs/residual_cnn-24/model"


@pytest.mark.parametrize("place", [0.02, 0.3, 0.6, 0.98])
@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("train0000.tfrecord", ["train", "--encoder", "pca", "--dim", "4", "--name", "x"]),
        ("train0000.tfrecord", ["encode", "--name", "original"]),
        ("train0000.tfrecord", ["data", "inspect", "train*.tfrecord"]),
        ("frames/train/train0000.tfrecord", ["encode", "--name", "lstm-8"]),
        (STORE, ["index", "--dim", "24"]),
        (STORE, ["search", "--row", "1", "--dim", "24"]),
        (STORE, ["evaluate", "--dim", "24", "--heads", "ridge"]),
        (STORE, ["data", "inspect", STORE]),
        (f"{MODEL}/model-*.safetensors", ["encode", "--dim", "24"]),
        (f"{MODEL}/model-*.safetensors", ["data", "inspect", "runs/residual_cnn-24"]),
        (f"{INDEX}/index-*.faiss", ["search", "--row", "1", "--dim", "24"]),
        (f"{INDEX}/ids-*.npy", ["search", "--row", "1", "--dim", "24"]),
        (f"{INDEX}/index-*.faiss", ["data", "inspect", INDEX]),
        ("evaluation/scores/original/top-*.npz", ["evaluate", "--dim", "24", "--heads", "ridge"]),
        ("evaluation/original.json", ["report"]),
        ("runs/residual_cnn-24/config.json", ["evaluate", "--dim", "24", "--heads", "ridge"]),
        ("runs/residual_cnn-24/log.jsonl", ["evaluate", "--run", "residual_cnn-24", "--again"]),
    ],
    ids=lambda item: item if isinstance(item, str) else item[0],
)
def test_a_flipped_bit_is_found_and_its_file_named(
    compress, inside: Path, pattern: str, words: list[str], place: float
):
    (path,) = inside.glob(pattern)
    flip_a_bit(path, place)
    ended = compress(*words)
    *_, last = ended.err.splitlines()

    assert (ended.code, ended.out) == (65, "")
    assert last.startswith("error: ")
    assert path.name in last
    assert "; " in last, "a hint says how to make it anew"
    if path.suffix == ".tfrecord":
        assert " at byte " in last


def flip_a_bit(path: Path, place: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1 << random.Random(place).randrange(8)
    path.write_bytes(content)


@pytest.mark.parametrize("part", ["manifest.json"])
@pytest.mark.parametrize(
    ("folder", "words"),
    [(MODEL, ["encode", "--dim", "24"]), (INDEX, ["search", "--row", "1", "--dim", "24"])],
)
def test_a_manifest_that_is_cut_off_is_named(
    compress, inside: Path, folder: str, words: list[str], part: str
):
    path = inside / folder / part
    path.write_bytes(path.read_bytes()[:-40])
    ended = compress(*words)

    assert (ended.code, ended.out) == (65, "")
    assert part in ended.err.splitlines()[-1]


def test_a_damaged_config_of_a_run_says_how_to_start_over(compress, inside: Path):
    (inside / "runs" / "lstm-8" / "config.json").write_text("{")
    ended = compress(*LSTM)

    assert (ended.code, ended.out) == (65, "")
    assert "lstm-8/config.json: not valid JSON" in ended.err
    assert "make the run again with its command and --fresh" in ended.err
    assert compress(*LSTM, "--fresh").code == 0


def test_damaged_records_can_be_left_out(compress, inside: Path):
    flip_a_bit(inside / "train0000.tfrecord", 0.305)
    words = ("encode", "--name", "original", "--on-corrupt", "skip", "--json")
    kept = compress(*words)  # the store of all 150 videos is not given up for one of fewer
    assert (kept.code, "holds 150 videos, 1 of them not among the 149 to encode" in kept.err) == (2, True)
    ended = compress(*words, "--replace")

    assert (ended.code, ended.json["videos"]) == (0, 149)


def test_the_command_that_a_damaged_row_is_told_with_mends_it(compress, inside: Path):
    path = inside / "evaluation" / "models" / "residual_cnn-24.json"
    compress("evaluate", "--run", "residual_cnn-24")
    flip_a_bit(path, 0.5)
    ended = compress("report", "--table", "3")
    advice = re.search(r"`compress (evaluate [^`]+)`", ended.err)

    assert (ended.code, str(path.name) in ended.err) == (65, True)
    assert advice is not None
    assert compress(*shlex.split(advice[1])).code == 0
    assert compress("report", "--table", "3").code == 0


def test_the_advice_about_a_damaged_config_of_a_run_mends_it(compress, inside: Path):
    """Its model is whole and still encodes; only what names its command refuses."""
    flip_a_bit(inside / "runs" / "original" / "config.json", 0.5)
    assert compress("encode", "--name", "original").code == 0
    refused = compress("train", "--encoder", "identity")
    assert (refused.code, "--fresh" in refused.err) == (65, True)
    assert compress("train", "--encoder", "identity", "--fresh").code == 0
    assert compress("train", "--encoder", "identity").code == 0
