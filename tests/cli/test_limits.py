"""One range for each option, wherever its value is from; no library gets a number that it crashes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest

from cli.program import compress as program
from cli.types import Finite, real, whole
from compress.datasets.part import Part
from compress.errors import ConfigError, UsageError
from compress.jobs.settings import OPTION_OF_SETTING
from compress.limits import COUNT, LIMITS, within
from compress.machine import THREAD_VARIABLES, use_threads, use_torch_threads
from compress.training.config import TrainConfig
from compress.training.settings import rules
from compress.workspace import load_workspace

# Values beyond each end of the range, and the ends themselves.
BEYOND = {
    "seed": (-1, 2**32, 10**30),
    "threads": (-1, 1025, 1_000_000, 10**30),
    "num_classes": (0, -1, 2**31, 10**30),
    "validate_fraction": (0.0, 1.0, -0.1, float("inf"), float("nan")),
}
ENDS = {
    "seed": (0, 2**32 - 1),
    "threads": (0, 1024),
    "num_classes": (1, 2**31 - 1),
    "validate_fraction": (0.001,),
}
CASES = [(name, value) for name, values in BEYOND.items() for value in values]


def options(command: click.Command, path: str = "compress") -> Iterator[tuple[str, click.Option]]:
    for option in command.params:
        if isinstance(option, click.Option):
            yield f"{path} {option.opts[0]}", option
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from options(each, f"{path} {name}")


NUMBERS = [
    pytest.param(option.type, id=name)
    for name, option in options(program)
    if isinstance(option.type, click.types.IntParamType | click.types.FloatParamType)
]


@pytest.mark.parametrize("kind", NUMBERS)
def test_every_number_has_ends(kind: click.ParamType):
    if isinstance(kind, click.IntRange):
        assert kind.min is not None
        assert kind.max is not None
        assert kind.max <= 2**32
    else:
        assert isinstance(kind, Finite)
    for text in ("nan", "inf", "-inf", "1e400", "1" + "0" * 30, "-1"):
        try:
            value = kind.convert(text, None, None)
        except click.BadParameter:
            continue
        assert isinstance(kind, Finite)
        assert (value == 1e30 and kind.max is None) or (value == -1 and kind.min is None)


def test_there_are_numbers():
    assert len(NUMBERS) > 30


def workspace(folder: Path, name: str, value: object) -> None:
    table = "[defaults]\n" if name in ("seed", "threads") else ""
    (folder / "compress.toml").write_text(f"train = 'a'\n{table}{name} = {value}\n")


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_value_beyond_is_refused_from_every_side(
    compress, here: Path, monkeypatch, name: str, value: float
):
    words = ("init", "--train", "x") if name in ("num_classes", "validate_fraction") else ("train",)
    flag = compress(*words, f"--{name.replace('_', '-')}={value}")
    assert (flag.code, flag.out) == (2, "")
    assert f"--{name.replace('_', '-')}" in flag.err
    workspace(here, name, value)
    with pytest.raises(ConfigError, match=rf"compress\.toml: {name} must be {LIMITS[name]}, not"):
        load_workspace(here)
    with pytest.raises(UsageError):
        within(name, value)
    if name in ("seed", "threads"):
        (here / "compress.toml").write_text("train = 'a'")
        monkeypatch.setenv(f"COMPRESS_{name.upper()}", str(value))
        assert compress("train", "--dim", "4").code == 78


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in ENDS.items() for value in values]
)
def test_the_ends_are_accepted_from_every_side(here: Path, name: str, value: float):
    workspace(here, name, value)
    load_workspace(here)
    within(name, value)
    kind = real(LIMITS[name]) if name == "validate_fraction" else whole(LIMITS[name])
    assert kind.convert(str(value), None, None) == value


@pytest.mark.parametrize("threads", [-1, 1025, 1_000_000])
def test_too_many_threads_are_refused_before_a_library_sees_them(monkeypatch, threads: int):
    for name in THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="threads"):
        use_threads(threads)
    with pytest.raises(UsageError, match="threads"):
        use_torch_threads(threads)
    monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
    with pytest.raises(ConfigError, match="OMP_NUM_THREADS: not a number of threads"):
        use_threads(0)


def test_a_part_and_the_workspace_have_one_range():
    for value in BEYOND["validate_fraction"]:
        with pytest.raises(UsageError, match="--validate-fraction"):
            Part("validate", value)


@pytest.mark.parametrize("key", sorted(OPTION_OF_SETTING.keys() & rules(TrainConfig).keys() & LIMITS.keys()))
def test_an_option_of_train_has_the_range_of_its_setting(key: str):
    assert rules(TrainConfig)[key].limit == LIMITS[key]
    (kind,) = [
        one.type for name, one in options(program) if name == f"compress train {OPTION_OF_SETTING[key]}"
    ]
    limit, values = LIMITS[key], (-1, 0, 1e-9, 0.5, 1, 2, 2**31, 2**32, 10**12)
    for value in values:
        text = str(value) if isinstance(kind, Finite) or value != int(value) else str(int(value))
        try:
            kind.convert(text, None, None)
            accepted = True
        except click.BadParameter:
            accepted = False
        whole_only = not isinstance(kind, Finite) and value != int(value)
        assert accepted == (limit.allows(value) and not whole_only), value


def test_numpy_numbers_are_numbers():
    assert COUNT.allows(np.int64(3))
    assert not LIMITS["learning_rate"].allows(np.float64("nan"))
