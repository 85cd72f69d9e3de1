"""The C reader on changed records: nothing but what Python says, and never a byte beside its memory.

`make fuzz` repeats the second part with a million changes (MUTATIONS=N for another number), and the third, in
which libFuzzer looks for records that reach new code, with as many executions. What that found is kept in
corpus-video.tfrecord and corpus-frame.tfrecord; with CORPUS=keep what it finds is added to them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from compress.datasets.formats import native_buffers
from compress.datasets.formats.framing import read_records
from tests.datasets.both_ways import both

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
SANITIZERS = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
CLANG = shutil.which("clang")
CORPUS = Path(__file__).parent
PROGRAM = Path(__file__).with_name("native_fuzz.c")
MUTATIONS = int(os.environ.get("MUTATIONS", "100000"))
LEVELS = ("video", "frame")
TELLING = np.array([0, 1, 2, 8, 10, 13, 18, 26, 0x7F, 0x80, 0xFF], dtype=np.uint8)


def changed(record: bytes, random: np.random.Generator) -> bytes:
    """A record with a few bytes set, cut out or put in."""
    data = bytearray(record)
    for _ in range(random.integers(1, 4)):
        at, run = int(random.integers(len(data))), int(random.integers(1, 9))
        match random.integers(4):
            case 0:
                data[at] ^= 1 << int(random.integers(8))
            case 1:
                data[at] = random.choice(TELLING)
            case 2:
                del data[at : at + run]
            case _:
                data[at:at] = data[at - run : at]
        data = data or bytearray(record)
    return bytes(data)


def seeds(build, level: str) -> list[bytes]:
    """Records with everything in them that the reader knows, and those that libFuzzer found."""
    more = {"integers": {"start": [0, -1, 2**40]}, "floats": {"score": [0.5, 1]}}
    if level == "video":
        made = [*build.videos(20), build.video(b"long" * 9, list(range(10)) * 5)]
    else:
        made = [*build.frame_videos(20), build.frames(b"more", **more)]
    return made + [record for record in kept(level) if record]


def kept(level: str) -> list[bytes]:
    """The corpus of a level."""
    return [record.data for record in read_records(CORPUS / f"corpus-{level}.tfrecord")]


@pytest.mark.skipif(native_buffers.load() is None, reason="the C code was not compiled")
@pytest.mark.parametrize("level", LEVELS)
def test_changed_records_read_the_same_as_in_python(build, tmp_path: Path, level: str) -> None:
    random = np.random.default_rng(0)
    usual = seeds(build, level)
    schema = build.video_schema if level == "video" else build.frame_schema
    records = [changed(usual[int(random.integers(len(usual)))], random) for _ in range(3000)]
    shard = build.shard(tmp_path / "a", records)
    by_c, by_python = both(shard, schema, "skip", videos=16)
    assert by_c == by_python
    assert 100 < len(by_c.skipped) < 3000


@pytest.mark.slow
@pytest.mark.skipif(COMPILER is None, reason="no C compiler on this machine")
@pytest.mark.parametrize("level", LEVELS)
def test_sanitizers_find_nothing_in_changed_records(build, tmp_path: Path, level: str) -> None:
    program, sources = tmp_path / "fuzz", map(str, native_buffers.FOLDER.glob("*.c"))
    build_it = [COMPILER, "-std=gnu11", *SANITIZERS, str(PROGRAM), *sources, "-o", str(program)]
    compiled = subprocess.run(build_it, capture_output=True, text=True, check=False)
    if compiled.returncode and "sanitize" in compiled.stderr:
        pytest.skip("the compiler has no sanitizers")
    assert compiled.returncode == 0, compiled.stderr
    shard = build.shard(tmp_path / "seeds", seeds(build, level))
    ended = subprocess.run(
        [program, level, str(MUTATIONS), "1", shard], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    outcomes = re.findall(r"(taken|refused|damaged) ([1-9]\d*)", ended.stdout)
    assert len(outcomes) == 3, ended.stdout
    print(ended.stdout)


@pytest.mark.skipif(native_buffers.load() is None, reason="the C code was not compiled")
@pytest.mark.parametrize("level", LEVELS)
def test_what_libfuzzer_found_reads_the_same_as_in_python(build, tmp_path: Path, level: str) -> None:
    schema = build.video_schema if level == "video" else build.frame_schema
    by_c, by_python = both(build.shard(tmp_path / "a", kept(level)), schema, "skip", videos=16)
    assert by_c == by_python
    assert len(by_c.skipped) > 50


@pytest.mark.slow
@pytest.mark.skipif(CLANG is None, reason="no clang on this machine")
def test_libfuzzer_finds_nothing(build, tmp_path: Path) -> None:
    program, corpus, found = tmp_path / "guided", tmp_path / "corpus", tmp_path / "found"
    build_it = [CLANG, "-std=gnu11", "-DGUIDED", "-fsanitize=fuzzer", *SANITIZERS, str(PROGRAM)]
    build_it += [*map(str, native_buffers.FOLDER.glob("*.c")), "-o", str(program)]
    compiled = subprocess.run(build_it, capture_output=True, text=True, check=False)
    if compiled.returncode and "libclang_rt" in compiled.stderr:
        pytest.skip("this clang has no libFuzzer")
    assert compiled.returncode == 0, compiled.stderr
    for folder in (corpus, found):
        folder.mkdir()
    for first, level in enumerate(LEVELS):  # the first byte of an input says the level
        for number, record in enumerate(seeds(build, level)):
            (corpus / f"{level}-{number}").write_bytes(bytes([first]) + record)
    ended = subprocess.run(
        [program, f"-runs={MUTATIONS}", "-max_len=400", "-print_final_stats=1", corpus],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    print("\n".join(ended.stderr.splitlines()[-8:]))
    if os.environ.get("CORPUS") == "keep":
        subprocess.run([program, "-merge=1", found, corpus], check=True, capture_output=True, cwd=tmp_path)
        records = [path.read_bytes() for path in sorted(found.iterdir())]
        for first, level in enumerate(LEVELS):
            of_level = sorted(each[1:] for each in records if each and each[0] & 1 == first)
            build.shard(CORPUS / f"corpus-{level}.tfrecord", of_level)
