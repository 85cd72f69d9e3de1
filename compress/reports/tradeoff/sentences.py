"""What the trade-off says in words: the headline, what was measured on, how to read it."""

from __future__ import annotations

from compress.reports.tradeoff.table import TradeoffTable
from compress.reports.tradeoff.wording import change, heads
from compress.reports.wording import DELTA, blended, count, size

METHOD = (
    "Every point is a store of embeddings: its bytes a video are counted exactly, its GAP and MAP are those "
    "of a fresh head that saw nothing but the decoded codes. GAP is on the 20 highest scores a video; MAP "
    "skips classes without positives. Label precision@10 is the share of the 10 nearest training videos that "
    "share a label with a validation video.",
    "The validation videos are split in two by a hash of their ids. Figures are those of the confirmation "
    "half where nothing else is said. Whatever is chosen by its figures, such as the best baseline of no "
    "more bytes, is chosen on the selection half, so that the figures beside it had no part in the choice.",
    f"A difference ({DELTA}) is point minus baseline in points (1 point is 0.01), with its 95 % bootstrap "
    "interval, paired: both on the same resampled videos. Of several heads the figures are averaged, also "
    "within each resample. Intervals cover which videos were drawn; what another seed does is told apart. "
    "Those of MAP are somewhat too narrow where many classes are rare; `compress select` has more careful "
    "bounds.",
    "An encoder whose epoch was kept for its GAP on the validation videos (its notes, in the JSON file, say "
    "so) had a little help from both halves; what needs no training had none.",
    "Ahead: point minus the best of what needs no training (the original in a codec, PCA, a random "
    "projection), of no more bytes.",
    "A step of a line: between two sizes a budget of bytes buys the smaller one.",
)


def headline(table: TradeoffTable) -> str:
    """One sentence about the smallest trained point that holds GAP, or else about the best one."""
    learned = [p for p in table.points if p.role == "encoder" and "gap" in p.confirmation.delta]
    if not learned:
        return "No trained embedding has been measured yet"
    holding = [point for point in learned if point.selection.delta["gap"].low >= 0]
    # Chosen on the selection half, told on the other.
    point = holding[0] if holding else max(learned, key=lambda p: p.selection.delta["gap"].value)
    ratio = table.baseline.bytes_per_video / point.bytes_per_video
    smaller = f"{ratio:.3g}" if ratio < 1000 else count(round(ratio))
    return (
        f"{count(point.bytes_per_video)} bytes a video, {smaller} times fewer: "
        f"GAP {change(point.confirmation.delta['gap'])} points, MAP {change(point.confirmation.delta['map'])}"
    )


def data_line(table: TradeoffTable) -> str:
    """What everything was measured on."""
    data, how, base = table.data, table.head_training, table.baseline
    epochs = f"{size(how.epochs)} epoch{'' if how.epochs == 1 else 's'}"
    return (
        f"{data.source}: {count(base.confirmation.videos)} validation videos to confirm, "
        f"{count(base.selection.videos)} to select, {count(data.num_classes)} classes. Fresh heads trained "
        f"on {count(data.train_videos)} videos, {epochs}, batch {count(how.batch_size)}{blended(how)}. "
        f"Baseline: {base.name}, {count(base.bytes_per_video)} bytes a video, {heads(base)}."
    )
