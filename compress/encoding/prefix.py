"""How many numbers of its embeddings a run can be asked for."""

from __future__ import annotations

from pathlib import Path

from compress.errors import UsageError
from encoders import Model


def stored_dim(model: Model, asked: int | None, run: Path, *, any_dim: bool = False) -> int:
    """Numbers a video that are stored: the whole embedding, or its first ones.

    Args:
        model: of the run.
        asked: how many; None for all.
        run: the folder, for the message.
        any_dim: also sizes that were not trained.

    Raises:
        UsageError: an embedding has fewer numbers, or was not trained to be cut there.
    """
    if asked is None or asked in model.dims:
        return asked or model.dim
    if not 1 <= asked <= model.dim:
        raise UsageError(f"an embedding has {model.dim} numbers, not {asked}", where=run)
    if any_dim:
        return asked
    trained = ", ".join(map(str, model.dims))
    other = (
        "" if model.head is None else f"train one with --nested {asked}, or "
    )  # computed: cannot be nested
    raise UsageError(
        f"was not trained for its first {asked} numbers, only for {trained}",
        where=run,
        hint=f"{other}cut it anyway with --any-dim",
    )
