"""`compress predict`: the most probable labels of new videos, by a trained run and its own head."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.artifacts.atomic import replacing
from compress.artifacts.manifest import Manifest
from compress.artifacts.sealed import read_sealed, write_sealed
from compress.datasets.catalogue import scan
from compress.datasets.policy import OnCorrupt
from compress.errors import CorruptArtifactError, NotFoundError, UsageError
from compress.jobs.names import checked, find_run
from compress.jobs.predictions import (
    KAGGLE_LABELS,
    format_of,
    rows_of,
    write_parquet,
    write_text,
)
from compress.jobs.sources import LabelledVideos, open_split, read_for, run_schema, tell_skipped
from compress.machine import choose_device
from compress.progress import Note, Reporter, silent
from compress.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np

    from compress.datasets.schema import FeatureSchema
    from compress.encoding.scorer import Predictions, Scorer
    from compress.jobs.predictions import Out, Row
    from compress.training.precision import Wanted


@dataclass(frozen=True)
class Threshold:
    """From which probability on a label is given.

    Args:
        kind: "per-class", "global" or "given".
        value: the probability for all classes; of "per-class" the one for classes without their own.
        own_classes: classes with a threshold of their own: those that enough validation videos carry.
        num_classes: C.
        f1: of all labels of the validation videos that chose it, in [0, 1]; None where it was given.
        file: where it is kept; None where it was given.
    """

    kind: str
    value: float
    own_classes: int
    num_classes: int
    f1: float | None = None
    file: Path | None = None


@dataclass(frozen=True)
class Predicted:
    """What was written: how many videos and labels, in which form, and where; None for a stream."""

    run: str
    videos: int
    labels: int
    format: str
    output: Path | None
    threshold: Threshold | None
    seconds: float


def predict_videos(
    workspace: Workspace,
    *,
    run: str,
    patterns: Sequence[str],
    top: int = 20,
    format: str | None = None,
    output: Path | None = None,
    stream: Out | None = None,
    threshold: str | float | None = None,
    vocabulary: Path | None = None,
    replace: bool = False,
    batch_size: int | None = None,
    precision: Wanted = "auto",
    on_corrupt: OnCorrupt = "fail",
    device: str = "auto",
    report: Reporter = silent,
) -> Predicted:
    """Write the most probable labels of every video, in one pass and in bounded memory.

    Args:
        workspace: has the run, and for chosen thresholds the validation shards.
        run: a trained run with a head.
        patterns: shards of the videos, with labels or without; labels are not looked at.
        top: how many labels a video gets at most.
        format: one of `predictions.FORMATS`; None for what the suffix of `output` says, or a table.
        output: the file to write, in one step at the end; None writes to `stream`.
        stream: takes the text where there is no `output`.
        threshold: "per-class" and "global" give only labels whose probability reaches what gave the highest
            F1 on the workspace's validation videos; a number in [0, 1] is that probability; None gives all.
        vocabulary: names of the classes; None means the workspace's, or those that the run was trained with.
        replace: write over an `output` that is there.
        batch_size: videos at once per thread; None for what suits the device.
        precision: "fp32", "bf16", or "auto": as the run was trained, where the device has that.
        on_corrupt: what happens to unusable records.
        device: "auto", "cpu" or "cuda".
        report: gets progress and notes.

    Raises:
        NotFoundError: no such run, no shards, or no validation shards to choose thresholds on.
        UsageError: options that do not fit together, a run without a head, or an `output` that is there.
        SchemaError: shards and run do not fit.
        DataError: see `compress.encoding.scorer.predict`.
    """
    started = time.monotonic()
    find_run(workspace, None, checked(run, "--run"))
    if output is not None and output.exists() and not replace:
        raise UsageError("is there already", where=output, hint="choose another --output, or give --replace")
    form = format_of(format, output)
    if form == "kaggle" and (threshold is not None or top > KAGGLE_LABELS):
        raise UsageError(
            f"a submission holds the {KAGGLE_LABELS} most probable labels at most, and no threshold",
            where="--format kaggle",
            hint=f"leave out --threshold, and give --top {KAGGLE_LABELS} or fewer",
        )

    # Imported late: torch takes seconds, and a wrong name should be answered at once.
    from compress.encoding.scorer import Scorer, predict
    from compress.jobs.classes import vocabulary_of
    from compress.training.precision import choose_precision, precision_note
    from compress.training.run import check_fits, open_model

    names = vocabulary_of(workspace, run, vocabulary, report)
    with read_for(run):
        source = open_split(workspace, "input", patterns, on_corrupt, run=run_schema(workspace, run))
    if output is not None and output.resolve() in {shard.resolve() for shard in source.shards}:
        raise UsageError("is one of the shards", where=f"--output {output}", hint="name another file")
    model, manifest = open_model(workspace.run(run))
    facts = manifest.metadata
    if model.head is None:
        raise UsageError(
            f"the run {run!r} was fitted without a head, so it gives no labels",
            where=workspace.run(run),
            hint="`compress train` makes one that has a head",
        )
    check_fits(facts, source.schema, workspace.run(run))
    device, trained = choose_device(device), facts["train_config"]["precision"]
    used = choose_precision(precision, trained, device)
    if note := precision_note(precision, trained, used):
        report(Note(note))
    scorer = Scorer(model, used, device, batch_size=batch_size)
    limit, chosen = None, None
    if source.on_corrupt != "fail":
        scan(source, report)  # finds videos that are there twice
    if threshold is not None:
        chosen, limit = _threshold(workspace, run, threshold, scorer, manifest, on_corrupt, report)
    counted = _Counted()
    batches = counted.of(predict(scorer, source, top, report))
    rows = (list(rows_of(batch, limit)) for batch in batches)
    if output is None:
        assert stream is not None
        write_text(form, counted.labels_of(rows), names, stream)
    else:
        with replacing(output) as unfinished:
            if form == "parquet":
                write_parquet(counted.labels_of(rows), names, unfinished)
            else:
                with unfinished.open("w", encoding="utf-8", newline="") as text:
                    write_text(form, counted.labels_of(rows), names, text)
    tell_skipped([source], report)
    took = time.monotonic() - started
    return Predicted(run, counted.videos, counted.labels, form, output, chosen, took)


class _Counted:
    """Counts what passes."""

    def __init__(self) -> None:
        self.videos = self.labels = 0

    def of(self, batches: Iterable[Predictions]) -> Iterator[Predictions]:
        for batch in batches:
            self.videos += len(batch)
            yield batch

    def labels_of(self, batches: Iterable[list[Row]]) -> Iterator[list[Row]]:
        for rows in batches:
            self.labels += sum(len(pairs) for _, pairs in rows)
            yield rows


def _threshold(
    workspace: Workspace,
    run: str,
    wanted: str | float,
    scorer: Scorer,
    trained: Manifest,
    on_corrupt: OnCorrupt,
    report: Reporter,
) -> tuple[Threshold, np.ndarray]:
    """What was asked for, and the probability of each class, float32 (C,), from which it is given."""
    import numpy as np

    classes = scorer.width
    if isinstance(wanted, int | float):
        if not 0 <= wanted <= 1:
            raise UsageError(f"{wanted} is no probability", where="--threshold", hint="0 to 1")
        return Threshold("given", float(wanted), 0, classes), np.full(classes, wanted, np.float32)
    if wanted not in ("per-class", "global"):
        raise UsageError(f"unknown threshold {wanted!r}", hint='use "per-class", "global" or a number')
    from compress.training.run import Run

    kept = _chosen(workspace, run, scorer, trained, on_corrupt, report)
    file = Run(workspace.run(run)).thresholds
    if wanted == "global":
        found = Threshold(wanted, kept["everywhere"], 0, classes, kept["f1_everywhere"], file)
        return found, np.full(classes, kept["everywhere"], np.float32)
    found = Threshold(wanted, kept["everywhere"], kept["own"], classes, kept["f1_by_class"], file)
    report(
        Note(
            f"{kept['own']:,} of {classes:,} classes have a threshold of their own: {kept['enough']} or more "
            f"of {kept['videos']:,} validation videos carry them; the others share {kept['everywhere']:.3f}"
        )
    )
    return found, np.array(kept["by_class"], dtype=np.float32)


def _chosen(
    workspace: Workspace,
    run: str,
    scorer: Scorer,
    trained: Manifest,
    on_corrupt: OnCorrupt,
    report: Reporter,
) -> dict[str, Any]:
    """The thresholds in runs/<run>/thresholds.json, chosen now unless they are of this model and videos."""
    from compress.datasets.schema import FeatureSchema
    from compress.metrics.thresholds import ENOUGH, choose_thresholds
    from compress.training.inputs import fingerprint
    from compress.training.run import WEIGHTS, Run
    from compress.training.scoring import accumulate

    schema: FeatureSchema = FeatureSchema.from_json(trained.metadata["schema"])
    if not workspace.patterns("validate", schema.level):
        raise NotFoundError(
            "thresholds are chosen on validation videos, and the workspace has none",
            where=workspace.root,
            hint="`compress init` names them; --threshold 0.5 needs none",
        )
    table = LabelledVideos(workspace, (), on_corrupt, report).load("validate", schema)
    made_of = {
        "model_sha256": trained.files[WEIGHTS].sha256,
        "validation": fingerprint(table),
        "precision": scorer.precision,
        "enough": ENOUGH,
    }
    file = Run(workspace.run(run)).thresholds
    try:
        kept = read_sealed(file, "they are chosen again")
        if {key: kept.get(key) for key in made_of} == made_of:
            return kept
    except NotFoundError:
        pass  # the usual first time
    except CorruptArtifactError as error:
        report(Note(f"the thresholds are damaged ({error})"))
    report(Note(f"choosing thresholds on {len(table):,} validation videos"))
    top = accumulate(scorer.model, table, precision=scorer.precision).top()
    found = dataclasses.asdict(choose_thresholds(top, ENOUGH))
    value = {name: item.tolist() if hasattr(item, "tolist") else item for name, item in found.items()}
    kept = {**made_of, "videos": len(table), **value}
    write_sealed(file, kept)
    return kept
