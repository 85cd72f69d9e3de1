"""What a path is, and whether it is whole: shards, arrays, stores, runs, indexes and workspaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from compress.artifacts.atomic import read_bytes
from compress.artifacts.folder import read_folder
from compress.artifacts.manifest import MANIFEST, parse_manifest
from compress.datasets.catalogue import scan
from compress.datasets.files import absolute, matches
from compress.datasets.formats import format_of
from compress.datasets.formats.npy import describe_npy
from compress.datasets.formats.sidecar import find_sidecar
from compress.datasets.policy import OnCorrupt
from compress.datasets.schema import NUM_CLASSES_HINT
from compress.datasets.source import Source, open_source
from compress.description import NOTHING_SAID, Description, labels_option
from compress.errors import DataError, NotFoundError, SchemaError
from compress.labels import Labels
from compress.progress import Progress, Reporter, silent
from compress.store.reader import open_store
from compress.workspace import FILE_NAME, load_workspace

IDS_SHOWN, NAMES_SHOWN = 3, 8
STORE_MARK = b'"compress-store"'
RUN_CONFIG = "config.json"
RUN_PARTS = ("model", "best", "checkpoint")


@dataclass(frozen=True)
class Finding:
    """What a path is; its checksums match.

    Args:
        path: as it was given.
        kind: "shards", "arrays", "array" (numbers that are no features), "store", "workspace", "run", or the
            kind of a committed folder.
        facts: JSON values, in the order to show them.
    """

    path: str
    kind: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What a person says about the files to inspect.

    Args:
        num_classes: C, if shards or arrays do not say.
        description: names in them, where they cannot be seen.
        on_corrupt: what happens to unusable records; copies go to the folder `quarantine`.
    """

    num_classes: int | None = None
    description: Description = NOTHING_SAID
    on_corrupt: OnCorrupt = "fail"
    quarantine: Path | None = None


def inspect_all(
    patterns: Sequence[str], asked: Asked = Asked(), *, report: Reporter = silent
) -> list[Finding]:
    """Inspect several paths or patterns; see `inspect`."""
    return [inspect(pattern, asked, report=report) for pattern in patterns]


def inspect(pattern: str, asked: Asked = Asked(), *, report: Reporter = silent) -> Finding:
    """Say what a path or pattern is, and verify every checksum.

    Args:
        pattern: a file, a folder, or a glob pattern of shards.
        asked: what is to be known about it.
        report: gets progress.

    Raises:
        NotFoundError: nothing is there.
        CorruptShardError, CorruptArtifactError: a checksum does not match; names the file.
        DataError: it is nothing that this project reads.
    """
    path = absolute(pattern)
    if path.is_dir():
        return _folder(path, asked, report)
    if path.is_file() and is_store(path):
        return _store(path)
    if (
        path.is_file()
        and path.suffix.lower() == ".npy"
        and asked.num_classes is None
        and find_sidecar(path) is None
        and labels_option(asked.description.labels).path is None
    ):
        return _plain_array(path, asked, report)
    if path.suffix == ".partial":
        what = "an unfinished store"
        raise DataError(what, where=path, hint="run the `compress encode` that wrote it again to finish it")
    return _shards(pattern, [pattern], asked, report)


def is_store(path: Path) -> bool:
    """Whether a file is a store of embeddings, whole or damaged."""
    with path.open("rb") as file:
        return STORE_MARK in file.read(256)


def _folder(path: Path, asked: Asked, report: Reporter) -> Finding:
    if (path / MANIFEST).exists():
        return _artifact(path)
    if (path / FILE_NAME).exists():
        return _workspace(path)
    if (path / RUN_CONFIG).exists():
        return _run(path)
    try:
        files = matches(str(path))
    except NotFoundError:
        files = []
    if files and not is_store(files[0]):
        return _shards(str(path), [str(path)], asked, report)
    inside = ", ".join(sorted(item.name for item in path.iterdir())[:5]) or "nothing"
    raise DataError(
        f"not a run, workspace, index or folder of shards (it holds {inside})",
        where=path,
        hint="name what is in it, or the workspace around it",
    )


def _artifact(path: Path) -> Finding:
    kind = parse_manifest(read_bytes(path / MANIFEST), path).kind
    manifest = read_folder(path, kind)
    files = {name: f"{file.bytes:,} bytes" for name, file in manifest.files.items()}
    facts = {"checksums": f"all {len(files)} files match", "files": files, "written by": manifest.versions}
    metadata = manifest.metadata
    if kind == "collection":  # its encoder says all that a run says
        metadata = {**metadata, "encoder": (metadata["encoder"] or {}).get("name", "none")}
    if (
        kind == "index"
    ):  # It calls its factory string its kind, and one recall is never told without the other.
        names = {"kind": "factory", "recall_at_10": "recall_at_10_stored"}
        metadata = {"recall_at_10_float32": "not measured", **metadata}
        metadata = {names.get(key, key): value for key, value in metadata.items()}
    return Finding(str(path), kind, {**facts, **_with_few_names(metadata)})


def _run(path: Path) -> Finding:
    parts = {name: _artifact(path / name) for name in RUN_PARTS if (path / name / MANIFEST).exists()}
    if "model" in parts:
        return Finding(str(path), "run", {"training": "finished", **parts["model"].facts})
    if "checkpoint" in parts:
        at = parts["checkpoint"].facts.get("at", {})
        facts = {"training": f"stopped in epoch {at.get('epoch', 0) + 1}; run it again to continue"}
        return Finding(str(path), "run", {**facts, **parts["checkpoint"].facts})
    return Finding(str(path), "run", {"training": "stopped before its first checkpoint"})


def _workspace(path: Path) -> Finding:
    workspace = load_workspace(path)
    runs = sorted(item.name for item in workspace.runs.glob("*") if item.is_dir())
    stores = sorted(item.name for item in workspace.embeddings.glob("*.h5"))
    evaluations = sorted(item.stem for item in workspace.evaluation.glob("*.json"))
    facts = {
        "train": list(workspace.train),
        "validate": list(workspace.validate),
        "validate fraction": workspace.validate_fraction,
        "near-duplicates": workspace.near_duplicates,
        "train frames": list(workspace.train_frames),
        "validate frames": list(workspace.validate_frames),
        "vocabulary": workspace.vocabulary,
    }
    return Finding(
        str(path), "workspace", {**facts, "runs": runs, "stores": stores, "evaluations": evaluations}
    )


def _store(path: Path) -> Finding:
    store = open_store(path)
    facts = {
        "videos": len(store),
        "dim": store.dim,
        "codec": store.codec.name,
        "bytes per video": store.bytes_per_video,
        "splits": {name: len(rows) for name, rows in store.splits.items()},
        "ids": _some(store.id_bytes),
        **_label_facts(store.labels),
        "checksum": f"sha256 {store.sha256} matches",
    }
    return Finding(str(path), "store", {**facts, **_with_few_names(store.metadata)})


def _shards(
    name: str,
    patterns: Sequence[str],
    asked: Asked,
    report: Reporter,
) -> Finding:
    source = _opened(patterns, asked)
    # The facts say what the notes would.
    catalogue = scan(source, lambda event: report(event) if isinstance(event, Progress) else None)
    schema = source.schema
    frames = catalogue.num_frames
    facts: dict[str, Any] = {
        "shards": len(source.shards),
        "videos": len(catalogue),
        "level": schema.level,
        "features": ", ".join(f"{each} ({dim})" for each, dim in zip(schema.names, schema.dims, strict=True)),
        "dim": schema.dim,
        **_contents(source),
        "ids": _some(catalogue.ids),
        **_label_facts(catalogue.labels),
        **_with_few_names({"class_names": schema.class_names}),
    }
    if without_partner := source.labels_told(catalogue.ids):
        facts["labels and ids"] = without_partner
    if source.dead_links:
        facts["left out, as links to nothing"] = [str(link) for link in source.dead_links]
    if source.repeats:
        facts["left out, as the id occurred before"] = source.repeats
    if source.skipped:
        facts["left out"] = [
            f"record {one.record} of {one.shard.name}: {one.reason}" for one in source.skipped[:IDS_SHOWN]
        ]
        facts["left out in all"] = len(source.skipped)
    if frames is not None:
        facts["frames per video"] = f"{frames.min()} to {frames.max()}, {frames.mean():.1f} on average"
        facts["frames"] = (
            "synthetic: expanded from video-level features" if schema.synthetic_frames else "real"
        )
    kind = format_of(source.shards[0]).kind
    facts["checksums"] = None if kind == "arrays" else f"both of all {len(catalogue):,} records match"
    return Finding(name, kind, facts)


def _opened(patterns: Sequence[str], asked: Asked) -> Source:
    """The source; of files without labels it is not asked how many classes there are."""
    try:
        return open_source(patterns, **_options(asked))
    except SchemaError as error:
        if error.hint != NUM_CLASSES_HINT or asked.num_classes is not None:
            raise
        return open_source(patterns, **_options(replace(asked, num_classes=1)))


def _options(asked: Asked) -> dict[str, Any]:
    keep = asked.quarantine if asked.on_corrupt == "quarantine" else None
    said = {"num_classes": asked.num_classes, "description": asked.description}
    return {**said, "on_corrupt": asked.on_corrupt, "quarantine": keep}


def _plain_array(path: Path, asked: Asked, report: Reporter) -> Finding:
    """A .npy file that has no labels; where it may be features, every row is checked."""
    found = describe_npy(path)
    facts = {"shape": list(found.shape), "dtype": found.dtype, "use it for": found.use}
    if not found.is_features:
        return Finding(str(path), "array", facts)
    more = _shards(str(path), [str(path)], replace(asked, num_classes=None), report).facts
    return Finding(str(path), "arrays", {**facts, **more})


def _contents(source: Source) -> dict[str, Any]:
    """What is taken from the files, what is left in them, and what was assumed: of all files together."""
    found = source.contents.values()
    parts = {
        "takes": [text for contents in found for text in contents.taken()],
        "leaves": [text for contents in found for text in contents.left()],
        "notes": [text for contents in found for text in contents.notes],
    }
    return {name: list(dict.fromkeys(texts)) for name, texts in parts.items() if texts or name != "notes"}


def _with_few_names(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata in which the first names of the classes stand for all."""
    if isinstance(schema := metadata.get("schema"), Mapping):
        names = schema.get("class_names", ())
        schema = {key: value for key, value in schema.items() if key != "class_names"}
        return {**metadata, "schema": schema, **_with_few_names({"class_names": names})}
    names = metadata.get("class_names", ())
    rest = {key: value for key, value in metadata.items() if key != "class_names"}
    more = ["..."] if len(names) > NAMES_SHOWN else []
    return {**rest, "class names": [*names[:NAMES_SHOWN], *more]} if names else rest


def _label_facts(labels: Labels | None) -> dict[str, Any]:
    if labels is None:
        return {"labels": "none"}
    counts, used = labels.counts(), np.count_nonzero(labels.class_counts())
    return {
        "classes": labels.num_classes,
        "classes with videos": int(used),
        "labels per video": f"{counts.min()} to {counts.max()}, {counts.mean():.2f} on average",
    }


def _some(ids: np.ndarray) -> list[str]:
    return [video_id.decode("utf-8", "backslashreplace") for video_id in ids[:IDS_SHOWN].tolist()]
