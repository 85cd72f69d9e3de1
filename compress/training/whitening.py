"""The eigenvalues that YouTube-8M's rgb features were whitened by, so that training can undo it.

Google projected the 2048 numbers of Inception onto the 1024 largest principal components and divided each by
sqrt(eigenvalue + 1e-4) (feature_extractor in google/youtube-8m), which makes the last component, noise for
the most part, as large as the first. NeXtVLAD (Lin et al. 2018, section 4.1) multiplies them back. The file
is Google's `inception_pca/eigenvals.npy`; it is not part of this package.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from compress.artifacts.atomic import read_bytes
from compress.datasets.schema import FeatureSchema
from compress.errors import CorruptArtifactError, SchemaError

EPSILON = 1e-4  # what the extractor added to each eigenvalue
RGB = ("mean_rgb", "rgb")
_WHERE = "--set undo_whitening"


def whitening(file: str, schema: FeatureSchema) -> Tensor:
    """What each number of a video or frame is to be multiplied by: float32 (dim,), 1 for all but rgb.

    Args:
        file: npy of at least as many eigenvalues as rgb has numbers, largest first; (n,) or (n, 1).
        schema: of the videos.

    Raises:
        SchemaError: the videos have no rgb, or fewer eigenvalues are there than it has numbers.
        NotFoundError, CorruptArtifactError: no such file, or not one of eigenvalues.
    """
    name = next((name for name in schema.names if name in RGB), None)
    if name is None:
        what = f"only rgb of YouTube-8M is whitened; these videos have {', '.join(schema.names)}"
        raise SchemaError(what, where=_WHERE)
    at = schema.names.index(name)
    first, size = sum(schema.dims[:at]), schema.dims[at]
    eigenvalues = _read(Path(file))
    if len(eigenvalues) < size:
        raise SchemaError(f"{len(eigenvalues)} eigenvalues for the {size} numbers of {name}", where=file)
    factors = torch.ones(schema.dim)
    factors[first : first + size] = torch.from_numpy(np.sqrt(eigenvalues[:size] + EPSILON)).float()
    return factors


def sha256(file: str) -> str:
    """Of the eigenvalues in a file, wherever it lies; raises as `whitening`."""
    return hashlib.sha256(_read(Path(file)).tobytes()).hexdigest()


def _read(path: Path) -> np.ndarray:
    """float64 (n,); not negative, largest first."""
    try:
        values = np.lib.format.read_array(io.BytesIO(read_bytes(path)), allow_pickle=False)
    except ValueError as error:
        raise CorruptArtifactError(f"not an npy file ({error})", where=path) from error
    if values.dtype.kind != "f" or values.shape[:1] != (values.size,):
        raise CorruptArtifactError("not one column of floating-point numbers", where=path)
    flat = np.ascontiguousarray(values.reshape(-1), dtype=np.float64)
    if not np.isfinite(flat).all() or (flat < 0).any() or (np.diff(flat) > 0).any():
        raise CorruptArtifactError("eigenvalues are not negative and stand largest first", where=path)
    return flat
