"""Opening the shards that a command works on: those that were given, otherwise the workspace's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compress.datasets.policy import OnCorrupt
from compress.datasets.schema import FeatureSchema
from compress.datasets.source import Source, open_source
from compress.errors import UsageError
from compress.progress import Note, Reporter
from compress.workspace import Workspace


def open_split(
    workspace: Workspace,
    split: str,
    given: Sequence[str],
    on_corrupt: OnCorrupt,
    *,
    schema: FeatureSchema | None = None,
    require_labels: bool = False,
    level: str = "video",
) -> Source:
    """The source of one split.

    Args:
        workspace: has patterns for "train" and "validate".
        split: name of the split.
        given: patterns that go before the workspace's, meant from the current folder.
        on_corrupt: what happens to unusable records; copies go to quarantine/ of the workspace.
        schema: what the records must be; detected when None.
        require_labels: a record without labels is defective.
        level: "frame" takes the workspace's frames, where it has them.

    Raises:
        UsageError: neither patterns nor a workspace that has them.
    """
    patterns = tuple(given) or workspace.patterns(split, level)
    if not patterns:
        hint = f"give --{split} 'PATTERN', or make a workspace with `compress init`"
        raise UsageError(f"nothing says which shards to {split} with", hint=hint)
    return open_source(
        patterns,
        schema=schema,
        num_classes=None if schema else workspace.num_classes,
        on_corrupt=on_corrupt,
        quarantine=_quarantine(workspace, on_corrupt),
        require_labels=require_labels,
    )


def schemas(workspace: Workspace, on_corrupt: OnCorrupt) -> dict[str, FeatureSchema]:
    """What the workspace's training shards hold, by level: "video", "frame" or both.

    Raises:
        UsageError: the workspace has no shards.
        NotFoundError, DataError: they are gone or damaged.
    """
    levels = ("video", "frame") if workspace.train_frames else ("video",)  # which may well hold frames
    found = [open_split(workspace, "train", (), on_corrupt, level=level).schema for level in levels]
    return {schema.level: schema for schema in found}


def tell_skipped(sources: Sequence[Source], report: Reporter) -> None:
    """Say what was left out, once all has been read."""
    for source in sources:
        for skipped in source.skipped[:3]:
            place = f"{skipped.shard}: record {skipped.record} at byte {skipped.offset}"
            report(Note(f"left out {place}: {skipped.reason}"))
        if len(source.skipped) > 3:
            report(Note(f"left out {len(source.skipped)} records in all"))


def _quarantine(workspace: Workspace, on_corrupt: OnCorrupt) -> Path | None:
    return workspace.root / "quarantine" if on_corrupt == "quarantine" else None
