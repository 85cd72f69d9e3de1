"""Measure one store: a panel of judges, joint head, neighbours; figures with intervals, beside a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from compress.errors import DataError, LockedError, SchemaError
from compress.evaluation.description import model_size, recipe_notes, role, table4_row, title
from compress.evaluation.halves import halves_of
from compress.evaluation.joint_head import score_joint_head
from compress.evaluation.judges.judged import change, figures_of, judged_by
from compress.evaluation.judges.names import judges_named
from compress.evaluation.judges.opinion import Opinion
from compress.evaluation.judges.panel import Panel, ask_panel, panel_recipe
from compress.evaluation.judges.question import Search, question
from compress.evaluation.neighbours import query_vectors, retrieval_quality
from compress.evaluation.row import Data, HeadTraining, Retrieval, Row, in_words
from compress.evaluation.row_file import SCORES
from compress.evaluation.scores import load_panel, save_scores, why_stale, why_unlike
from compress.evaluation.splits import fingerprint, rows_by_id, split_table, tell_unlabelled
from compress.metrics import Interval, Replicates, TopScores, figures, replicates
from compress.progress import Reporter, silent
from compress.store.reader import Store, open_store
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
    heads: Sequence[str] = (),
    seeds: int | None = None,
    head_epochs: int | None = None,
    head_mixup: float | None = None,
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
        heads: names of the judges, see `judges.panel`; none for all.
        seeds: heads that each trained judge is the mean of; None chooses by the number of videos.
        head_epochs: the most epochs of a trained judge; None for the recipe's.
        head_mixup: alpha of the mixup of trained judges; None searches it.
        retrieval: also search neighbours (needs the baseline's store).
        full_map: also compute MAP over all scores, which scores the videos twice more.
        seed: of the judges and of the bootstrap.
        threads: of torch; 0 leaves them as they are.
        device: "cpu" or "cuda".
        command: the command that makes this row, kept with it; None for `compress evaluate --name ...`.
        notes: sentences to keep with the row.
        folder: holds the rows, scores and heads, also the baseline's; None for evaluation/ of the workspace.

    Returns:
        The row that was written.

    Raises:
        NotFoundError: no such store, or the baseline was not measured.
        UsageError: the store has no labels or lacks a split, or there is no such judge.
        DataError: the store was not written by `encode`.
        SchemaError: the baseline was measured on other videos, by other judges, or before its store was
            encoded again.
    """
    store, names = open_store(workspace.store(name)), judges_named(heads)
    _check_origin(store)
    folder = folder or workspace.evaluation
    search = Search(seeds, head_epochs, head_mixup, seed)
    asked = question(
        split_table(store, "train"),
        split_table(store, "validate"),
        search,
        device=device,
        threads=threads,
        full_map=full_map,
    )
    recipe = panel_recipe(names, search, asked.train_ids)
    measured_on = {split: fingerprint(store, split) for split in ("train", "validate")}
    against = None
    if name != baseline:
        against = _baseline(workspace, folder, baseline, {"head": recipe, **measured_on})
    tell_unlabelled(store, report)
    panel = ask_panel(names, asked, folder / "heads" / name, report)
    opinion = panel.opinions[panel.best]
    resampled = {judge: replicates(one.top, seed=seed) for judge, one in panel.opinions.items()}
    theirs = None if against is None else _Resampled.of(against, seed)
    run = _maker(workspace, store)
    joint = None if run is None else score_joint_head(store, run, device)
    quality, precision = None, None
    if retrieval:
        original = store if name == baseline else open_store(workspace.store(baseline))
        quality, precision = retrieval_quality(
            store, original, seed, report, lambda rows: query_vectors(workspace, store, rows, run, device)
        )
    judges = tuple(
        judged_by(judge, one, resampled[judge], None if theirs is None else theirs.of_judge(judge))
        for judge, one in panel.opinions.items()
    )
    row = Row(
        row=name,
        title=title(store.metadata, store.dim, store.codec.name),
        table4_row=table4_row(store.metadata, store.dim, store.codec.name),
        role=role(name, baseline, store.metadata),
        encoder=store.metadata["encoder"],
        head=f"fresh {panel.best}",
        dim=store.dim,
        codec=store.codec.name,
        bytes_per_video=store.bytes_per_video,
        parameters={"encoder": store.metadata["parameters"]["encoder"], "head": opinion.parameters},
        encoder_bytes=None if run is None else model_size(run)["parts"]["encoder"],
        figures=figures_of(opinion, resampled[panel.best]),
        baseline=None if theirs is None else baseline,
        delta=None if theirs is None else change(opinion, resampled[panel.best], *theirs.best),
        halves=halves_of(
            opinion.top,
            store.id_bytes[rows_by_id(store, "validate")],
            None if theirs is None else theirs.best[0].top,
            baseline,
            seed,
        ),
        joint={} if joint is None else dict(figures(joint)),
        retrieval=quality,
        head_training=_head_training(opinion, seed),
        data=_data(workspace, store, measured_on["validate"]),
        command=command or f"compress evaluate --name {name}",
        notes=(*_notes(store, run, quality), *_contradiction(joint, panel, resampled, seed), *notes),
        map_full=opinion.map_full,
        judges=judges,
    )
    facts = {"head": recipe, "best": panel.best, **measured_on, "store_sha256": store.sha256}
    class_counts = split_table(store, "train").labels.class_counts()
    _check_unchanged(workspace, store, run)
    scores = folder / SCORES / name
    save_scores(scores, opinion.top, facts, class_counts, precision, panel.opinions, row.to_json())
    row.write(folder / f"{name}.json")  # a copy for people: what counts is committed with the scores
    return row


@dataclass(frozen=True)
class _Resampled:
    """The panel of the baseline, each judge with its resamples."""

    panel: Panel
    resampled: Mapping[str, Replicates]

    @classmethod
    def of(cls, panel: Panel, seed: int) -> _Resampled:
        return cls(panel, {name: replicates(one.top, seed=seed) for name, one in panel.opinions.items()})

    def of_judge(self, name: str) -> tuple[Opinion, Replicates]:
        return self.panel.opinions[name], self.resampled[name]

    @property
    def best(self) -> tuple[Opinion, Replicates]:
        return self.of_judge(self.panel.best)


def _head_training(opinion: Opinion, seed: int) -> HeadTraining:
    epochs = opinion.settings.get("epochs") or [0.0]
    mixup = float(opinion.settings.get("mixup", 0.0))
    batch = int(opinion.settings.get("batch_size", 0))
    return HeadTraining(fmean(epochs), seed, batch, mixup, len(opinion.heads))


def _contradiction(
    joint: TopScores | None, panel: Panel, resampled: Mapping[str, Replicates], seed: int
) -> list[str]:
    """A sentence where the head that was trained with the encoder and a fresh one of its kind disagree."""
    if joint is None or "moe" not in panel.opinions:
        return []
    with_encoder = replicates(joint, seed=seed).intervals().gap
    fresh = figures_of(panel.opinions["moe"], resampled["moe"]).gap
    if _overlap(with_encoder, fresh):
        return []
    return [
        f"The head that was trained with the encoder and a fresh one contradict each other: GAP "
        f"{_shown(with_encoder)} and {_shown(fresh)}. Where the fresh one is lower, it has not found what is "
        "in the embedding; where it is higher, the encoder was not trained to its end."
    ]


def _overlap(one: Interval, other: Interval) -> bool:
    return one.low <= other.high and other.low <= one.high


def _shown(found: Interval) -> str:
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _baseline(workspace: Workspace, folder: Path, name: str, wanted: dict[str, Any]) -> Panel:
    """The panel of the baseline, which must have been asked in the same way on the same videos."""
    command = f"compress evaluate --name {name}"
    opinions, facts = load_panel(folder, name, _from_nothing(workspace, name, command))
    if unlike := why_unlike(facts, wanted):
        raise SchemaError(
            f"the baseline {name!r} was {unlike}",
            where=folder,
            hint=f"encode and evaluate {name!r} on the same shards with the same options first",
        )
    if stale := why_stale(workspace, name, facts):
        what = f"the baseline {name!r} was {stale}"
        raise SchemaError(what, where=workspace.store(name), hint=f"`{command}` first")
    return Panel(opinions)


def _from_nothing(workspace: Workspace, name: str, command: str) -> str:
    """A command with those that are needed before it: a first trial has no store of the original features."""
    if workspace.store(name).exists():
        return command
    command = f"compress encode --name {name} && {command}"
    if name == "original" and not workspace.run(name).exists():
        command = f"compress train --encoder identity && {command}"
    return command


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


def _check_unchanged(workspace: Workspace, store: Store, run: Path | None) -> None:
    """LockedError if the run or the store was replaced while it was measured: the row would mix two."""
    if _maker(workspace, store) != run or open_store(store.path, verify=False).sha256 != store.sha256:
        what = "was made again by another process while it was measured"
        raise LockedError(what, where=store.path, hint="run the command again")


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
