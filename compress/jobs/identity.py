"""What a run or a store is, as it says itself: read quickly, without torch and without verifying checksums.

One that cannot say it (damaged, or not yet written) is None; the command that opens it says what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.artifacts.atomic import read_json
from compress.artifacts.folder import read_folder
from compress.errors import CompressError


@dataclass(frozen=True)
class Identity:
    """What a run or store can be selected by.

    Args:
        encoder: by its name for `compress train`, e.g. "residual_cnn" or "pca".
        dim: embedding size; None when only the finished model tells.
        codec: of a store; "float32" for a run.
        nested_dims: of a run: sizes of prefixes that were trained too.
    """

    encoder: str
    dim: int | None
    codec: str = "float32"
    nested_dims: tuple[int, ...] = ()


def run_identity(folder: Path) -> Identity | None:
    """Of runs/<name>: from its model, or from its config.json while there is no model."""
    try:
        if (folder / "model" / "manifest.json").exists():
            facts = read_folder(folder / "model", "model", verify=False).metadata
            encoder, model = facts["train_config"]["encoder"], facts["model_config"]
            return _checked(encoder, model["encoder_options"]["dim"], nested=model.get("nested_dims"))
        config = read_json(folder / "config.json")["config"]
        dim = config["encoder_options"].get("dim")
        return _checked(config["encoder"], dim, nested=config.get("nested_dims"))
    except (CompressError, KeyError, TypeError, AttributeError):
        return None


def is_smaller_copy(folder: Path) -> bool:
    """Whether `compress shrink` made runs/<name>, finished or not."""
    try:
        return "refines" in read_json(folder / "config.json")
    except (CompressError, TypeError):
        return False


def store_identity(path: Path) -> Identity | None:
    """Of embeddings/<name>.h5: from the attributes of the file."""
    # Imported late: h5py takes a while, and most commands name their store.
    from compress.artifacts.disk import storage_errors
    from compress.store.audit import audit

    try:
        with storage_errors(path), path.open("rb") as file:
            found = audit(file, path)
        return _checked(found.metadata["encoder"], found.dim, found.codec)
    except (CompressError, KeyError):
        return None


def _checked(encoder: Any, dim: Any, codec: str = "float32", nested: Any = None) -> Identity | None:
    sound = isinstance(encoder, str) and (dim is None or isinstance(dim, int))
    # Runs of earlier versions say nothing of nested dims.
    sizes = tuple(nested) if isinstance(nested, list) and all(isinstance(n, int) for n in nested) else ()
    return Identity(encoder, dim, codec, sizes) if sound else None
