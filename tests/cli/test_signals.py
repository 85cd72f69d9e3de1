"""Ctrl-C and SIGTERM: the first asks, the second stops at once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from cli.session import stop_at_safe_points
from compress import faiss_engine
from compress.artifacts.atomic import replacing
from compress.artifacts.lock import exclusive
from compress.errors import Interrupted
from compress.progress import check_interrupt, interrupt_requested, left_behind, uninterrupted
from compress.training.closed_form import moments
from compress.training.new_model import set_input_statistics
from compress.training.readout import readout_weight
from encoders import InputNorm, InputNormConfig
from tests.training.examples import video_table

ROOT = Path(__file__).resolve().parents[2]
# `compress doctor` with work in its place that either looks at requests or does not.
PROGRAM = """
import sys, time
import cli.doctor
from cli.main import run
from compress.progress import check_interrupt

def examine(folder):
    from cli.session import stop_at_safe_points
    with stop_at_safe_points():
        print("started", flush=True)
        while True:
            time.sleep(0.01)
            if {polite}:
                check_interrupt()

import compress.doctor
compress.doctor.examine = examine
run(["doctor"])
"""


def start(polite: bool) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(polite=polite)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_stops_work_at_its_next_safe_point(number: signal.Signals, code: int):
    process = start(polite=True)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)

    assert (process.returncode, out) == (code, "")
    assert err.splitlines() == [
        "stopping at the next safe point; once more stops at once",
        "error: stopped on request; run the same command again to continue",
    ]


def test_the_second_signal_stops_work_that_has_no_safe_point():
    process = start(polite=False)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    still_running = process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)

    assert still_running
    assert process.returncode == 130
    assert err.splitlines()[-1] == "stopped at once"


def test_outside_of_work_nothing_of_it_remains():
    before = signal.getsignal(signal.SIGINT)
    with stop_at_safe_points():
        os.kill(os.getpid(), signal.SIGINT)
        while interrupt_requested() is None:
            time.sleep(0.001)
        with pytest.raises(Interrupted):
            check_interrupt()

    assert interrupt_requested() is None
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_outside_of_work_is_exit_code_130(compress, monkeypatch):
    def stop(folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("compress.doctor.examine", stop)

    # click ends the line on which the terminal shows ^C.
    assert (compress("doctor").code, compress("doctor").err) == (130, "\nerror: stopped\n")


WHILE_LOADING = """
import sys
from cli.main import run

class Stop:
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            raise KeyboardInterrupt

sys.meta_path.insert(0, Stop())
run(["doctor"])
"""


@pytest.mark.parametrize("module", ["rich_click", "cli.train", "compress.workspace"])
def test_ctrl_c_while_the_commands_load_is_one_line(module: str):
    words = [sys.executable, "-c", WHILE_LOADING.format(module=module)]
    ended = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)

    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == "error: stopped\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_without_safe_points_ends_in_one_line_and_leaves_nothing(
    compress, here: Path, monkeypatch, number: signal.Signals, code: int
):
    def write_a_report(*words: object, **options: object) -> None:
        with exclusive(here / "report"), replacing(here / "report.md") as unfinished:
            unfinished.write_text("half")
            os.kill(os.getpid(), number)
            time.sleep(10)

    monkeypatch.setattr("compress.jobs.report.report_tables", write_a_report)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    try:
        ended = compress("report")
    finally:
        signal.signal(signal.SIGINT, before)

    assert (ended.code, ended.out) == (code, "")
    assert ended.err.strip() == "error: stopped"
    assert os.listdir(here) == []
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


class Trained:
    """Stands for FAISS, which lets Python run signal handlers between its blocks and stops if one raises."""

    def train(self, seconds: float) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(seconds)


def test_a_training_of_faiss_stops_at_once():
    started = time.monotonic()
    with stop_at_safe_points(), pytest.raises(Interrupted, match="do this"):
        faiss_engine.train(Trained(), 20, hint="do this")
    assert time.monotonic() - started < 5


def test_faiss_itself_stops():
    rows = np.random.default_rng(0).normal(size=(3000, 32)).astype(np.float32)
    clustering = faiss_engine.faiss().Clustering(32, 64)
    clustering.nredo = 1_000_000  # hours
    started = time.monotonic()
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM))
    with stop_at_safe_points():
        timer.start()
        with pytest.raises(Interrupted) as stopped:
            faiss_engine.train(clustering, rows, faiss_engine.faiss().IndexFlatL2(32), hint="")
        timer.join()
    assert stopped.value.exit_code == 143
    assert time.monotonic() - started < 5


def test_a_call_of_lapack_is_left_behind_on_request():
    started, end = time.monotonic(), threading.Event()
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    with stop_at_safe_points():
        timer.start()
        with pytest.raises(Interrupted):
            uninterrupted(lambda: end.wait(20))
    assert time.monotonic() - started < 5
    assert left_behind()
    end.set()
    while left_behind():
        time.sleep(0.001)


def test_what_a_call_of_lapack_gives_or_raises_arrives():
    assert uninterrupted(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        uninterrupted(lambda: 1 // 0)


def test_no_module_calls_a_long_routine_that_nothing_can_stop():
    """Eigenvalues and the like of thousands of dimensions take minutes in one call."""
    long = re.compile(r"linalg\.(eigh|eig|svd|solve|inv|lstsq|qr)\(|\bindex\.train\(|clustering\.train\(")
    for path in sorted((ROOT / "compress").rglob("*.py")):
        for line in path.read_text(encoding="utf-8").splitlines():
            allowed = "uninterrupted(" in line or path.parts[-2:] == ("sample", "world.py")
            assert allowed or not long.search(line), f"{path}: {line.strip()}"


@pytest.mark.parametrize("part", ["statistics", "moments", "readout"])
def test_passes_over_the_videos_have_safe_points(part: str):
    table = video_table(40)
    norm = InputNorm(InputNormConfig(table.schema.dim, "standardize"))
    passes = {
        "statistics": lambda: set_input_statistics(norm, table),
        "moments": lambda: moments(norm, table),
        "readout": lambda: readout_weight(norm, table, 4),
    }
    with stop_at_safe_points():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Interrupted):
            passes[part]()
