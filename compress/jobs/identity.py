"""What a run or a store is, read from what it says about itself: cheap, without torch, without checksums.

One that cannot say it (damaged, or its first lines are not written yet) is nothing worse than unknown here:
the command that goes on to open it says what is wrong with it.
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
    """What a person may mean it by.

    Args:
        encoder: by its name for `compress train`, e.g. "residual_cnn" or "pca".
        dim: numbers a video; None when only the finished model tells.
        codec: of a store; "float32" for a run.
        nested_dims: of a run: the first so many numbers of its embeddings were trained too.
    """

    encoder: str
    dim: int | None
    codec: str = "float32"
    nested_dims: tuple[int, ...] = ()


def run_identity(folder: Path) -> Identity | None:
    """Of runs/<name>: of its model, or of its config.json while there is none."""
    try:
        if (folder / "model" / "manifest.json").exists():
            facts = read_folder(folder / "model", "model", verify=False).metadata
            options, nested = (
                facts["model_config"]["encoder_options"],
                facts["model_config"].get("nested_dims"),
            )
            return _checked(facts["train_config"]["encoder"], options["dim"], nested=nested)
        config = read_json(folder / "config.json")["config"]
        nested = config.get("nested_dims")
        return _checked(config["encoder"], config["encoder_options"].get("dim"), nested=nested)
    except (CompressError, KeyError, TypeError, AttributeError):
        return None


def is_smaller_copy(folder: Path) -> bool:
    """Whether `compress shrink` made runs/<name>, finished or not."""
    try:
        return "refines" in read_json(folder / "config.json")
    except (CompressError, TypeError):
        return False


def store_identity(path: Path) -> Identity | None:
    """Of embeddings/<name>.h5: of the attributes of the file."""
    # Not before: h5py takes a while, and most commands name what they mean.
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
