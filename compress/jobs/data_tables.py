"""The tables of a series of evaluations: shards are opened, and their tables loaded, once each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from compress.datasets.policy import OnCorrupt
from compress.datasets.schema import FeatureSchema, Level
from compress.datasets.source import open_source
from compress.datasets.table import Table, load_table
from compress.errors import SchemaError
from compress.jobs.sources import open_split, tell_skipped
from compress.progress import Reporter
from compress.workspace import FILE_NAME, Workspace


class Tables:
    """Labelled videos of a workspace, by split and schema, kept while this lives.

    Args:
        workspace: whose shards, and whose cache.
        validate: patterns of shards to measure on, in place of the workspace's, of one level or of both.
        on_corrupt: what happens to unusable records.
        report: gets progress, and what was left out.
    """

    def __init__(
        self, workspace: Workspace, validate: Sequence[str], on_corrupt: OnCorrupt, report: Reporter
    ) -> None:
        self._workspace, self._validate = workspace, tuple(validate)
        self._on_corrupt, self._report = on_corrupt, report
        self._tables: dict[tuple[str, FeatureSchema], Table] = {}

    def patterns(self, split: str, level: Level) -> tuple[str, ...]:
        """Of the shards of one split; none where the workspace has none.

        Raises:
            SchemaError: of the patterns that were given none holds videos of that level.
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

    def table(self, split: str, schema: FeatureSchema) -> Table:
        """The labelled videos of "train" or "validate".

        Shards need not tell how many classes they have, so that of the workspace's own its `num_classes` must
        be the schema's. (A vocabulary would not do: it may name some classes only.)

        Args:
            split: which.
            schema: that the records must have; whether frames are synthetic is told by the records.

        Raises:
            UsageError: nothing says which shards.
            SchemaError: the workspace has another number of classes.
            NotFoundError, DataError: see `open_source` and `load_table`.
        """
        key = (split, replace(schema, synthetic_frames=False))
        if key not in self._tables:
            if split != "validate" or not self._validate:
                self._check_classes(schema.num_classes)
            source = open_split(
                self._workspace,
                split,
                self.patterns(split, schema.level),
                self._on_corrupt,
                schema=key[1],
                require_labels=True,
                level=schema.level,
            )
            self._tables[key] = load_table(source, cache=self._workspace.cache, report=self._report)
            tell_skipped([source], self._report)
        return self._tables[key]

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
            (pattern,), num_classes=self._workspace.num_classes, on_corrupt=self._on_corrupt
        ).schema.level
