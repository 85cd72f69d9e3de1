"""Flags go before the environment, that before compress.toml, that before built-in defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

SETTINGS = [
    ("seed", "7", "8", "9", 0),
    ("threads", "3", "2", "1", 0),
    ("device", '"cuda"', "cpu", "auto", "auto"),
    ("preset", '"paper"', "best", "paper", "best"),
    ("codec", '"int8"', "float16", "float32", "float32"),
    ("on_corrupt", '"skip"', "quarantine", "fail", "fail"),
]


@pytest.mark.parametrize(("name", "in_file", "in_environment", "as_flag", "built_in"), SETTINGS)
def test_the_nearest_word_counts(
    compress, workspace: Path, monkeypatch, name, in_file, in_environment, as_flag, built_in
):
    seen = []
    monkeypatch.setattr("cli.session.Session.working", _remember(seen, name))
    command = "train" if name == "preset" else "encode"
    flag = f"--{name.replace('_', '-')}"

    compress(command)
    (workspace / "compress.toml").write_text(f"[defaults]\n{name} = {in_file}\n")
    compress(command)
    monkeypatch.setenv(f"COMPRESS_{name.upper()}", in_environment)
    compress(command)
    compress(command, flag, as_flag)

    assert [str(value) for value in seen] == [str(built_in), in_file.strip('"'), in_environment, as_flag]


def _remember(seen: list, name: str):
    def working(session):
        seen.append(getattr(session.settings, name))
        raise KeyboardInterrupt

    return working


@pytest.mark.parametrize(
    ("name", "value"), [("SEED", "-1"), ("THREADS", "many"), ("DEVICE", "gpu"), ("CODEC", "f8")]
)
def test_a_wrong_environment_variable_is_a_configuration_error(compress, here, monkeypatch, name, value):
    monkeypatch.setenv(f"COMPRESS_{name}", value)
    ended = compress("encode", "--dim", "320")

    assert ended.code == 78
    assert f"COMPRESS_{name}" in ended.err


def test_a_workspace_named_by_the_environment_is_used(compress, workspace, monkeypatch, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("COMPRESS_WORKSPACE", str(workspace))

    assert str(workspace) in compress("doctor", "--json").out


@pytest.mark.parametrize("value", ["abc", "", "0", "-1", "1.5", "many,2"])
def test_a_wrong_number_of_openmp_threads_is_one_clear_line(compress, here, monkeypatch, value):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    ended = compress("encode", "--dim", "320")

    assert ended.code == 78
    assert ended.err.startswith(f"error: OMP_NUM_THREADS: not a number of threads: {value!r}; set it to 1")


def test_a_flag_goes_before_a_wrong_number_of_openmp_threads(compress, here, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "abc")

    assert "OMP_NUM_THREADS" not in compress("encode", "--dim", "320", "--threads", "1").err
