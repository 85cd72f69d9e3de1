"""An encoder as an ONNX file with any number of videos at once, compared with torch before it is kept."""

from __future__ import annotations

import io
import logging
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compress.artifacts.atomic import write_bytes
from compress.doors.guard import reason
from compress.errors import UnavailableError, UsageError
from encoders import Model

TOLERANCE = 1e-5
"""The largest difference from torch, as a share of the largest number of the embeddings."""
EXTRA = "compress-video-embeddings[onnx]"
_SIZES = (1, 2, 7)


class _Embedding(nn.Module):
    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor) -> Tensor:
        return self.model.embed(features)


def write_onnx(model: Model, path: Path, name: str) -> float:
    """Write `features` float32 (batch, D) -> `embedding` float32 (batch, dim), computed in float32.

    Returns:
        The largest difference from torch, at batches of 1, 2 and 7.

    Raises:
        UsageError: an encoder of frames, or one that torch cannot export, or whose ONNX file computes
            something else; nothing is written.
        UnavailableError: onnx, onnxscript or onnxruntime is missing.
    """
    if model.encoder.level != "video":
        what = f"{name} reads frames; only encoders of features are exported to ONNX"
        raise UsageError(what, where="--onnx", hint="pack it without --onnx")
    try:
        import onnx  # noqa: F401
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        what = "ONNX files need onnx, onnxscript and onnxruntime"
        raise UnavailableError(what, hint=f"pip install '{EXTRA}'") from error
    data = _exported(_Embedding(model).eval(), model.input_norm.config.dim, name)
    difference = _difference(model, onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"]))
    if not difference <= TOLERANCE:
        what = f"the ONNX file of {name} differs from torch by {difference:.1e}, more than {TOLERANCE:.0e}"
        raise UsageError(what, where="--onnx", hint="nothing was written; pack it without --onnx")
    write_bytes(path, data)
    return difference


def _exported(encoder: nn.Module, dim: int, name: str) -> bytes:
    batch = torch.export.Dim("batch", min=1)
    said = io.StringIO()  # the exporter tells its steps on stdout
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it warns of torchvision, which nothing here needs
    try:
        with warnings.catch_warnings(), redirect_stdout(said), redirect_stderr(said), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                encoder,
                (torch.randn(3, dim, generator=torch.Generator().manual_seed(0)),),
                dynamo=True,
                input_names=["features"],
                output_names=["embedding"],
                dynamic_shapes={"features": {0: batch}},
                verbose=False,
            )
            proto: Any = program.model_proto if program is not None else None
            return bytes(proto.SerializeToString())
    except Exception as error:  # torch raises whatever its parts do
        what = f"torch cannot export {name} to ONNX ({reason(error.__cause__ or error)})"
        raise UsageError(what, where="--onnx", hint="pack it without --onnx") from error
    finally:
        logger.setLevel(level)


def _difference(model: Model, session: Any) -> float:
    largest = 0.0
    for size in _SIZES:
        features = torch.randn(
            size, model.input_norm.config.dim, generator=torch.Generator().manual_seed(size)
        )
        with torch.no_grad():
            wanted = model.embed(features).numpy()
        (found,) = session.run(["embedding"], {"features": features.numpy()})
        if found.shape != wanted.shape:
            return float("inf")
        largest = max(largest, float(np.abs(found - wanted).max() / max(1e-12, np.abs(wanted).max())))
    return largest
