"""The first commit of a collection: what it is made for, and no videos."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compress.arrays import as_path
from compress.artifacts.folder import Content, changing_folder
from compress.artifacts.manifest import MANIFEST
from compress.codecs.names import parse_codec
from compress.collection.state import KIND, NAMES, WEIGHTS, Facts
from compress.datasets.vocabulary import Vocabulary, load_vocabulary, vocabulary_csv
from compress.encoder import Encoder, load
from compress.errors import UsageError
from compress.index.rows import check_metric
from compress.training.run import model_sha256, tensors_file


def first_commit(
    folder: Path,
    encoder: Encoder | str | Path | None,
    codec: str,
    metric: str,
    vocabulary: Mapping[int, str] | str | Path | None,
) -> None:
    """Commit an empty collection; arguments and errors as those of `Collection.create`."""
    check_metric(metric)
    codec = parse_codec(codec).name
    if (folder / MANIFEST).exists():
        raise UsageError("holds something already", where=folder, hint="choose another folder")
    files: dict[str, Content] = {}
    about: dict[str, Any] | None = None
    if encoder is not None:
        model = encoder if isinstance(encoder, Encoder) else load(encoder, device="cpu")
        about, tensors = model.parts()
        files[WEIGHTS] = tensors_file(tensors)
        about["model_sha256"] = None if isinstance(encoder, Encoder) else model_sha256(encoder)
    names = _named(vocabulary)
    if names is not None:
        files[NAMES] = vocabulary_csv(names)
    facts = Facts(
        generation=1,
        metric=metric,
        codec=codec,
        dim=None if about is None else about["dim"],
        segments=[],
        next_segment=1,
        vocabulary="none" if names is None else "given",
        encoder=about,
    )
    with changing_folder(folder, KIND) as change:
        if change.before is not None:
            raise UsageError("holds a collection already", where=folder, hint="choose another folder")
        change.commit(files, facts.to_json())


def _named(vocabulary: Mapping[int, str] | str | Path | None) -> Vocabulary | None:
    if vocabulary is None:
        return None
    if not isinstance(vocabulary, Mapping):
        return load_vocabulary(as_path(vocabulary, "vocabulary"))
    if not all(
        isinstance(number, int) and number >= 0 and isinstance(name, str) and name.strip()
        for number, name in vocabulary.items()
    ):
        raise UsageError("is not {number: name}", where="vocabulary", hint='such as {0: "Cooking"}')
    return Vocabulary(dict(vocabulary))
