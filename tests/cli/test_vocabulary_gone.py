"""A vocabulary that compress.toml names and that is gone: only what needs the names stops."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

GOES_ON = [
    ("encode --name original --replace", False),
    ("evaluate --name original --heads ridge", False),
    ("evaluate --run residual_cnn-24", False),
    ("search --name residual_cnn-24 --row 0 --vocabulary moved.csv", False),
    ("predict --run residual_cnn-24 validate*.tfrecord --top 2", True),
    ("report", True),
    ("report --table 2", True),
]


@pytest.fixture
def gone(inside: Path) -> Path:
    (inside / "vocabulary.csv").rename(inside / "moved.csv")
    return inside


@pytest.mark.parametrize(("typed", "is_told"), GOES_ON, ids=lambda value: str(value))
def test_who_can_do_without_goes_on(typed: str, is_told: bool, gone: Path, compress: Callable[..., object]):
    ended = compress(*typed.split())
    assert ended.code == 0, ended.err
    assert ended.err.count("no such vocabulary") == is_told


@pytest.mark.parametrize("typed", ["report", "train --dim 4 --encoder linear --epochs 1"])
def test_what_is_said_to_write_helps(typed: str, gone: Path, compress: Callable[..., object]):
    settings = gone / "compress.toml"
    said = compress(*typed.split()).err
    found = re.search(
        r'vocabulary\.csv: no such vocabulary; write where it is now in (.+): (vocabulary = )"FILE"', said
    )
    assert found, said
    assert Path(found[1]) == settings
    text = settings.read_text()
    settings.write_text(text.replace('vocabulary = "vocabulary.csv"', found[2] + '"moved.csv"'))
    ended = compress(*typed.split())
    assert ended.code == 0, ended.err
    assert "no such vocabulary" not in ended.err
