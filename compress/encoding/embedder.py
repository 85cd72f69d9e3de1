"""Records -> embeddings, in the precision the model was validated in."""

from __future__ import annotations

import numpy as np
import torch

from compress.datasets.record import FrameRecord, Record
from encoders import Inputs, Model


class Embedder:
    """A model and the precision it was validated in.

    Args:
        model: in evaluation mode, on its device.
        precision: "bf16" (autocast) or "fp32".
    """

    def __init__(self, model: Model, precision: str) -> None:
        self.model, self.dim = model, model.dim
        self.precision = precision
        self.device = next(iter(model.buffers())).device

    @torch.inference_mode()
    def __call__(self, records: list[Record]) -> np.ndarray:
        """Embeddings float32 (len(records), dim)."""
        bf16 = self.precision == "bf16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
            embedding = self.model.embed(_inputs(records, self.device))
        return np.ascontiguousarray(embedding.float().cpu().numpy())


def _inputs(records: list[Record], device: torch.device) -> Inputs:
    if not isinstance(records[0], FrameRecord):
        features = np.stack([record.features for record in records])  # type: ignore[union-attr]
        return torch.from_numpy(features).to(device)
    frames = [record.frames for record in records if isinstance(record, FrameRecord)]
    lengths = [len(one) for one in frames]
    padded = np.zeros((len(frames), max(lengths), frames[0].shape[1]), dtype=np.uint8)
    for row, one in zip(padded, frames, strict=True):
        row[: len(one)] = one
    return torch.from_numpy(padded).to(device), torch.tensor(lengths, device=device)
