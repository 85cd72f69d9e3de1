"""Ctrl-C and SIGTERM: the first asks, the second stops at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.session import stop_at_safe_points
from compress.errors import Interrupted
from compress.progress import check_interrupt, interrupt_requested

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
