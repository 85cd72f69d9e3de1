"""No hostile file runs anything, reads or writes elsewhere, or takes more memory than it may.

Each one is read in a child, under an audit hook and limits: `python test_hostile.py FOLDER` reads the whole
corpus there and tells, as JSON, what became of each file.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 6 << 30  # of the address space, most of which torch takes for its libraries
GROWTH = 700 << 20  # of what it really uses, over the whole corpus
SECONDS = 10
RUNS = {"os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "socket.connect", "os.fork"}
WRITES = {
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
}


def read_corpus(root: Path) -> dict[str, Any]:
    """What became of each file: the exit code of its error (0: it was read), and what the hook saw."""
    from compress.errors import CompressError
    from tests.hostile.files import CANARY, CORPUS, SECRET

    seen: list[str] = []
    canary = root / CANARY
    folder = root

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not watching:
            return
        ours = event == "subprocess.Popen" and str(arguments[1][-1]).endswith("hdf5_child.py")
        if (event in RUNS and not ours) or event in WRITES:
            seen.append(f"{event} {arguments}"[:200])
        if event == "open" and isinstance(arguments[0], str | bytes):
            name = Path(os.path.realpath(os.fsdecode(arguments[0])))
            writes = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if name == canary or (writes and name != Path(os.devnull)) or name == Path("/etc/hostname"):
                seen.append(f"open {name}")

    watching = False
    sys.addaudithook(hook)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    found = {}
    for number, (name, make) in enumerate(CORPUS.items()):
        folder = root / str(number)
        folder.mkdir()
        os.chdir(folder)
        read, start = make(folder), time.monotonic()
        signal.alarm(6 * SECONDS)  # a machine may be busy; the time of the processor is looked at below
        used, watching, said = time.process_time(), True, ""
        try:
            code, said = 0, str(read())[:200]
        except CompressError as error:
            code, said = error.exit_code, str(error)
        except BaseException as error:
            code, said = 70, "".join(traceback.format_exception(error)[-2:])
        watching = False
        signal.alarm(0)
        found[name] = {
            "code": code,
            "said": said,
            "seen": seen[:],
            "secret": SECRET.decode() in said,
            "seconds": min(time.process_time() - used, time.monotonic() - start),
        }
        seen.clear()
    return found


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("hostile").resolve()
    canary = root / "canary"
    canary.write_bytes(b"top secret bytes" * 1000)
    canary.chmod(0o644)
    os.utime(canary, (1, 1))
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, str(root)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, (ended.returncode, ended.stderr[-2000:])
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    found["canary"] = (canary.read_bytes() == b"top secret bytes" * 1000, canary.stat().st_mtime)
    found["evidence"] = [str(path) for path in root.rglob("evidence")]
    return found


def test_every_hostile_file_is_refused_in_one_line(corpus: dict[str, Any]):
    others = {
        name: (one["code"], one["said"])
        for name, one in corpus["files"].items()
        if one["code"] not in (65, 66, 67, 68, 78) or "\n" in one["said"]
    }
    assert others == {}
    assert len(corpus["files"]) >= 48


def test_nothing_is_run_read_or_written_elsewhere(corpus: dict[str, Any]):
    assert {name: one["seen"] for name, one in corpus["files"].items() if one["seen"]} == {}
    assert [name for name, one in corpus["files"].items() if one["secret"]] == []
    assert corpus["evidence"] == []
    assert corpus["canary"] == (True, 1)


def test_no_file_takes_long_or_much_memory(corpus: dict[str, Any]):
    assert {name: one["seconds"] for name, one in corpus["files"].items() if one["seconds"] > SECONDS} == {}
    assert corpus["grown"] < GROWTH


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = read_corpus(Path(sys.argv[1]))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"files": result, "grown": (after - before) * 1024}))
