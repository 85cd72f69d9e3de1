"""One commit of a collection, opened: what a search sees from its beginning to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import numpy as np

from compress.artifacts.manifest import Manifest
from compress.codecs import Codec
from compress.collection.segment import RESTORE, Segment, files_of, open_segment
from compress.datasets.vocabulary import Vocabulary, load_vocabulary
from compress.errors import CorruptArtifactError, NotFoundError

if TYPE_CHECKING:
    import pyarrow as pa

    from compress.encoder import Encoder

KIND = "collection"
CODEC, WEIGHTS, NAMES = "codec.npz", "encoder.safetensors", "vocabulary.csv"


@dataclass(frozen=True)
class Facts:
    """What a commit says about itself; the metadata of its manifest.

    Args:
        generation: commits so far.
        metric: "cosine" or "ip".
        codec: name of the codec.
        dim: embedding size; None before the first addition without an encoder.
        segments: names of the segments, the oldest first.
        next_segment: number of the next one.
        vocabulary: "given" with the collection, "grown" from labels that were names, or "none".
        encoder: its name, input_dim, level and what a run keeps with its model; None without one.
    """

    generation: int
    metric: str
    codec: str
    dim: int | None
    segments: list[str]
    next_segment: int
    vocabulary: str
    encoder: dict[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], folder: Path) -> Facts:
        """What `to_json` gave; CorruptArtifactError for anything else."""
        hints = get_type_hints(cls)
        known = {field.name for field in fields(cls)}
        kinds = {name: getattr(kind, "__origin__", kind) for name, kind in hints.items()}
        kinds["encoder"] = dict | None
        wrong = [name for name in known & set(value) if not isinstance(value[name], kinds[name])]
        if set(value) != known or wrong:
            odd = ", ".join(sorted(wrong or known ^ set(value)))
            raise CorruptArtifactError(
                f"its manifest lacks, adds or twists: {odd}", where=folder, hint=RESTORE
            )
        return cls(**value)


@dataclass(frozen=True)
class State:
    """A commit with its open segments.

    Args:
        manifest: names all files.
        facts: of the commit.
        codec: None before the first addition.
        segments: the oldest first.
        names: of the classes; without any where there are none.
    """

    manifest: Manifest
    facts: Facts
    codec: Codec | None
    segments: tuple[Segment, ...]
    names: Vocabulary

    def __len__(self) -> int:
        return sum(segment.living for segment in self.segments)

    @cached_property
    def encoder(self) -> Encoder | None:
        """The encoder of raw features; loaded when it is first needed."""
        if self.facts.encoder is None:
            return None
        from compress.encoder import Encoder
        from compress.training.run import built_model

        about = self.facts.encoder
        model = built_model(about["facts"], self.manifest.path(WEIGHTS))
        return Encoder(model, about["facts"], about["name"], "cpu")

    @cached_property
    def schema(self) -> pa.Schema | None:
        """The columns of the metadata of all segments; None where there are none."""
        tables = [segment.table for segment in self.segments if segment.table is not None]
        if not tables:
            return None
        from compress.collection.columns import united

        return united(table.schema for table in tables)

    @property
    def num_classes(self) -> int:
        """The largest class number that labels can have, plus 1."""
        found = [each.labels.num_classes for each in self.segments if each.labels is not None]
        return max([self.names.num_classes, *found])

    def find(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(segment, row) of each id, S (m,), both int64 (m,); -1 for ids of no living video."""
        owners, rows = np.full(len(ids), -1, np.int64), np.full(len(ids), -1, np.int64)
        for number, segment in enumerate(self.segments):
            found = segment.rows_of(ids)
            owners[found >= 0] = number
            rows[found >= 0] = found[found >= 0]
        return owners, rows

    def find_all(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `find`; NotFoundError that names those which are not there, and what looks like the first."""
        owners, rows = self.find(ids)
        missing = np.flatnonzero(owners < 0)
        if len(missing):
            first = bytes(ids[missing[0]])
            near = [name for segment in self.segments for name in segment.near(first)][:3]
            names = ", ".join(repr(bytes(ids[place]).decode(errors="replace")) for place in missing[:3])
            more = f" and {len(missing) - 3:,} more" if len(missing) > 3 else ""
            raise NotFoundError(
                f"no video {names}{more}",
                where=self.manifest.folder,
                hint=f"did you mean {', '.join(near)}?" if near else "",
            )
        return owners, rows

    def decoded(self, owners: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The embeddings, float32 (m, dim), of rows that `find_all` gave."""
        assert self.codec is not None
        found = np.empty((len(rows), self.codec.dim), np.float32)
        for number in np.unique(owners):
            mine = owners == number
            found[mine] = self.codec.decode(np.asarray(self.segments[number].codes[rows[mine]]))
        return found


def open_state(manifest: Manifest, before: State | None = None) -> State:
    """The state of a commit whose checksums were looked at; segments that `before` has open are taken over.

    Raises:
        CorruptArtifactError: its files do not belong together.
    """
    facts = Facts.from_json(manifest.metadata, manifest.folder)
    codec = None
    if CODEC in manifest.files:
        same = before is not None and before.manifest.files.get(CODEC) == manifest.files[CODEC]
        codec = before.codec if before is not None and same else None
        codec = codec or Codec.load(manifest.path(CODEC))
        if (codec.name, codec.dim) != (facts.codec, facts.dim):
            raise CorruptArtifactError("has another codec", where=manifest.path(CODEC), hint=RESTORE)
    elif facts.segments:
        raise CorruptArtifactError(f"has no {CODEC}", where=manifest.folder, hint=RESTORE)
    names = Vocabulary({})
    if NAMES in manifest.files:
        names = load_vocabulary(manifest.path(NAMES))
    known = {} if before is None else {segment.name: segment for segment in before.segments}
    segments: Sequence[Segment] = [
        _opened(manifest, name, facts, codec, before, known.get(name))
        for name in facts.segments
        if codec is not None
    ]
    return State(manifest, facts, codec, tuple(segments), names)


def _opened(
    manifest: Manifest,
    name: str,
    facts: Facts,
    codec: Codec,
    before: State | None,
    known: Segment | None,
) -> Segment:
    if before is not None and known is not None and _files(before.manifest, name) == _files(manifest, name):
        return known
    return open_segment(manifest, name, codec, facts.metric)


def _files(manifest: Manifest, name: str) -> dict[str, Any]:
    return {each: manifest.files[each] for each in files_of(manifest, name)}
