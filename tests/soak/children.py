"""Commands of the program in forked children of this process, which has imported everything beforehand.

Starting Python and torch takes seconds, a fork milliseconds: so a kill costs about a second. What runs is the
whole program, `cli.main.run`, with its signal handlers and its exit code; it has one thread.
"""

from __future__ import annotations

import fcntl
import gc
import importlib
import importlib.util
import os
import pkgutil
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "COMPRESS_THREADS")
HANGS, CRASHED = 254, 255
_PIPE_BYTES = 1 << 20
ROOT = Path(__file__).resolve().parents[2]
_NOT_EVERYWHERE = (".in_triton", ".onnx", ".library", "__main__")


def import_everything() -> None:
    """What any command imports, in this process, with one thread: forking is safe then."""
    for name in THREAD_VARIABLES:
        os.environ[name] = "1"

    import torch

    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in _imported_late():
            importlib.import_module(name)
        for package in ("cli", "compress", "encoders"):
            for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
                if not module.name.endswith(_NOT_EVERYWHERE):
                    importlib.import_module(module.name)
        importlib.import_module("encoders").list_encoders()
        torch.optim.AdamW(torch.nn.Linear(2, 2).parameters())
    gc.collect()
    gc.freeze()  # a child's garbage collector leaves alone, and so shares, what is here


def _cost_less() -> None:
    """Fewer resamples, short timings, a tiny backbone: what is tried is how things reach the disk."""
    importlib.import_module("compress.metrics.resampling").RESAMPLES = 20  # type: ignore[attr-defined]
    importlib.import_module("compress.pipeline.tradeoff").TIMING_SECONDS = 0.01  # type: ignore[attr-defined]
    if importlib.util.find_spec("av") is not None:
        tiny = importlib.import_module("tests.extract.tiny")
        importlib.import_module("compress.jobs.extract").BackboneChoice = tiny.TinyChoice  # type: ignore[attr-defined]


def _imported_late() -> list[str]:
    """Libraries that commands import when they need them, as far as they are installed."""
    late = ["faiss", "h5py", "jinja2", "matplotlib.figure", "matplotlib.backends.backend_svg", "pyarrow"]
    late += ["pyarrow.parquet", "safetensors.torch", "sklearn", "threadpoolctl", "rich.progress", "av"]
    late += ["torch.distributed.tensor", "torch._dynamo"]
    return [name for name in late if importlib.util.find_spec(name.split(".")[0]) is not None]


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Args:
        code: its exit code; the negative number of the signal that ended it; HANGS when it had to be killed.
        out, err: what it printed.
        seconds: from fork to end.
        cpu_seconds: what it computed in them; on a busy machine far less.
        bytes: its largest resident memory beyond what this process held when it was forked.
    """

    code: int
    out: str
    err: str
    seconds: float
    cpu_seconds: float
    bytes: int

    @property
    def clean(self) -> bool:
        """Succeeded or refused in one line; no traceback, no internal error, no signal, no hang."""
        in_part = "failed: " in self.out or "left out: " in self.out  # of many items; each has its line
        if self.code == 127 and "cannot allocate memory for thread-local data" in self.err:
            return True  # the C library itself gives up so; no program can catch it
        told = self.code == 0 or "error: " in self.err or "stopped at once" in self.err or in_part
        return 0 <= self.code < HANGS and self.code not in (1, 70) and told and "Traceback" not in self.err

    @property
    def last_line(self) -> str:
        return (self.err.strip().splitlines() or [""])[-1][:300]


class Child:
    """One running command."""

    def __init__(
        self,
        words: Sequence[object],
        folder: Path,
        before: Callable[[], None] | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self._printed = [_Printed(), _Printed()]
        self._before_bytes, self._started = _resident(), time.monotonic()
        self._ended: Ended | None = None
        self.pid = os.fork()
        if self.pid == 0:
            self._become([str(word) for word in words], folder, before, environment or {})
        for pipe in self._printed:
            os.close(pipe.write_end)

    def _become(
        self, words: list[str], folder: Path, before: Callable[[], None] | None, environment: dict[str, str]
    ) -> None:
        code = CRASHED
        try:
            os.chdir(folder)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            for name in [each for each in os.environ if each.startswith("COMPRESS_")]:
                del os.environ[name]
            os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1") | {"COLUMNS": "160"} | environment)
            _cost_less()
            for number, pipe in enumerate(self._printed, start=1):
                os.dup2(pipe.write_end, number)
            sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
            sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
            if before is not None:
                before()
            signal.signal(signal.SIGINT, signal.default_int_handler)  # as Python starts
            code = run_here(words)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if not self.poll():
            os.kill(self.pid, number)

    def cpu_seconds(self) -> float:
        """What it computed so far; 0 when it has ended."""
        if self.poll():
            return 0.0
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def poll(self) -> bool:
        """Whether it has ended."""
        if self._ended is None:
            for pipe in self._printed:
                pipe.drain()
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self._note(os.waitstatus_to_exitcode(status), usage)
        return self._ended is not None

    def wait(self, seconds: float = 300) -> Ended:
        """Wait for the end; after `seconds` it is killed, and its code is HANGS."""
        end = time.monotonic() + seconds
        while not self.poll():
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                _, _, usage = os.wait4(self.pid, 0)
                self._note(HANGS, usage)
            time.sleep(0.002)
        assert self._ended is not None
        return self._ended

    def _note(self, code: int, usage: resource.struct_rusage) -> None:
        printed = [pipe.end() for pipe in self._printed]
        grown = max(0, usage.ru_maxrss * 1024 - self._before_bytes)
        seconds, cpu = time.monotonic() - self._started, usage.ru_utime + usage.ru_stime
        self._ended = Ended(code, *printed, seconds, cpu, grown)


class Process(Child):
    """A program that was started as a person starts it: nothing imported before, nothing changed."""

    def __init__(self, words: Sequence[object], folder: Path) -> None:
        self._printed = [_Printed(), _Printed()]
        self._before_bytes, self._started = 0, time.monotonic()
        self._ended = None
        line = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(folder), sys.executable, "-m", "cli"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2", "COMPRESS_THREADS": "2"}
        actions = [(os.POSIX_SPAWN_DUP2, pipe.write_end, n) for n, pipe in enumerate(self._printed, start=1)]
        self.pid = os.posix_spawn("/bin/sh", [*line, *map(str, words)], environment, file_actions=actions)
        for pipe in self._printed:
            os.close(pipe.write_end)


def run_here(words: list[str]) -> int:
    """Run one command line in this process; its exit code."""
    from cli.main import run

    try:
        run(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def call(words: Sequence[object], folder: Path, start: type[Child] = Child) -> Ended:
    """Run one command to its end."""
    return start(words, folder).wait()


class _Printed:
    """What a command prints. A pipe: limits of files, which it is given, must not reach what it says."""

    def __init__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        fcntl.fcntl(self.write_end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        os.set_blocking(self._read_end, False)
        self._data = bytearray()

    def drain(self) -> None:
        """Take what is there, so that the command never waits for room."""
        with suppress(BlockingIOError):
            while data := os.read(self._read_end, _PIPE_BYTES):
                self._data += data

    def end(self) -> str:
        """All of it, when the command has ended."""
        self.drain()
        os.close(self._read_end)
        return self._data.decode(errors="replace")


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
