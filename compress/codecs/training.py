"""Around the training of a codec: what makes the same sample give the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from compress import faiss_engine
from compress.errors import UsageError
from compress.progress import check_interrupt

SEED = 0


@contextmanager
def repeatable() -> Iterator[None]:
    """Let numpy and FAISS use one thread inside, and FAISS the products it has when it starts.

    The order in which several threads add up is not always the same.
    """
    with faiss_engine.same_products(), threadpool_limits(1):
        yield


def safe_point() -> None:
    """Stop here when that was asked for: nothing of a codec is kept before it is complete."""
    check_interrupt("nothing was written; run the same command again")


def refuse_more_bytes_than_dimensions(name: str, num_bytes: int, dim: int) -> None:
    """Raise UsageError when a product quantiser would have a sub-vector without numbers."""
    if num_bytes > dim:
        raise UsageError(
            f"codec {name} needs embeddings of {num_bytes} dimensions or more, these have {dim}",
            hint=f"choose {name.rstrip('0123456789')}{dim} or fewer bytes, or rq{num_bytes}",
        )
