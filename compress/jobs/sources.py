"""The shards that a command works on: those that were given, otherwise the workspace's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from compress.datasets.policy import OnCorrupt
from compress.datasets.schema import FeatureSchema, Level
from compress.datasets.source import Source, open_source
from compress.datasets.table import Table, load_table
from compress.errors import NotFoundError, SchemaError, UsageError
from compress.jobs.classes import workspace_vocabulary
from compress.progress import Note, Reporter
from compress.workspace import FILE_NAME, Workspace


def open_split(
    workspace: Workspace,
    split: str,
    given: Sequence[str],
    on_corrupt: OnCorrupt,
    *,
    schema: FeatureSchema | None = None,
    require_labels: bool = False,
    level: str = "video",
    run: FeatureSchema | None = None,
) -> Source:
    """The source of one split.

    Args:
        workspace: has patterns for "train" and "validate".
        split: name of the split.
        given: patterns, relative to the current folder; none means the workspace's.
        on_corrupt: what happens to unusable records; copies go to quarantine/ of the workspace.
        schema: what the records must be; detected when None.
        require_labels: leave out videos without labels.
        level: "frame" prefers the workspace's frame-level shards.
        run: what a run reads that the videos are for; see `open_source`.

    Raises:
        UsageError: no patterns were given, and the workspace has none.
        NotFoundError: a pattern matches nothing; or the workspace's vocabulary is gone, and neither `schema`
            nor `run` says what the labels mean.
    """
    patterns = tuple(given) or workspace.patterns(split, level)
    if not patterns:
        hint = f"give --{split} 'PATTERN', or make a workspace with `compress init`"
        raise UsageError(f"no {split} shards given", hint=hint)
    known, gone = schema or run, None
    try:
        vocabulary = workspace_vocabulary(workspace)
    except NotFoundError as error:
        if known is None:
            raise
        vocabulary, gone = None, error
    source = open_source(
        patterns,
        schema=schema,
        num_classes=None if schema else workspace.num_classes,
        on_corrupt=on_corrupt,
        quarantine=workspace.root / "quarantine" if on_corrupt == "quarantine" else None,
        require_labels=require_labels,
        vocabulary=vocabulary,
        description=workspace.description,
        run=run,
        part=None if given else workspace.part(split),
    )
    if gone is not None and known is not None and source.schema.class_names and not known.class_names:
        raise gone  # the labels are names, which would be numbered anew
    return source


def load_labelled(
    workspace: Workspace,
    split: str,
    given: Sequence[str],
    schema: FeatureSchema,
    on_corrupt: OnCorrupt,
    report: Reporter,
) -> Table:
    """The labelled videos of a split, as a table in the workspace's cache; arguments as of `open_split`.

    The records must fit `schema`; only whether frames are synthetic is read from the records themselves.
    """
    wanted = replace(schema, synthetic_frames=False)
    source = open_split(
        workspace, split, given, on_corrupt, schema=wanted, require_labels=True, level=schema.level
    )
    table = load_table(source, cache=workspace.cache, report=report)
    tell_skipped([source], report)
    return table


def run_schema(workspace: Workspace, run: str) -> FeatureSchema:
    """What a finished run reads.

    Raises:
        NotFoundError: no finished training.
        CorruptArtifactError: its manifest is damaged.
    """
    from compress.training.run import model_manifest  # not before: torch

    return FeatureSchema.from_json(model_manifest(workspace.run(run)).metadata["schema"])


@contextmanager
def read_for(run: str) -> Iterator[None]:
    """Around opening videos for a run: what does not fit is said with the run's name."""
    try:
        yield
    except SchemaError as error:
        raise SchemaError(f"{error.what} (by the run {run})", where=error.where, hint=error.hint) from error


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
    """Report the records that were left out, once all are read."""
    for source in sources:
        for skipped in source.skipped[:3]:
            place = f"{skipped.shard}: record {skipped.record} at byte {skipped.offset}"
            report(Note(f"left out {place}: {skipped.reason}"))
        if len(source.skipped) > 3:
            report(Note(f"left out {len(source.skipped)} records in all"))


class LabelledVideos:
    """The labelled videos of a workspace: each split is read once, however many runs are measured on it.

    Args:
        workspace: whose shards, and whose cache.
        validate: patterns of shards to measure on, instead of the workspace's; of one level or of both.
        on_corrupt: what happens to unusable records.
        report: gets progress, and what was left out.
    """

    def __init__(
        self, workspace: Workspace, validate: Sequence[str], on_corrupt: OnCorrupt, report: Reporter
    ) -> None:
        self._workspace, self._validate = workspace, tuple(validate)
        self._on_corrupt, self._report = on_corrupt, report
        self._loaded: dict[tuple[str, FeatureSchema], Table] = {}

    def patterns(self, split: str, level: Level) -> tuple[str, ...]:
        """Patterns of the shards of one split; none where the workspace has none.

        Raises:
            SchemaError: none of the patterns that were given holds videos of that level.
        """
        if split != "validate" or not self._validate:
            return self._workspace.patterns(split, level)
        if len(self._validate) == 1:
            return self._validate  # a wrong level is refused, with its file, when the shards are opened
        fitting = tuple(pattern for pattern in self._validate if self._level(pattern) == level)
        if not fitting:
            raise SchemaError(
                f"none of {', '.join(self._validate)} holds {level}-level videos",
                where="--validate",
                hint="give the shards of every level that a run reads",
            )
        return fitting

    def load(self, split: str, schema: FeatureSchema) -> Table:
        """The labelled videos of "train" or "validate".

        Shards may not say how many classes they have, so the `num_classes` of the workspace must be the
        schema's if the shards are its own. (A vocabulary would not do: it may name only some classes.)

        Args:
            split: which.
            schema: what the records must be, apart from whether frames are synthetic.

        Raises:
            UsageError: no shards are named.
            SchemaError: the workspace has another number of classes.
            NotFoundError, DataError: see `open_source` and `load_table`.
        """
        key = (split, replace(schema, synthetic_frames=False))
        if key not in self._loaded:
            if split != "validate" or not self._validate:
                self._check_classes(schema.num_classes)
            given = self.patterns(split, schema.level) if split == "validate" and self._validate else ()
            self._loaded[key] = load_labelled(
                self._workspace, split, given, schema, self._on_corrupt, self._report
            )
        return self._loaded[key]

    def _check_classes(self, wanted: int) -> None:
        present = self._workspace.num_classes
        if present not in (None, wanted):
            raise SchemaError(
                f"the workspace has {present:,} classes, the run was trained for {wanted:,}",
                where=self._workspace.root / FILE_NAME,
                hint="measure it in its own workspace, or give the shards by --validate",
            )

    def _level(self, pattern: str) -> Level:
        return open_source(
            (pattern,),
            num_classes=self._workspace.num_classes,
            on_corrupt="fail" if self._on_corrupt == "fail" else "skip",  # only looked at: nothing is copied
            description=self._workspace.description,
        ).schema.level
