"""Measure one store: fresh head, joint head, neighbours; figures with intervals, paired with a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compress.errors import DataError, SchemaError
from compress.evaluation.description import model_size, recipe_notes, role, table4_row, title
from compress.evaluation.fresh_head import fresh_head_full_map, score_joint_head, train_fresh_head
from compress.evaluation.halves import halves_of
from compress.evaluation.neighbours import query_vectors, retrieval_quality
from compress.evaluation.row import Data, HeadTraining, Retrieval, Row, in_words
from compress.evaluation.scores import load_baseline, save_scores, why_stale, why_unlike
from compress.evaluation.splits import fingerprint, rows_by_id, split_table, tell_unlabelled
from compress.metrics import TopScores, figures, replicates
from compress.progress import Reporter, silent
from compress.store.reader import Store, open_store
from compress.training.recipes import fresh_head_config
from compress.training.run import Run, model_sha256
from compress.workspace import Workspace

_FROM_ENCODE = (
    "run",
    "model_sha256",
    "encoder",
    "encoder_options",
    "parameters",
    "level",
    "synthetic_frames",
)


def evaluate(
    workspace: Workspace,
    name: str,
    *,
    baseline: str = "original",
    head_epochs: int | None = None,
    head_mixup: float = 0.0,
    retrieval: bool = True,
    full_map: bool = False,
    seed: int = 0,
    threads: int = 0,
    device: str = "cpu",
    command: str | None = None,
    notes: Sequence[str] = (),
    folder: Path | None = None,
    report: Reporter = silent,
) -> Row:
    """Measure the store `name` and write evaluation/<name>.json.

    Args:
        workspace: has runs, stores and evaluations.
        name: of the store.
        baseline: the store that deltas are measured against; it must be measured already.
        head_epochs: epochs of the fresh head; None for the recipe's.
        head_mixup: alpha of the mixup of the fresh head; 0 for none.
        retrieval: also search neighbours (needs the baseline's store).
        full_map: also compute MAP over all scores, which scores the videos twice more.
        seed: of the fresh head and of the bootstrap.
        threads: of torch; 0 leaves them as they are.
        device: "cpu" or "cuda".
        command: the command that makes this row, kept with it; None for `compress evaluate --name ...`.
        notes: sentences to keep with the row.
        folder: holds the rows, scores and heads, also the baseline's; None for evaluation/ of the workspace.

    Returns:
        The row that was written.

    Raises:
        NotFoundError: no such store, or the baseline was not measured.
        UsageError: the store has no labels or lacks a split.
        DataError: the store was not written by `encode`.
        SchemaError: the baseline was measured on other videos, with another head recipe, or before its store
            was encoded again.
    """
    store = open_store(workspace.store(name))
    _check_origin(store)
    config, folder = fresh_head_config(head_epochs, seed, head_mixup), folder or workspace.evaluation
    measured_on = {split: fingerprint(store, split) for split in ("train", "validate")}
    against = None
    if name != baseline:
        against = _baseline(workspace, folder, baseline, {"head": config.to_json(), **measured_on})
    head = folder / "heads" / name
    tell_unlabelled(store, report)
    tables = split_table(store, "train"), split_table(store, "validate")
    top, head_parameters = train_fresh_head(
        *tables, head, config, device=device, threads=threads, report=report
    )
    resampled = replicates(top, seed=seed)
    run = _maker(workspace, store)
    joint = None if run is None else score_joint_head(store, run, device)
    quality, precision = None, None
    if retrieval:
        original = store if name == baseline else open_store(workspace.store(baseline))
        quality, precision = retrieval_quality(
            store, original, seed, report, lambda rows: query_vectors(workspace, store, rows, run, device)
        )
    row = Row(
        row=name,
        title=title(store.metadata, store.dim, store.codec.name),
        table4_row=table4_row(store.metadata, store.dim, store.codec.name),
        role=role(name, baseline, store.metadata),
        encoder=store.metadata["encoder"],
        head="fresh moe",
        dim=store.dim,
        codec=store.codec.name,
        bytes_per_video=store.bytes_per_video,
        parameters={"encoder": store.metadata["parameters"]["encoder"], "head": head_parameters},
        encoder_bytes=None if run is None else model_size(run)["parts"]["encoder"],
        figures=resampled.intervals(),
        baseline=None if against is None else baseline,
        delta=None if against is None else resampled.minus(replicates(against, seed=seed)),
        halves=halves_of(top, store.id_bytes[rows_by_id(store, "validate")], against, baseline, seed),
        joint={} if joint is None else dict(figures(joint)),
        retrieval=quality,
        head_training=HeadTraining(config.epochs, seed, config.batch_size, config.mixup),
        data=_data(workspace, store, measured_on["validate"]),
        command=command or f"compress evaluate --name {name}",
        notes=(*_notes(store, run, quality), *notes),
        map_full=fresh_head_full_map(store, head, device=device, report=report) if full_map else None,
    )
    facts = {"head": config.to_json(), **measured_on, "store_sha256": store.sha256}
    class_counts = tables[0].labels.class_counts()
    save_scores(folder / "scores" / name, top, facts, class_counts, precision)
    row.write(folder / f"{name}.json")
    return row


def _baseline(workspace: Workspace, folder: Path, name: str, wanted: dict[str, Any]) -> TopScores:
    """Scores of the baseline, which must have been measured with the same head on the same videos."""
    command = f"compress evaluate --name {name}"
    top, facts = load_baseline(folder, name, command)
    if unlike := why_unlike(facts, wanted):
        raise SchemaError(
            f"the baseline {name!r} was {unlike}",
            where=folder,
            hint=f"encode and evaluate {name!r} on the same shards with the same options first",
        )
    if stale := why_stale(workspace, name, facts):
        what = f"the baseline {name!r} was {stale}"
        raise SchemaError(what, where=workspace.store(name), hint=f"`{command}` first")
    return top


def _check_origin(store: Store) -> None:
    missing = [key for key in _FROM_ENCODE if key not in store.metadata]
    if missing:
        raise DataError(
            f"does not say how it was made (no {', '.join(missing)})",
            where=store.path,
            hint="write it with `compress encode`",
        )


def _maker(workspace: Workspace, store: Store) -> Path | None:
    """The run whose model made the store; None when it is gone or was trained again since."""
    run = workspace.run(store.metadata["run"])
    same = Run(run).finished and model_sha256(run) == store.metadata["model_sha256"]
    return run if same else None


def _data(workspace: Workspace, store: Store, videos: str) -> Data:
    assert store.labels is not None
    level = store.metadata["level"]
    patterns = [p for split in ("train", "validate") for p in workspace.patterns(split, level)]
    return Data(
        train_videos=len(rows_by_id(store, "train")),
        validate_videos=len(rows_by_id(store, "validate")),
        num_classes=store.labels.num_classes,
        fingerprint=videos,
        synthetic_frames=bool(store.metadata["synthetic_frames"]),
        source=in_words(patterns),
    )


def _notes(store: Store, run: Path | None, quality: Retrieval | None) -> list[str]:
    notes = [] if run is None else recipe_notes(run)
    if quality is not None and quality.queries_from == "codes":
        notes.append("Neighbours were searched with decoded codes: the original embeddings are gone.")
    if store.metadata["synthetic_frames"]:
        notes.append("Frames are synthetic: expanded from video-level features, whose mean they keep.")
    options = store.metadata["encoder_options"]
    smaller_lstm = store.metadata["encoder"] == "lstm" and options.get("sizes") not in (None, [], [1280, 640])
    narrow_cnn = store.metadata["encoder"] == "residual_cnn" and options.get("width", 1.0) != 1.0
    if narrow_cnn or (store.dim == 640 and smaller_lstm):
        notes.append("The encoder is narrower than the paper's, to fit a small machine.")
    return notes
