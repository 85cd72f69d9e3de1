"""One measured store, as evaluation/<name>.json holds it: written and read by the same class.

Sizes are in bytes, figures are fractions with their 95 % intervals over videos.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

from compress.artifacts.sealed import write_sealed
from compress.evaluation.fields import Fields
from compress.evaluation.intervals import intervals_in
from compress.evaluation.judges.judged import Judged
from compress.metrics import METRICS, Intervals

SCHEMA_VERSION = 1
Role = Literal["baseline", "encoder", "control"]
ROLES: tuple[Role, ...] = ("baseline", "encoder", "control")


@dataclass(frozen=True)
class Half:
    """The figures of one half of the validation videos; `baseline` and `delta` as in `Row`.

    Intervals cover videos only: what the seeds of a judge do is known of all videos together.
    """

    videos: int
    figures: Intervals
    baseline: str | None
    delta: Intervals | None


@dataclass(frozen=True)
class Retrieval:
    """How neighbours agree with labels and with the neighbours in the original features.

    Args:
        queries: number of validation videos whose neighbours among the training videos were searched.
        label_precision_at_10: share of the 10 nearest that share a label with the query.
        map_at_10: their mean average precision.
        ndcg_at_10: graded by the overlap of the label sets (Jaccard).
        neighbour_recall_at_10: share of the 10 nearest in the original features that are found.
        queries_from: "float32" when queries were embeddings before encoding; "codes" when decoded codes.
    """

    queries: int
    label_precision_at_10: float | None
    map_at_10: float | None
    ndcg_at_10: float | None
    neighbour_recall_at_10: float | None
    queries_from: str | None = None


@dataclass(frozen=True)
class HeadTraining:
    """How the head of a row was trained, the best judge's; 0 epochs for one in closed form.

    Rows with judges compare when seed, seeds and the judges' names are the same; older rows when all is.
    """

    epochs: float
    seed: int
    batch_size: int
    mixup: float = 0.0
    seeds: int = 1


@dataclass(frozen=True)
class Data:
    """What a row was measured on; `fingerprint` identifies the validation videos and their labels."""

    train_videos: int
    validate_videos: int
    num_classes: int
    fingerprint: str
    synthetic_frames: bool
    source: str

    @classmethod
    def from_json(cls, found: Fields) -> Data:
        """The object "data" of a row."""
        return cls(
            train_videos=found.integer("train_videos"),
            validate_videos=found.integer("validate_videos", 1),
            num_classes=found.integer("num_classes", 1),
            fingerprint=found.text("fingerprint"),
            synthetic_frames=found.flag("synthetic_frames"),
            source=found.text("source"),
        )


@dataclass(frozen=True)
class Row:
    """One measured store.

    Args:
        row: name of the store.
        title: what it is, in words.
        table4_row: the line of the paper's Table 4 that it corresponds to.
        parameters: number of parameters, by part of the model.
        baseline, delta: the row minus this baseline on the same resampled videos; None for the baseline.
        joint: figures of the head that was trained with the encoder; empty without one.
        retrieval: None when neighbours were not measured.
        encoder_bytes: size of the encoder's weights on disk; None when the run is gone.
        halves: by half; None for an empty half, and in rows written before there were halves.
        map_full: MAP over all scores, by the name of the metric; None when not measured.
        judges: what each judge said, the best one's again; empty in rows written before there were several.
    """

    row: str
    title: str
    table4_row: str | None
    role: Role
    encoder: str
    head: str
    dim: int
    codec: str
    bytes_per_video: int
    parameters: Mapping[str, int]
    figures: Intervals
    baseline: str | None
    delta: Intervals | None
    joint: Mapping[str, float]
    retrieval: Retrieval | None
    head_training: HeadTraining
    data: Data
    command: str
    notes: tuple[str, ...]
    encoder_bytes: int | None = None
    halves: Mapping[str, Half | None] | None = None
    map_full: Mapping[str, float] | None = None
    judges: tuple[Judged, ...] = ()

    @property
    def best_judge(self) -> Judged | None:
        """The judge that speaks for the row; None in older rows."""
        return next((judged for judged in self.judges if f"fresh {judged.name}" == self.head), None)

    @property
    def converged(self) -> bool:
        """Whether the training that the figures come from ended by itself; False in older rows: unknown."""
        return self.best_judge is not None and self.best_judge.converged

    def to_json(self) -> dict[str, Any]:
        """What the file holds."""
        value = with_baseline(plain(self))
        halves = {name: half and with_baseline(half) for name, half in (value["halves"] or {}).items()}
        joint = value["joint"] or None
        return {"schema_version": SCHEMA_VERSION, **value, "halves": halves, "joint": joint}

    def write(self, path: Path) -> None:
        """Replace the file by this row."""
        write_sealed(path, self.to_json())

    @classmethod
    def from_json(cls, found: Fields) -> Row:
        """The row that a file holds; CorruptArtifactError names a field that is missing or wrong."""
        role = next((name for name in ROLES if name == found.text("role")), None)
        if role is None:
            found.refuse("role", f"should be one of {', '.join(ROLES)}, is {found.text('role')!r}")
        delta = found.optional_inside("delta")
        if role == "baseline" and delta is not None:
            found.refuse("delta", "should be null for the baseline")
        return cls(
            row=found.text("row"),
            title=found.text("title"),
            table4_row=found.optional_text("table4_row"),
            role=role,
            encoder=found.text("encoder"),
            head=found.text("head"),
            dim=found.integer("dim", 1),
            codec=found.text("codec"),
            bytes_per_video=found.integer("bytes_per_video", 1),
            parameters=found.inside("parameters").integers(),
            figures=intervals_in(found.inside("figures"), 0.0),
            baseline=None if delta is None else delta.text("baseline"),
            delta=None if delta is None else intervals_in(delta, -1.0),
            joint=_joint(found.optional_inside("joint")),
            retrieval=_retrieval(found.optional_inside("retrieval")),
            head_training=_head_training(found.inside("head_training")),
            data=Data.from_json(found.inside("data")),
            command=found.text("command"),
            notes=found.texts("notes"),
            encoder_bytes=found.optional_integer("encoder_bytes"),
            halves=_halves(found.optional_inside("halves")),
            map_full=map_full_in(found),
            judges=tuple(map(Judged.from_json, found.optional_objects("judges"))),
        )


def plain(value: Any) -> Any:
    """Dataclasses, mappings and tuples as the objects and lists of JSON."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, tuple) else value


def with_baseline(value: dict[str, Any]) -> dict[str, Any]:
    """A plain row as files hold it: the baseline's name inside the delta; map_full only if measured."""
    baseline, delta, full = value.pop("baseline"), value.pop("delta"), value.pop("map_full", None)
    value["delta"] = None if delta is None else {"baseline": baseline, **delta}
    return value if full is None else {**value, "map_full": full}


def map_full_in(found: Fields) -> dict[str, float] | None:
    """MAP over all scores, if it was measured."""
    full = found.optional_inside("map_full")
    return None if full is None else {name: full.number(name, 0.0, 1.0) for name in full.value}


def _joint(found: Fields | None) -> dict[str, float]:
    """Figures of the joint head; each is a number or an interval, whose value is taken."""
    if found is None:
        return {}
    figures = {}
    for name in (metric.name for metric in METRICS):
        value = found.value.get(name)
        if isinstance(value, dict):
            figures[name] = found.inside(name).number("value", 0.0, 1.0)
        elif value is not None:
            figures[name] = found.number(name, 0.0, 1.0)
    return figures


def _retrieval(found: Fields | None) -> Retrieval | None:
    if found is None:
        return None
    names = ("label_precision_at_10", "map_at_10", "ndcg_at_10", "neighbour_recall_at_10")
    shares = {name: found.optional_number(name, 0.0, 1.0) for name in names}
    return Retrieval(found.integer("queries"), **shares, queries_from=found.optional_text("queries_from"))


def _head_training(found: Fields) -> HeadTraining:
    # Rows that are older than mixup do not have it.
    mixup = found.optional_number("mixup", 0.0, math.inf) or 0.0
    epochs, seed = found.number("epochs", 0.0), found.integer("seed")
    seeds = found.optional_integer("seeds", 1) or 1
    return HeadTraining(epochs, seed, found.integer("batch_size"), mixup, seeds)


def _halves(found: Fields | None) -> dict[str, Half | None] | None:
    if found is None:
        return None
    halves: dict[str, Half | None] = {}
    for name in found.value:
        half = found.optional_inside(name)
        if half is None:
            halves[name] = None
            continue
        delta = half.optional_inside("delta")
        halves[name] = Half(
            half.integer("videos"),
            intervals_in(half.inside("figures"), 0.0),
            None if delta is None else delta.text("baseline"),
            None if delta is None else intervals_in(delta, -1.0),
        )
    return halves


def short(pattern: str) -> str:
    """The last three parts of a path: enough to recognise shards, without the folders of a machine."""
    return "/".join(Path(pattern).parts[-3:])


def in_words(patterns: Iterable[str]) -> str:
    """All patterns, short, each once: "train/*.tfrecord and validate/*.tfrecord"."""
    return " and ".join(dict.fromkeys(map(short, patterns)))
