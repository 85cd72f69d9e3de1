"""The C code: compiled where there is a compiler, switched off on request, never older than its sources."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from compress import doctor, native

FOLDERS = native.folders()
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(native.ROOT)))
@pytest.mark.skipif(COMPILER is None, reason="no C compiler on this machine")
def test_where_there_is_a_compiler_the_installation_has_compiled_it(folder: Path):
    assert native.why_not(folder) == ""
    assert isinstance(native.load(folder), ctypes.CDLL)


def test_there_is_c_code():
    assert FOLDERS


@pytest.mark.parametrize("word", ["off", "OFF", "0", "no", "false"])
def test_it_can_be_switched_off_and_doctor_says_so(word: str, monkeypatch):
    monkeypatch.setenv(native.SWITCH, word)
    check = doctor.check_native()

    assert native.load(FOLDERS[0]) is None
    assert check.state == "warn"
    assert "switched off" in check.found
    assert check.mend == f"unset {native.SWITCH}"


def test_a_folder_that_was_not_compiled_is_told(tmp_path: Path):
    assert native.load(tmp_path) is None
    assert "not compiled" in native.why_not(tmp_path)


def test_a_file_that_is_no_library_is_told_and_not_used(tmp_path: Path):
    (tmp_path / native.LIBRARY).write_bytes(b"not a library")

    assert native.load(tmp_path) is None
    assert "cannot be loaded" in native.why_not(tmp_path)


@pytest.mark.skipif(COMPILER is None, reason="no C compiler on this machine")
def test_a_library_older_than_its_sources_is_not_used(tmp_path: Path):
    folder = native.ROOT / "compress" / "datasets" / "native"
    for path in folder.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    with (tmp_path / "crc32c.c").open("a") as source:
        source.write("// changed\n")

    assert native.load(tmp_path) is None
    assert "other sources" in native.why_not(tmp_path)


def test_a_compile_that_is_killed_leaves_nothing_in_the_source_tree(tmp_path: Path):
    killer = tmp_path / "cc"
    killer.write_text("#!/bin/sh\nkill -9 $PPID\n")
    killer.chmod(0o755)
    before = {path for folder in FOLDERS for path in folder.rglob("*")}
    command = [sys.executable, str(native.ROOT / "hatch_build.py")]
    environment = {**os.environ, "CC": str(killer), "TMPDIR": str(tmp_path)}
    ended = subprocess.run(command, env=environment, capture_output=True, check=False)

    assert ended.returncode == -signal.SIGKILL
    assert {path for folder in FOLDERS for path in folder.rglob("*")} == before


@pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")
def test_make_compiles_again_after_a_change_to_any_c_file():
    listed = subprocess.run(
        ["make", "--dry-run", "--print-data-base", "help"],
        cwd=native.ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    (line,) = (line for line in listed.splitlines() if line.startswith("NATIVE := "))
    files = {path for folder in FOLDERS for path in folder.iterdir() if path.suffix in (".c", ".h")}
    assert {native.ROOT / name for name in line.split()[2:]} == files


@pytest.mark.parametrize(
    ("compiler", "said"), [("no-such-compiler", "there is no 'no-such-compiler'"), ("false", "-std=gnu11")]
)
def test_a_compiler_that_is_asked_for_and_does_not_work_is_told_and_no_other_taken(compiler: str, said: str):
    before = {folder: native.why_not(folder) for folder in FOLDERS}
    command = [sys.executable, str(native.ROOT / "hatch_build.py")]
    ended = subprocess.run(
        command, env={**os.environ, "CC": compiler}, capture_output=True, text=True, check=False
    )
    native._open.cache_clear()

    assert ended.returncode == 1
    assert ended.stderr.startswith("error: ")
    assert said in ended.stderr
    assert {folder: native.why_not(folder) for folder in FOLDERS} == before
