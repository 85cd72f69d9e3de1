"""A table of models in words: what was measured, on what, what it does not show, how to read it."""

from __future__ import annotations

from itertools import combinations

from compress.evaluation.models.row import ModelRow
from compress.reports.cautions import few_videos, not_alike, synthetic_frames
from compress.reports.models.table import Judgement, ModelTable
from compress.reports.rounding import count, listed

METHOD = (
    "Hit@1 is the share of videos whose highest score is a label, PERR precision at equal recall rate, MAP "
    "mean average precision over classes, GAP global average precision. Each model is measured with the "
    "head that it was trained with, on the validation videos. Hit@1, PERR and GAP follow the YouTube-8M "
    "evaluation code, on the 20 highest scores per video. MAP skips classes without positives; the paper's "
    "MAP counts them as 0 (here: MAP with empty as 0).",
    "Intervals are 95 % bootstrap intervals over the validation videos. They do not cover the training seed: "
    "training again with another seed changes a row too.",
    "Against the paper: reproduced, above or below says where GAP is, within the tolerance of the row, "
    "when the row was trained on the full YouTube-8M. On other data the published figures are shown, but "
    "no row is judged by them.",
    "The epoch with the highest GAP on the validation videos is kept, so each row looks slightly better "
    "than on new videos. Training time is CPU time, on all cores together.",
)


def headline(table: ModelTable) -> str:
    """How much of the table was measured, and whether the rows are in the paper's order."""
    done = sum(line.model is not None for line in table.paper)
    ours = sum(line.model is not None for line in table.ours + table.others)
    parts = [f"{table.title}, {done} of {len(table.paper)} printed rows measured"]
    parts += [f"{ours} of our own"] if ours else []
    judged = [line.judgement for line in table.paper]
    reproduced = judged.count(Judgement.REPRODUCED)
    if reproduced or Judgement.ABOVE in judged or Judgement.BELOW in judged:
        parts.append(f"{reproduced} reproduced")
    agreeing, pairs = order_kept(table)
    parts += [f"{agreeing} of {pairs} pairs in the paper's order by GAP"] if pairs else []
    return ", ".join(parts)


def order_kept(table: ModelTable) -> tuple[int, int]:
    """Of the pairs of measured rows with different GAP in the paper: how many keep its order, and all."""
    found = [
        (line.published.gap, line.model.figures.gap.value)
        for line in table.paper
        if line.published is not None and line.model is not None
    ]
    apart = [(a, b) for a, b in combinations(found, 2) if a[0] != b[0]]
    return sum((a[0] - b[0]) * (a[1] - b[1]) > 0 for a, b in apart), len(apart)


def measured_on(table: ModelTable) -> str:
    """What the rows were trained and measured on; one sentence for each kind of data."""
    kinds: dict[str, list[str]] = {}
    for line, model in table.measured:
        kinds.setdefault(_data(model), []).append(line.run)
    if not kinds:
        return "Nothing of this table has been measured here."
    if len(kinds) == 1:
        return f"{next(iter(kinds))}."
    return " ".join(f"{listed(runs)}: {text}." for text, runs in kinds.items())


def _data(model: ModelRow) -> str:
    data = model.data
    return (
        f"{data.source}: {count(data.train_videos)} training and {count(data.validate_videos)} validation "
        f"videos, {count(data.num_classes)} classes, fingerprint {data.fingerprint[:12]}"
    )


def notes_on_rows(table: ModelTable) -> list[tuple[str, str]]:
    """Which rows, and what there is to know of them; what several rows share is said once."""
    rows: dict[str, list[str]] = {}
    for line in table.lines:
        for note in line.notes:
            rows.setdefault(note, []).append(line.run)
    return [(listed(runs), note) for note, runs in rows.items()]


def cautions(table: ModelTable) -> list[str]:
    """Sentences about these rows, each a reason to read the table with care; empty when there is none."""
    models = [model for _, model in table.measured]
    data: dict[str, list[str]] = {}
    training: dict[str, list[str]] = {}
    for line, model in table.measured:
        key = f"{count(model.data.num_classes)} classes, fingerprint {model.data.fingerprint[:12]}"
        data.setdefault(key, []).append(line.run)
        if model.training is not None:
            how = f"{count(model.training.videos)} videos, seed {model.training.seed}"
            training.setdefault(how, []).append(line.run)
    found = [
        _other_data(table),
        synthetic_frames(
            [model.name for model in models if model.data.synthetic_frames],
            rows=len(models),
            shown="the figures show that the models train, not what they are worth on video.",
        ),
        few_videos(model.data.train_videos for model in models),
        not_alike(data, "they were measured on different videos or classes"),
        not_alike(training, "they were trained differently"),
    ]
    return [text for text in found if text]


def _other_data(table: ModelTable) -> str:
    if all(line.judgement is not Judgement.NOT_JUDGED for line in table.paper):
        return ""
    return (
        "The published figures are of the full YouTube-8M (3.84 million training videos, 3,862 classes). "
        "These rows were trained on other data, or measured on few videos: compare the order of the rows, "
        "not the level of the figures."
    )
