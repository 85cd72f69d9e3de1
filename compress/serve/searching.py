"""From a request to the searches of a collection: what it may ask, and which thread answers."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import numpy as np

from compress.collection import Match
from compress.errors import UsageError
from compress.serve.bodies import MOST_K, SearchBody
from compress.serve.scans import MOST_QUERIES, Scans
from compress.serve.shelf import Shelf

MOST_MATCHES = 10_000
"""In one answer."""


def within(k: int, offset: int, queries: int) -> None:
    """UsageError for a request that asks for nothing, or for too much."""
    if k + offset > MOST_K:
        raise UsageError(f"k + offset is {k + offset:,}, at most {MOST_K:,}", where="offset")
    if queries < 1:
        raise UsageError("nothing to search from", where="body", hint="give video_ids or vectors")
    if queries * (k + offset) > MOST_MATCHES:
        raise UsageError(f"asks for more than {MOST_MATCHES:,} videos", where="k", hint="ask several times")


async def at_once(jobs: list[Any]) -> list[Any]:
    """The results of some coroutines; where one fails, the others are given up."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def like(
    shelf: Shelf,
    scans: Scans,
    ids: list[str],
    k: int,
    where: str | None = None,
    exclude: list[str] | None = None,
    min_score: float | None = None,
) -> list[Match]:
    """The k videos most similar to some of a collection; together with other searches where that can be."""
    collection = shelf.collection
    if where is None and not exclude and min_score is None and len(ids) == 1:
        found = await asyncio.wrap_future(scans.search(collection.embeddings(ids), k + 1))
        return [match for match in found[0] if match.video_id != ids[0]][:k]
    search = partial(collection.search_like, ids, k, where=where, exclude=exclude or [], min_score=min_score)
    return list(await asyncio.wrap_future(scans.alone(search)))


async def by_vectors(shelf: Shelf, scans: Scans, body: SearchBody, k: int) -> list[list[Match]]:
    """The k most similar videos of each vector of a request."""
    widths = {len(vector) for vector in body.vectors}
    if len(widths) != 1:
        raise UsageError("differ in length", where="vectors", hint="give rows of one length")
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused by name
        vectors = np.array(body.vectors, np.float64).astype(np.float32)
    plainly = body.where is None and not body.exclude and body.min_score is None
    if (
        plainly
        and body.raw is not True
        and widths == {shelf.collection.stats().dim}
        and len(vectors) <= MOST_QUERIES
    ):
        found = await asyncio.wrap_future(scans.search(vectors, k))
        return found
    search = partial(
        shelf.collection.search,
        vectors,
        k,
        raw=body.raw,
        where=body.where,
        exclude=body.exclude,
        min_score=body.min_score,
    )
    return list(await asyncio.wrap_future(scans.alone(search)))
