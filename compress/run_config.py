"""config.json of a run: the recipe, and the videos it was started on. Reading it needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from compress.artifacts.sealed import read_sealed, write_sealed
from compress.datasets.shard_sizes import ShardSize, changed_shards
from compress.errors import CorruptArtifactError

_HINT = "make the run again with its command and --fresh, or restore the file from a copy"


def config_path(run: Path) -> Path:
    """Where the folder of a run keeps it."""
    return run / "config.json"


def read_run_config(run: Path) -> dict[str, Any]:
    """What `write_run_config` wrote into the folder of a run; its "config" is the recipe.

    Raises:
        NotFoundError: there is none.
        CorruptArtifactError: it was changed since it was written, or is not the config of a training.
    """
    path = config_path(run)
    value = read_sealed(path, _HINT)
    if not isinstance(value.get("config"), dict) or not _are_shards(value.get("shards", {})):
        raise CorruptArtifactError("is not the config of a training", where=path, hint=_HINT)
    return value


def write_run_config(run: Path, identity: Mapping[str, Any]) -> None:
    """Replace it; raises as `write_json`."""
    write_sealed(config_path(run), identity)


def noted_shards(**splits: Sequence[ShardSize]) -> dict[str, Any]:
    """The entry of config.json that keeps what the shards of each split were; {} for arrays."""
    kept = {split: [str(shard) for shard in shards] for split, shards in splits.items() if shards}
    return {"shards": kept} if kept else {}


def _are_shards(noted: object) -> bool:
    """Whether this is the entry of `noted_shards`; a seal does not say who wrote a file."""
    if not isinstance(noted, dict):
        return False
    try:
        for kept in noted.values():
            for text in kept:
                ShardSize.parse(text)
    except (AttributeError, TypeError, ValueError):
        return False
    return True


def changed_since(identity: Mapping[str, Any], shards: Sequence[ShardSize]) -> list[str]:
    """A clause for each of these shards that had another size when the run saw it; see `changed_shards`.

    Args:
        identity: as `read_run_config` gives it; a run of version 0.1 did not note its shards.
        shards: as they are now, of any split.
    """
    before = (ShardSize.parse(text) for kept in identity.get("shards", {}).values() for text in kept)
    return changed_shards(before, shards)
