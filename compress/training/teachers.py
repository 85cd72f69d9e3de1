"""The models that a student learns from, and their logits for every video.

A teacher, or the mean of several, gives soft targets beside the labels (Hinton, Vinyals and Dean, Distilling
the Knowledge in a Neural Network, 2015; for YouTube-8M e.g. Skalic and Austin, Building a Size Constrained
Predictive Model for Video Classification, 2018). The scores of all classes are kept: the small probabilities
of thousands of classes are most of what a teacher knows, and a class left out would be taught as a plain 0.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from compress.artifacts import disk
from compress.artifacts.folder import commit_folder, load_folder
from compress.artifacts.lock import made_once
from compress.artifacts.manifest import Manifest
from compress.datasets.schema import FeatureSchema
from compress.doors.npy import read_npy
from compress.errors import CorruptArtifactError, NewerVersionError, NotFoundError, UsageError
from compress.progress import Note, Progress, Reporter, check_interrupt
from compress.training.inputs import Table, batch, fingerprint, reading_order
from compress.training.precision import Precision, choose_precision
from compress.training.run import WEIGHTS, open_model
from compress.training.scoring import ROWS, class_logits
from compress.workers import in_order, workers_for
from encoders import Inputs, Model

KIND = "teacher-scores"
_FILE = "log_odds.npy"  # of logits; the name is that of older caches
_TYPE = np.dtype("<f2")


@dataclass(frozen=True, eq=False)
class Teacher:
    """One finished run.

    Args:
        name: of the run.
        sha256: of its weights.
        model: in evaluation mode, without gradients.
        schema: what it was trained on.
        precision: in what it is computed.
    """

    name: str
    sha256: str
    model: Model
    schema: FeatureSchema
    precision: Precision


@dataclass(frozen=True, eq=False)
class Teachers:
    """One or several teachers, as one that gives the mean of their probabilities.

    Args:
        members: at least one; their order does not matter.
    """

    members: tuple[Teacher, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(teacher.name for teacher in self.members)

    @property
    def sha256s(self) -> list[str]:
        """Sorted, since the order of the teachers does not matter."""
        return sorted(teacher.sha256 for teacher in self.members)

    @torch.no_grad()  # not inference mode: the loss keeps these tensors for its gradient
    def logits(self, inputs: Inputs) -> Tensor:
        """Logits of the mean probability, float16 (B, C), of the raw inputs of the student.

        With 11 bits the odds of a probability of 1 in 10,000 are within 0.4 %. They are rounded even if used
        at once, so that keeping them makes no difference.
        """
        # In a fixed order: the sum below depends on it in the last bit.
        members = sorted(self.members, key=lambda teacher: teacher.sha256)
        yes: Tensor | None = None
        no: Tensor | None = None
        for teacher in members:
            found = class_logits(teacher.model, inputs, teacher.precision)
            if len(members) == 1:
                return found.half()
            # In logarithms: in float32 1 - p of a sure class is 0.
            positive, negative = F.logsigmoid(found), F.logsigmoid(-found)
            yes = positive if yes is None else torch.logaddexp(yes, positive)
            no = negative if no is None else torch.logaddexp(no, negative)
        assert yes is not None
        assert no is not None
        return (yes - no).half()


def load_teachers(runs: Sequence[str | Path], device: str) -> Teachers:
    """Load finished runs as teachers, onto the device.

    Args:
        runs: their folders, at least one.
        device: "cpu" or "cuda".

    Raises:
        UsageError: no run, one of them twice, or one without a head.
        NotFoundError: a run that is not there or has not finished.
        CorruptArtifactError: a checksum does not match, or a weight is not a number.
    """
    folders = [Path(run) for run in runs]
    names = [folder.name for folder in folders]
    if not folders or len(set(names)) < len(names):
        raise UsageError("name each teacher once", where="--teacher")
    return Teachers(tuple(_load(folder, device) for folder in folders))


def _load(run: Path, device: str) -> Teacher:
    model, manifest = open_model(run)
    facts = manifest.metadata
    if model.head is None:
        raise UsageError(
            f"the run {run.name!r} has no head, so it cannot teach",
            where="--teacher",
            hint="`compress train --encoder identity --set head=moe --name NAME` trains one that has a head",
        )
    if not all(bool(torch.isfinite(weight).all()) for weight in model.parameters()):
        raise CorruptArtifactError("a weight is not a number", where=run, hint="train it again with --fresh")
    model.requires_grad_(False)
    precision = choose_precision("auto", facts["train_config"]["precision"], device)
    schema = FeatureSchema.from_json(facts["schema"])
    return Teacher(run.name, manifest.files[WEIGHTS].sha256, model.to(device).eval(), schema, precision)


def scores_bytes(videos: int, classes: int) -> int:
    """Size of the scores of so many videos."""
    return videos * classes * _TYPE.itemsize


def kept_scores(teachers: Teachers, table: Table, cache: Path, device: str, report: Reporter) -> np.ndarray:
    """`Teachers.logits` of every video, float16 (N, C), memory-mapped: from the cache, or computed for it.

    Raises:
        StorageError: the disk refuses them.
        Interrupted: on request, also while another process computes the same; the next call starts again.
    """
    members = sorted([teacher.sha256, teacher.precision] for teacher in teachers.members)
    key = {"teachers": members, "data": fingerprint(table)}
    folder = cache / f"{KIND}-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]}"

    def read() -> np.ndarray | None:
        try:
            return load_folder(folder, KIND, _map)
        except NotFoundError:
            return None  # the usual first time
        except (CorruptArtifactError, NewerVersionError) as error:
            what = f"the teachers' scores cannot be used and are computed again ({error.what})"
            report(Note(what, once=True))
            return None

    def write(path: Path) -> None:
        _write(path, teachers, table, device, report)

    def make() -> np.ndarray:
        return _map(commit_folder(folder, KIND, {_FILE: write}, {"key": key}))

    return made_once(folder, "the teachers' scores, which are then used here too", read, make, report)


def _map(manifest: Manifest) -> np.ndarray:
    return read_npy(manifest.path(_FILE), mapped=True, error=CorruptArtifactError)


def _write(path: Path, teachers: Teachers, table: Table, device: str, report: Reporter) -> None:
    """The npy file; not through a memory map, which on a full disk gives SIGBUS instead of an error."""
    classes, done = table.labels.num_classes, 0

    def score(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inputs, _ = batch(table, rows, torch.device(device))
        return rows, teachers.logits(inputs).cpu().numpy().astype(_TYPE, copy=False)

    with path.open("wb") as file:
        shape = (len(table), classes)
        header = {"descr": _TYPE.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.flush()
        start, row_bytes = file.tell(), scores_bytes(1, classes)
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
