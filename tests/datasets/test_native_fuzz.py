"""The C reader on changed records: nothing but what Python says, and never a byte beside its memory.

`make fuzz` repeats the second part with a million changes (MUTATIONS=N for another number).
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
from tests.datasets.both_ways import both

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
SANITIZERS = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
PROGRAM = Path(__file__).with_name("native_fuzz.c")
MUTATIONS = int(os.environ.get("MUTATIONS", "100000"))
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
    """Records with everything in them that the reader knows."""
    if level == "video":
        return [*build.videos(20), build.video(b"long" * 9, list(range(10)) * 5)]
    more = {"integers": {"start": [0, -1, 2**40]}, "floats": {"score": [0.5, 1]}}
    return [*build.frame_videos(20), build.frames(b"more", **more)]


@pytest.mark.skipif(native_buffers.load() is None, reason="the C code was not compiled")
@pytest.mark.parametrize("level", ["video", "frame"])
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
@pytest.mark.parametrize("level", ["video", "frame"])
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
