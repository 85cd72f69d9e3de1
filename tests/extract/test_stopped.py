"""Killed, interrupted, refused by the disk: the same call again ends in the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compress.errors import Interrupted
from compress.jobs import extract as job
from compress.jobs.extract import Extracted
from compress.progress import Event, Note, Progress, clear_interrupt, request_interrupt
from tests.artifacts.faulty import KILLED
from tests.extract import clips
from tests.extract.faulty_extraction import bytes_of
from tests.extract.tiny import CrashingChoice

ROOT = Path(__file__).resolve().parents[2]

Extract = Callable[..., Extracted]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for number in range(2):
        clips.clip(folder / f"film{number}.mp4", frames=15, paint=clips.scene(number))
    (folder / "text.mp4").write_text("no video")
    return folder


@pytest.fixture(autouse=True)
def no_request() -> Iterator[None]:
    yield
    clear_interrupt()


@pytest.fixture(scope="module")
def faults(films: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `faulty_extraction.py` found; in a process of its own, as a fork loses FFmpeg's threads."""
    words = [
        sys.executable,
        "-m",
        "tests.extract.faulty_extraction",
        films,
        tmp_path_factory.mktemp("faults"),
    ]
    done = subprocess.run(
        [*map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("kind", "code"), [("kill", KILLED), ("enospc", 74)])
def test_a_fault_at_a_commit_step(faults: dict[str, Any], kind: str, code: int):
    assert faults["steps"] > 40
    assert len(faults[kind]) >= 4
    for step, (first, again, files) in faults[kind].items():
        assert (first, again) == (code, 0), step
        assert files == faults["wanted"], step


def test_a_request_to_stop_keeps_what_is_done(extracted: Extract, films: Path, tmp_path: Path):
    wanted = bytes_of(extracted(films, folder=tmp_path / "wanted").folder)

    def stop_at_two(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "extract" and event.done == 2:
            request_interrupt(2)

    with pytest.raises(Interrupted, match="run the same command again"):
        extracted(films, report=stop_at_two)
    clear_interrupt()
    notes: list[Event] = []
    done = extracted(films, report=notes.append)

    assert bytes_of(done.folder) == wanted
    assert any(isinstance(event, Note) and "2 of 3 videos were done before" in event.text for event in notes)


def test_a_decoder_that_crashes_costs_one_of_few_videos(
    extracted: Extract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(job, "BackboneChoice", CrashingChoice)
    for number in range(3):
        clips.clip(tmp_path / "in" / f"film{number}.mp4", paint=clips.scene(number))
    clips.clip(
        tmp_path / "in" / "white.mp4",
        paint=lambda _, width, height: np.full((height, width, 3), 255, np.uint8),
    )

    done = extracted(tmp_path / "in", workers=0)

    assert done.left_out == {
        str(tmp_path / "in" / "white.mp4"): "the process that decoded it ended (exit code 11)"
    }
    assert done.videos == 3
