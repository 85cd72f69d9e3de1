"""What teachers say of every video of a table, computed once and kept on the disk for all their students.

A few top scores a video would not do: what a teacher knows about the thousands of classes that it gives
little is most of what there is to learn, and a class left out would be taught as a plain no.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch

from compress.artifacts import disk
from compress.artifacts.folder import commit_folder, read_folder
from compress.artifacts.manifest import Manifest
from compress.errors import CorruptArtifactError, NotFoundError
from compress.progress import Note, Progress, Reporter, check_interrupt
from compress.training.distillation.teachers import Teachers
from compress.training.inputs import Table, batch, fingerprint, reading_order
from compress.training.validate import ROWS
from compress.workers import in_order, workers_for

KIND = "teacher-scores"
_FILE = "log_odds.npy"
_TYPE = np.dtype("<f2")


def bytes_of(videos: int, classes: int) -> int:
    """What the scores of so many videos take."""
    return videos * classes * _TYPE.itemsize


def kept_scores(teachers: Teachers, table: Table, cache: Path, device: str, report: Reporter) -> np.ndarray:
    """Log-odds of every video, from the cache, or computed and kept there.

    Args:
        teachers: on `device`.
        table: N videos.
        cache: folder of what can be made again.
        device: "cpu" or "cuda".
        report: gets progress.

    Returns:
        float16 (N, C), memory-mapped, read-only: `Teachers.log_odds` of each row of the table.

    Raises:
        StorageError: the disk refuses them.
        Interrupted: on request; they are begun again the next time.
    """
    key = _key(teachers, table)
    folder = cache / f"{KIND}-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]}"
    try:
        return _map(read_folder(folder, KIND))
    except NotFoundError:
        pass  # the usual first time
    except CorruptArtifactError as error:
        report(Note(f"the teachers' scores are damaged and will be made again ({error})"))

    def write(path: Path) -> None:
        _write(path, teachers, table, device, report)

    return _map(commit_folder(folder, KIND, {_FILE: write}, {"key": key}))


def _key(teachers: Teachers, table: Table) -> dict[str, Any]:
    members = sorted([teacher.sha256, teacher.precision] for teacher in teachers.members)
    return {"teachers": members, "data": fingerprint(table)}


def _map(manifest: Manifest) -> np.ndarray:
    scores: np.ndarray = np.load(manifest.path(_FILE), mmap_mode="r", allow_pickle=False)
    return scores


def _write(path: Path, teachers: Teachers, table: Table, device: str, report: Reporter) -> None:
    """The npy file; not through a memory map: on a full disk that is SIGBUS instead of an error."""
    classes, done = table.labels.num_classes, 0

    def score(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inputs, _ = batch(table, rows, torch.device(device))
        return rows, teachers.log_odds(inputs).cpu().numpy().astype(_TYPE, copy=False)

    with path.open("wb") as file:
        shape = (len(table), classes)
        header = {"descr": _TYPE.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.flush()
        start, row_bytes = file.tell(), bytes_of(1, classes)
        disk.reserve(file.fileno(), start + len(table) * row_bytes)
        order = reading_order(table, ROWS[table.schema.level])
        with closing(in_order(score, order, workers_for(device))) as blocks:
            for rows, scores in blocks:
                for row, values in zip(rows.tolist(), scores, strict=True):  # frames come by length
                    disk.write_at(file.fileno(), values.data, start + row * row_bytes)
                done += len(rows)
                report(Progress("teachers", done, len(table), "videos"))
                if done < len(table):
                    check_interrupt()
