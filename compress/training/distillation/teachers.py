"""The models that a student learns from: one, or several whose probabilities are averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from compress.datasets.schema import FeatureSchema
from compress.errors import CorruptArtifactError, SchemaError, UsageError
from compress.training.precision import Precision, choose_precision
from compress.training.probabilities import log_odds
from compress.training.run import load_model, model_sha256
from encoders import Inputs, Model


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
        """Of the runs."""
        return tuple(teacher.name for teacher in self.members)

    @property
    def sha256s(self) -> list[str]:
        """Of all weights, in an order of their own."""
        return sorted(teacher.sha256 for teacher in self.members)

    @torch.no_grad()
    def log_odds(self, inputs: Inputs) -> Tensor:
        """What the teachers say of some videos.

        Not in inference mode: a loss keeps these numbers for its gradient.

        Args:
            inputs: what the student reads too, raw.

        Returns:
            Log-odds of the mean probability, float16 (B, C), on the device of the inputs: 11 bits, so the
            odds are within 0.4 % where a class is given 1 in 10,000. Rounded also where they are used at
            once, so that it makes no difference whether they were kept.
        """
        members = sorted(self.members, key=lambda teacher: teacher.sha256)
        yes: Tensor | None = None
        no: Tensor | None = None
        for teacher in members:
            found = log_odds(teacher.model, inputs, teacher.precision)
            if len(members) == 1:
                return found.half()
            # In logarithms, as 1 - p of a sure class is nothing in float32.
            positive, negative = F.logsigmoid(found), F.logsigmoid(-found)
            yes = positive if yes is None else torch.logaddexp(yes, positive)
            no = negative if no is None else torch.logaddexp(no, negative)
        assert yes is not None
        assert no is not None
        return (yes - no).half()


def load_teachers(runs: Sequence[Path], device: str) -> Teachers:
    """Load finished runs as teachers, onto the device.

    Args:
        runs: their folders, at least one.
        device: "cpu" or "cuda".

    Raises:
        UsageError: no run, one of them twice, or one without a head.
        NotFoundError: a run that is not there or has not finished.
        CorruptArtifactError: a checksum does not match, or a weight is not a number.
    """
    names = [run.name for run in runs]
    if not runs or len(set(names)) < len(names):
        raise UsageError("name each teacher once", where="--teacher")
    return Teachers(tuple(_load(run, device) for run in runs))


def check_teachers(teachers: Teachers, schema: FeatureSchema) -> None:
    """SchemaError unless every teacher reads what the student reads and knows the same classes."""
    for teacher in teachers.members:
        known = teacher.schema
        theirs, ours = (
            f"{one.level}-level {'+'.join(one.names)} of {'+'.join(map(str, one.dims))} numbers "
            f"and knows {one.num_classes} classes"
            for one in (known, schema)
        )
        if theirs != ours:
            raise SchemaError(
                f"the teacher {teacher.name!r} reads {theirs}, the student reads {ours}",
                where="--teacher",
                hint="a teacher must be trained on the same features and classes",
            )


def _load(run: Path, device: str) -> Teacher:
    model, facts = load_model(run)
    if model.head is None:
        raise UsageError(
            f"the run {run.name!r} was fitted without a head, so it has nothing to teach",
            where="--teacher",
            hint="`compress train --encoder identity --set head=moe` trains a head on the features",
        )
    if not all(bool(torch.isfinite(weight).all()) for weight in model.parameters()):
        raise CorruptArtifactError("a weight is not a number", where=run, hint="train it again with --fresh")
    model.requires_grad_(False)
    precision = choose_precision("auto", facts["train_config"]["precision"], device)
    schema = FeatureSchema.from_json(facts["schema"])
    return Teacher(run.name, model_sha256(run), model.to(device).eval(), schema, precision)
