"""`compress.Collection`: videos that come, go and are found, in one folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from compress.arrays import as_path
from compress.artifacts.atomic import read_bytes, sha256_file
from compress.artifacts.folder import Change, changing_folder, load_folder, read_folder
from compress.artifacts.hashed import Verify
from compress.artifacts.manifest import MANIFEST, Manifest, render_manifest
from compress.collection.incoming import Block, block_of, gather
from compress.collection.passed import asked_ids
from compress.collection.reading import Reading
from compress.collection.results import Added, Compacted, Deleted
from compress.collection.state import KIND, State, open_state
from compress.collection.writing import bytes_of, commit_change
from compress.datasets.vocabulary import Vocabulary
from compress.errors import CorruptArtifactError

if TYPE_CHECKING:
    from compress.encoder import Encoder


class Collection(Reading):
    """Videos that come, go and are found; made by `create` or `open`.

    A folder of immutable segments under one manifest. Each write is one commit: killed at any point it leaves
    the old or the new state. Searches see one state from beginning to end and may run in several threads;
    who writes holds the lock of the folder.

    Example:
        >>> import compress, tempfile
        >>> videos = compress.Collection.create(tempfile.mkdtemp(), codec="float32")
        >>> videos.add([[0.0, 1.0], [1.0, 0.1]], ["up", "right"], metadata={"seconds": [30, 90]})
        Added(added=2, replaced=0)
        >>> [match.video_id for match in videos.search([2.0, 0.1], where="seconds < 60")[0]]
        ['up']
        >>> videos.delete(["up"])
        Deleted(deleted=1)
        >>> videos.ids()
        ['right']
    """

    def __init__(self, folder: Path, state: State, verify: Verify) -> None:
        self.folder, self._state, self._verify = folder, state, verify

    @classmethod
    def create(
        cls,
        folder: str | Path,
        *,
        encoder: Encoder | str | Path | None = None,
        codec: str = "int8",
        metric: str = "cosine",
        vocabulary: Mapping[int, str] | str | Path | None = None,
    ) -> Self:
        """Make an empty collection.

        Args:
            folder: must not exist, or be empty.
            encoder: of raw features: a `compress.Encoder` or the folder of a run, which is copied; None for a
                collection of finished embeddings.
            codec: how embeddings are stored; calibrated on the first addition.
            metric: "cosine" or "ip" (inner product).
            vocabulary: names of the classes by number, or a file of them; None takes the names that labels
                are given by.

        Raises:
            UsageError: the folder holds something, or there is no such codec or metric.
            NotFoundError: no such run or vocabulary.
        """
        from compress.collection.creating import first_commit  # not before: torch

        where = as_path(folder, "folder")
        first_commit(where, encoder, codec, metric, vocabulary)
        return cls.open(where)

    @classmethod
    def open(cls, folder: str | Path, *, verify: Verify = True) -> Self:
        """Open a collection; codes stay on the disk and are mapped into memory.

        Args:
            folder: what `create` made.
            verify: compare every file with its sha256 (about 0.6 s per GB); False only looks at sizes;
                `HashedFiles` skips files that it has seen.

        Raises:
            NotFoundError: no collection there.
            CorruptArtifactError: a file has changed, or is gone.
        """
        where = as_path(folder, "a collection")
        return cls(where, load_folder(where, KIND, open_state, verify), verify)

    def __repr__(self) -> str:
        facts = self._state.facts
        size = "" if facts.dim is None else f", {facts.dim} dimensions"
        return f"<Collection of {len(self):,} videos{size}, {facts.codec}, {facts.metric}: {self.folder}>"

    def refresh(self) -> bool:
        """See what other processes have committed since; True if they have.

        Raises:
            NotFoundError: the folder is gone. CorruptArtifactError: a new file is damaged.
        """
        before = self._state
        if read_bytes(self.folder / MANIFEST) == render_manifest(before.manifest):
            return False
        found = load_folder(self.folder, KIND, lambda manifest: self._opened(manifest, before), verify=False)
        if self._state is before:  # otherwise this object itself has written something newer
            self._state = found
        return True

    def verify(self) -> None:
        """Compare every file with its sha256 now, and open what is there.

        Raises:
            CorruptArtifactError: a file has changed, is gone, or does not fit the others.
        """
        for segment in load_folder(self.folder, KIND, open_state, True).segments:
            segment.table  # noqa: B018 (reads the metadata)

    def add(
        self,
        rows: Any,
        ids: Iterable[Any],
        *,
        raw: bool | None = None,
        labels: Any = None,
        metadata: Any = None,
        replace: bool = False,
    ) -> Added:
        """Add videos in one commit.

        Args:
            rows: embeddings (n, dim), or, where the collection has an encoder, what that encodes.
            ids: text of at most 1024 bytes of UTF-8, all different.
            raw: whether `rows` are raw features; None goes by their width.
            labels: in any form that `compress.arrays.as_labels` takes, or None.
            metadata: column -> values, a list with a dict for each video, or a pyarrow table; or None.
            replace: a video whose id is there takes the place of the older one, with labels and metadata.

        Raises:
            RecordError: an id is there already, and no `replace`.
            SchemaError, DataError: rows, ids, labels or metadata that do not fit, or too few to calibrate on.
            UsageError: `raw` without an encoder, or a width that says nothing.
            LockedError: another process writes.
        """

        def blocks(state: State) -> Iterator[tuple[Block, Vocabulary | None]]:
            yield block_of(state, rows, ids, raw=raw, labels=labels, metadata=metadata)

        return self.add_blocks(blocks, replace=replace)

    def add_blocks(
        self,
        blocks: Callable[[State], Iterable[tuple[Block, Vocabulary | None]]],
        *,
        replace: bool = False,
    ) -> Added:
        """As `add`, of videos that come block by block; their codes are held in memory.

        Args:
            blocks: gives the blocks for the state to which they are added, with the class names where these
                become more.
            replace: see `add`.
        """
        with self._changing() as (change, state):
            names: list[Vocabulary] = []

            def told() -> Iterator[Block]:
                for block, more in blocks(state):
                    names.extend([] if more is None else [more])
                    yield block

            rows, codec, gone = gather(state, told(), replacing=replace)
            manifest = commit_change(
                change, state, gone=gone, new=rows, codec=codec, names=names[-1] if names else None
            )
            self._state = self._opened(manifest, state)
            return Added(len(rows), sum(map(len, gone.values())))

    def delete(self, ids: str | Iterable[Any]) -> Deleted:
        """Delete videos in one commit; `compact` removes their bytes.

        Raises:
            NotFoundError: an id is not there; nothing is deleted then.
            LockedError: another process writes.
        """
        asked = asked_ids(ids, "ids")
        with self._changing() as (change, state):
            owners, rows = state.find_all(asked)
            if not len(asked):
                return Deleted(0)
            gone = {int(number): rows[owners == number] for number in np.unique(owners)}
            self._state = self._opened(commit_change(change, state, gone=gone), state)
            return Deleted(len(asked))

    def compact(self) -> Compacted:
        """Write all living videos into one segment; no file of the folder has bytes of others any more.

        Raises:
            LockedError: another process writes. StorageError: the disk refused; nothing has changed.
        """
        with self._changing() as (change, state):
            before, removed = bytes_of(state.manifest), sum(len(each.gone) for each in state.segments)
            if removed or len(state.segments) > 1:
                self._state = self._opened(commit_change(change, state, gone={}, into_one=True), state)
            else:
                change.clean()
            return Compacted(len(self), removed, before, bytes_of(self._state.manifest))

    @contextmanager
    def _changing(self) -> Iterator[tuple[Change, State]]:
        """The folder locked, and its newest state."""
        read_folder(self.folder, KIND, verify=False)  # of what is gone or damaged nothing is made anew
        with changing_folder(self.folder, KIND) as change:
            if change.before is None:
                read_folder(self.folder, KIND, verify=False)
                raise CorruptArtifactError("was replaced while it was opened", where=self.folder)
            if change.before != self._state.manifest:
                self._state = self._opened(change.before, self._state)
            yield change, self._state

    def _opened(self, manifest: Manifest, before: State) -> State:
        """The state of a newer commit; files that are new are hashed, where `open` was told to."""
        known = set(before.manifest.files.values())
        for file in manifest.files.values():
            if self._verify and file not in known:
                path = self.folder / file.stored
                if sha256_file(path) != file.sha256:
                    raise CorruptArtifactError("does not match the sha256 in its manifest", where=path)
        return open_state(manifest, before)
