"""What a trained run takes on the disk: bytes of its model, and how many of its weights are 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compress.training.run import WEIGHTS, model_manifest, read_tensors
from compress.training.weights import bytes_by_part


def model_size(run: Path) -> dict[str, Any]:
    """How large a finished run is.

    Args:
        run: its folder.

    Returns:
        JSON: "bytes" of the file; "parts", its bytes by part of the model, of which "encoder" is what an
        embedding needs; "weights", what numbers matrices are stored in; "share_of_zeros" of the matrices, 0
        unless weights were pruned.

    Raises:
        NotFoundError, CorruptArtifactError: see `load_model`.
    """
    manifest = model_manifest(run)
    shrunk = manifest.metadata.get("shrunk", {})
    return {
        "bytes": manifest.files[WEIGHTS].bytes,
        "parts": bytes_by_part(read_tensors(manifest.path(WEIGHTS))),
        "weights": shrunk.get("weights", "float32"),
        "share_of_zeros": shrunk.get("share_of_zeros", 0.0),
    }
