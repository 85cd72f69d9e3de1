"""`compress init`: make a workspace."""

from __future__ import annotations

import glob
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from compress.artifacts.atomic import write_bytes
from compress.description import NOTHING_SAID, Description
from compress.errors import NotFoundError, UsageError
from compress.workspace import FILE_NAME, Defaults, Workspace, load_workspace


def create_workspace(
    folder: Path,
    *,
    train: Sequence[str],
    validate: Sequence[str],
    train_frames: Sequence[str] = (),
    validate_frames: Sequence[str] = (),
    vocabulary: Path | None = None,
    num_classes: int | None = None,
    description: Description = NOTHING_SAID,
) -> Workspace:
    """Write `folder`/compress.toml; patterns are relative to `folder` unless absolute.

    Raises:
        UsageError: the folder is a workspace already, or frames are given for one split only.
        NotFoundError: a pattern matches no file, or there is no such vocabulary.
        StorageError: the disk refused.
    """
    root = folder.resolve()
    path = root / FILE_NAME
    if path.exists():
        raise UsageError("this folder is a workspace already", where=path, hint="edit that file instead")
    if bool(train_frames) != bool(validate_frames):
        raise UsageError("--train-frames and --validate-frames need each other")
    for pattern in (*train, *validate, *train_frames, *validate_frames):
        if not glob.glob(str(root / pattern), recursive=True):
            raise NotFoundError(f"no file matches {pattern!r}", where=root)
    if vocabulary is not None and not (root / vocabulary).is_file():
        raise NotFoundError("no such vocabulary", where=root / vocabulary)
    entries = {
        "train": list(train),
        "validate": list(validate),
        "train_frames": list(train_frames),
        "validate_frames": list(validate_frames),
        "vocabulary": None if vocabulary is None else str(vocabulary),
        "num_classes": num_classes,
        **description.said(),
    }
    lines = [
        "# A workspace of `compress`; paths are relative to this folder.",
        *(f"{key} = {_toml(value)}" for key, value in entries.items() if value),
        "",
        "# Defaults of options; flags and environment variables (COMPRESS_SEED, ...) override them.",
        "[defaults]",
        *(f"# {item.name} = {_toml(item.default)}" for item in fields(Defaults)),
    ]
    write_bytes(path, ("\n".join(lines) + "\n").encode())
    return load_workspace(root)


def _toml(value: object) -> str:
    # JSON is TOML for texts, numbers and lists of them, except that TOML wants DEL escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
