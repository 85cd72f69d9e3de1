"""The scores of teachers on the disk: computed once, right for every video, never half there."""

from __future__ import annotations

import errno
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.errors import Interrupted, StorageError
from compress.progress import Event, Note, request_interrupt, silent
from compress.training.inputs import Table, batch
from compress.training.teachers import Teachers, kept_scores, scores_bytes
from tests.artifacts.forging import set_version
from tests.training.distillation.teaching import FRAME_NAMES, NAMES, teachers
from tests.training.examples import CLASSES, frame_table, video_table

CPU = torch.device("cpu")


@pytest.mark.parametrize(("names", "table"), [(NAMES, video_table()), (FRAME_NAMES, frame_table())])
def test_every_video_has_what_the_teachers_say_of_it(
    school: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], table: Table
) -> None:
    rows = {"video": 7, "frame": 3}
    monkeypatch.setattr("compress.training.teachers.ROWS", rows)
    found = teachers(school, names)
    scores = kept_scores(found, table, tmp_path, "cpu", silent)
    assert (scores.shape, scores.dtype) == ((len(table), CLASSES), np.dtype("<f2"))
    for row in range(len(table)):
        alone = found.logits(batch(table, np.array([row]), CPU)[0])[0].float().numpy()
        assert np.allclose(scores[row].astype(np.float32), alone, rtol=0, atol=0.04)  # products in bfloat16
    assert scores.nbytes == scores_bytes(len(table), CLASSES)


def test_they_are_computed_once(school: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = video_table()
    first = kept_scores(teachers(school), table, tmp_path, "cpu", silent)
    monkeypatch.setattr(Teachers, "logits", None)
    again = kept_scores(teachers(school, NAMES[::-1]), table, tmp_path, "cpu", silent)
    assert np.array_equal(first, again)


def test_other_teachers_and_other_videos_have_others(school: Path, tmp_path: Path) -> None:
    for names, table in (
        (NAMES, video_table()),
        (NAMES[:1], video_table()),
        (NAMES, video_table(seed=1)),
    ):
        kept_scores(teachers(school, names), table, tmp_path, "cpu", silent)
    assert len(list(tmp_path.iterdir())) == 3


def test_damaged_ones_are_made_again(school: Path, tmp_path: Path) -> None:
    told: list[Event] = []
    before = np.array(kept_scores(teachers(school), video_table(), tmp_path, "cpu", silent))
    (file,) = tmp_path.glob("*/*.npy")
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    after = kept_scores(teachers(school), video_table(), tmp_path, "cpu", told.append)
    assert np.array_equal(before, after)
    assert any(isinstance(event, Note) and "computed again" in event.text for event in told)
    set_version(file.parent, 2)
    assert np.array_equal(before, kept_scores(teachers(school), video_table(), tmp_path, "cpu", told.append))
    assert any(isinstance(event, Note) and "has schema version 2" in event.text for event in told)


def test_who_stops_halfway_leaves_none(school: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compress.training.teachers.ROWS", {"video": 7})
    with pytest.raises(Interrupted):
        kept_scores(
            teachers(school), video_table(), tmp_path, "cpu", lambda _: request_interrupt(signal.SIGINT)
        )
    assert [path for path in tmp_path.rglob("*") if path.suffix in (".npy", ".json")] == []


def test_a_full_disk_is_told_before_anything_is_computed(
    school: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*words: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("compress.artifacts.disk.reserve", full)
    monkeypatch.setattr(Teachers, "logits", None)
    with pytest.raises(StorageError, match="No space left"):
        kept_scores(teachers(school), video_table(), tmp_path, "cpu", silent)
    assert [path for path in tmp_path.rglob("*") if path.suffix == ".npy"] == []
