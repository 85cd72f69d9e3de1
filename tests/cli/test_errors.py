"""Whatever goes wrong: one line on stderr, the right exit code, and with --json one JSON value on stdout."""

from __future__ import annotations

import errno
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli.errors import failure
from compress import errors
from compress.errors import CorruptShardError, Interrupted

SHARD = CorruptShardError("checksum of the data does not match", where="a.tfrecord", offset=4711, record=3)
TABLE = [
    (errors.UsageError("no"), 2),
    (errors.OutOfRangeError("no"), 2),
    (errors.UnknownNameError("no"), 2),
    (errors.DataError("no"), 65),
    (errors.NewerVersionError("no"), 65),
    (SHARD, 65),
    (errors.CorruptArtifactError("no"), 65),
    (errors.MarkedStoreError("no"), 65),
    (errors.NotFoundError("no"), 66),
    (errors.RecordError("no"), 67),
    (errors.SchemaError("no"), 68),
    (errors.UnconfirmedError("no store was confirmed"), 72),
    (errors.UnavailableError("no"), 69),
    (errors.DivergedError("no"), 71),
    (errors.StorageError("no"), 74),
    (errors.LockedError("no"), 75),
    (errors.ConfigError("no"), 78),
    (Interrupted("stopped"), 130),
    (Interrupted("stopped", signal_number=15), 143),
    (KeyboardInterrupt(), 130),
    (click.Abort(), 130),
    (click.UsageError("no"), 2),
    (OSError(errno.ENOSPC, "No space left on device", "/full"), 74),
    (RuntimeError("surprise"), 70),
    (AssertionError(), 70),
]


@pytest.mark.parametrize(("error", "code"), TABLE, ids=lambda item: type(item).__name__)
def test_every_error_is_one_line_and_its_exit_code(error: BaseException, code: int):
    said = failure(error)

    assert said.exit_code == code == said.facts["exit_code"]
    assert "\n" not in said.line
    assert said.line.startswith("internal error: " if code == 70 else "error: ")


def test_every_class_of_the_error_tree_is_in_the_table():
    def tree(kind: type) -> set[type]:
        return {kind}.union(*(tree(child) for child in kind.__subclasses__()))

    ours = {kind for kind in tree(errors.CompressError) if kind.__module__ == "compress.errors"}

    assert ours - {type(error) for error, _ in TABLE} == {errors.CompressError}


def test_a_line_says_where_what_and_what_to_do():
    error = errors.NotFoundError(
        "no trained encoder", where="runs", hint="`compress train --dim 320` trains it"
    )

    assert failure(error).line == "error: runs: no trained encoder; `compress train --dim 320` trains it"


def test_a_message_of_several_lines_becomes_one():
    assert failure(errors.DataError("first\n  second")).line == "error: first second"


def test_a_corrupt_shard_tells_a_machine_where(compress):
    assert failure(SHARD).facts | {"path": "a.tfrecord", "offset": 4711, "record": 3} == failure(SHARD).facts


@pytest.mark.parametrize(
    ("words", "code", "telling"),
    [
        (["trian"], 2, "did you mean 'train'?"),
        (["xyzzy"], 2, "commands: demo, extract, init"),
        (["data", "inspct", "x"], 2, "did you mean 'inspect'?"),
        (["train", "--dimm", "3"], 2, "--dim"),
        (["train", "--dim", "0"], 2, "--dim"),
        (["train", "--dim", "many"], 2, "many"),
        (["train"], 2, "--dim 320, or --encoder"),
        (["train", "--dim", "320"], 2, "compress init"),
        (["train", "--dim", "320", "--train", "none*.tfrecord"], 66, "none*.tfrecord"),
        (["train", "--dim", "320", "--name", "../x"], 2, "--name"),
        (["train", "--dim", "320", "--device", "gpu"], 2, "gpu"),
        (["encode", "--dim", "320"], 66, "`compress train --dim 320` makes it"),
        (["encode", "--name", "original"], 66, "`compress train --encoder identity` makes it"),
        (["index", "--dim", "320"], 66, "`compress encode --dim 320` makes it"),
        (["search"], 2, "--row N, --vector FILE.npy, --features FILE or --queries FILE"),
        (["search", "abc", "--row", "3"], 2, "--row N, --vector FILE.npy, --features FILE or --queries FILE"),
        (["search", "-abc"], 2, "an id that begins with - is given as --id=-abc"),
        (["search", "--", "-abc", "--dim", "320"], 2, "options go before --"),
        (["search", "--dim", "320", "--", "-abc"], 66, "`compress encode --dim 320` makes it"),
        (["search", "abc", "--dim", "320"], 66, "`compress encode --dim 320` makes it"),
        (["evaluate", "--dim", "320"], 66, "`compress encode --dim 320` makes it"),
        (["report"], 66, "compress evaluate"),
        (["init"], 2, "--train"),
        (["init", "--train", "no*", "--validate", "no*"], 66, "no*"),
        (["doctor", "--workspace", "nowhere"], 66, "nowhere"),
        (["data", "inspect", "nowhere"], 66, "nowhere"),
        (["data", "inspect", "."], 65, "or folder of shards"),
        (["data", "download", "--part", "3/2"], 2, "1/100"),
        (["data", "import", "none.npy", "out"], 66, "none.npy"),
    ],
    ids=lambda item: " ".join(item) if isinstance(item, list) else None,
)
def test_a_wrong_command_line_is_answered_in_one_line(compress, here: Path, words, code, telling):
    ended = compress(*words)

    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert telling in ended.err


@pytest.mark.parametrize(
    "words", [["trian"], ["encode", "--dim", "320"], ["report"], ["data", "inspect", "nowhere"]]
)
def test_with_json_an_error_is_one_json_value_on_stdout(compress, here: Path, words: list[str]):
    plain, ended = compress(*words), compress(*words, "--json")

    assert ended.code == plain.code
    assert ended.json["error"]["exit_code"] == plain.code
    assert ended.json["error"]["what"] in ended.err


def test_a_mistake_of_ours_is_one_line_that_says_how_to_see_more(compress, here: Path, monkeypatch):
    def broken(folder: Path) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("compress.doctor.examine", broken)
    ended = compress("doctor")

    assert ended.code == 70
    assert ended.err == (
        "internal error: ZeroDivisionError: division by zero (set COMPRESS_DEBUG=1 for the traceback)\n"
    )


def test_a_traceback_is_shown_when_asked_for(here: Path):
    ended = subprocess.run(
        [sys.executable, "-m", "cli", "encode", "--dim", "320"],
        env={"COMPRESS_DEBUG": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 66
    assert "Traceback" in ended.stderr


@pytest.mark.parametrize(("line", "codes"), [("--help | true", ("0", "141"))])
def test_a_reader_that_goes_away_is_no_error(here: Path, line: str, codes: tuple[str, ...]):
    command = f"{sys.executable} -m cli {line}; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", command],
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.stderr == ""
    assert ended.stdout.strip() in codes


@pytest.mark.parametrize(
    ("words", "telling"),
    [
        (["search", "--PJHxphWEs"], "is given as --id=--PJHxphWEs"),
        (["search", "-qhabcde", "--json"], "is given as --id=-qhabcde"),
        (["data", "inspect", "-x.npy"], "is given as ./-x.npy"),
        (
            ["init", "--train", "t0.npy", "t1.npy", "--validate", "v"],
            "quote the pattern, .*: --train 't*.npy'",
        ),
        (["init", "--train", "t0.npy", "t1.npy", "t1.npy", "--validate", "v"], "--train 't*.npy'"),
        (["encode", "--input", "t0.npy", "t1.npy", "--output", "x.h5"], "--input 't*.npy'"),
    ],
)
def test_words_that_were_taken_for_something_else_are_answered_with_what_to_type(
    compress, here: Path, words: list[str], telling: str
):
    for name in ("t0.npy", "t1.npy"):
        (here / name).touch()
    ended = compress(*words)
    assert ended.code == 2
    assert re.search(telling.replace("*.", r"\*\."), ended.err)
