"""The folder of one extraction: what is in it, and whether it is what is asked for now.

FOLDER/extract.json   how the features were made; they are kept for the next time
FOLDER/features/      the features of each video
FOLDER/projection/    PCA and quantiser, if they were fitted here
FOLDER/shards/        the shards
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compress.artifacts.folder import read_folder
from compress.artifacts.manifest import MANIFEST, Manifest
from compress.artifacts.sealed import read_sealed, write_sealed
from compress.errors import UsageError
from compress.extract import shards
from compress.extract.features import KeptFeatures
from compress.extract.videos import Video

SETTINGS, FEATURES, PROJECTION, SHARDS = "extract.json", "features", "projection", "shards"
_HINT = "choose another folder, or let shards be made anew with --replace"
_WORDS = {
    "fps": "frames per second",
    "max_frames": "the most frames of a video",
    "backbones": "the backbone or its weights",
    "backbone": "the backbone",
    "projection": "the projection",
    "validate_fraction": "the share of validation videos",
    "labels": "the labels",
    "keep_damaged": "what becomes of damaged videos",
}


def finished(folder: Path, asked: dict[str, Any], replace: bool) -> Manifest | None:
    """The shards of a folder when they are those that are asked for; None when there is something to do.

    Args:
        folder: of the extraction.
        asked: JSON, what the shards follow from.
        replace: others may be replaced.

    Raises:
        UsageError: the shards are of something else.
        CorruptArtifactError: they are damaged.
    """
    if not (folder / SHARDS / MANIFEST).exists():
        return None
    manifest = read_folder(folder / SHARDS, shards.KIND, verify=not replace)
    before = manifest.metadata.get("asked", {})
    if before == asked:
        # What this machine could not do before, it may now: the features of all others are kept.
        return None if manifest.metadata.get("try_again") else manifest
    if replace:
        return None
    hint = _HINT
    if before.get("videos") != asked["videos"]:
        what = f"holds the shards of {before.get('count', 0):,} other videos, or of these before they changed"
        if before.get("count", 0) < asked["count"]:
            hint = f"for more videos: --projection {folder / PROJECTION} and another folder, or --replace"
    else:
        differing = next(key for key in asked if before.get(key) != asked[key])
        what = f"holds shards of the same videos made with other options ({_WORDS.get(differing, differing)})"
    raise UsageError(what, where=folder / SHARDS, hint=hint)


def keep_features(folder: Path, settings: dict[str, Any], replace: bool) -> KeptFeatures:
    """Where features are kept; `settings` are noted the first time.

    Raises:
        UsageError: the folder keeps features that were made with other settings.
    """
    path = folder / SETTINGS
    if path.exists() and not replace:
        before = read_sealed(path, "extract into another folder, or again with --replace")
        differing = [key for key in settings if before.get(key) != settings[key]]
        if differing:
            what = f"its features were made with other settings: {_WORDS[differing[0]]} differs"
            raise UsageError(what, where=folder, hint=_HINT)
    write_sealed(path, settings)
    return KeptFeatures(folder / FEATURES, settings)


def forget_settings(folder: Path) -> None:
    """Remove what was noted of features where none are kept: not one video could be decoded."""
    if not any((folder / FEATURES).glob("*.safetensors")):
        (folder / SETTINGS).unlink(missing_ok=True)


def digest(videos: Sequence[Video]) -> str:
    """sha256 (64 hex digits) of the ids, sizes and times of videos."""
    facts = [[video.video_id, video.size, video.mtime_ns] for video in videos]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
